"""What a submission will ask of AWS and of the registry, asked at once, while git talks to the experiments remote.

Most of a submission is waiting for answers that do not depend on one another. Only what changes nothing is asked ahead,
each thing once, and a failure is raised where the answer is wanted: what is told first stays what is checked first.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from git_rvexp.errors import RvexpError
from git_rvexp.executors.protocol import Executor
from git_rvexp.model import Snapshot
from git_rvexp.names import Digest
from git_rvexp.record.events import Record
from git_rvexp.settings import Settings
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.where import executor_named, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from git_rvexp.executors.batch_definitions import Definitions
    from git_rvexp.workflow.building.recorded import Recorded

_AT_ONCE = 5  # who we are, the queue, two definitions, the image


class Foresight:
    """Answers that are on their way; made when a submission begins."""

    def __init__(self, context: Context, settings: Settings) -> None:
        """Begin with the executor: it needs no snapshot."""
        self._context, self._settings = context, settings
        self._beside = ThreadPoolExecutor(max_workers=_AT_ONCE)
        self._image: Future[Recorded | None] | None = None
        self.definitions: Definitions | None = None
        self._ready: Callable[[], None] | None = None
        if settings.on_batch:
            self._executor, self._rest = self._batch()
        else:
            self._executor, self._rest = self._beside.submit(self._here), []

    def about(self, snapshot: Snapshot) -> None:
        """Begin what the record of `snapshot` tells to ask for: its image and its definition, if it was published."""
        record = self._context.ledger.record(snapshot.oid)
        if self._settings.ecr_repo and manifests(record, self._settings.ecr_repo):
            self._image = self._beside.submit(self._looked_for, record)
        last = record.last("definition")
        if self.definitions is not None and last:
            self.definitions.begin(str(last.get("name", "")), self._beside)

    def executor(self) -> Executor:
        """The executor, once it has said which place it is."""
        if self._ready:  # after all that is waited for: clients are made one after another
            self._beside.submit(self._ready)
        self._beside.shutdown(wait=False)
        if self._image:
            from git_rvexp.workflow.building import ensure  # noqa: F401, PLC0415  wanted next: not one more wait then
        for each in self._rest:
            each.exception()  # waited for; who wants the answer asks again, and gets the error
        return self._executor.result()

    def image(self) -> "Recorded | None":
        """The image that the record names, as the registry has it; None when it was not looked for, or is gone."""
        return self._image.result() if self._image else None

    def _batch(self) -> tuple[Future[Executor], list[Future[None]]]:
        from git_rvexp.executors.batch import BatchExecutor  # noqa: PLC0415  loads botocore
        from git_rvexp.executors.batch_definitions import Definitions  # noqa: PLC0415  as above

        settings = self._settings
        self.definitions = Definitions(settings)
        executor = BatchExecutor(settings, definitions=self.definitions)
        self._ready = executor.ready
        asked = self._beside.submit(_placed, executor)
        queue = [self._beside.submit(executor.expect_queue, settings.batch_queue)] if settings.batch_queue else []
        self.definitions.begin(base_name(settings), self._beside)
        return asked, queue

    def _here(self) -> Executor:
        context, name = self._context, name_of(self._settings)
        return _placed(executor_named(name, self._settings, context.environ, context.say, context.progress))

    def _looked_for(self, record: Record) -> "Recorded | None":
        from git_rvexp.workflow.building.recorded import look  # noqa: PLC0415  a run without a registry needs none

        context, settings = self._context, self._settings
        try:
            return look(context.repo, settings, context.environ, manifests(record, settings.ecr_repo))
        except RvexpError:
            return None  # looked for again, and told, where it is wanted


def base_name(settings: Settings) -> str:
    """The name of the base definition without its revision; "" where none is set."""
    return settings.batch_job_def_name.rpartition("job-definition/")[2].partition(":")[0]


def manifests(record: Record, repository: str) -> list[Digest]:
    """Digests of the images that the record names in `repository`, newest first."""
    refs = [str(e.get("ref", "")).partition("@") for e in reversed(record.of("image"))]
    return [Digest(digest) for name, _, digest in refs if digest and name == repository]


def _placed(executor: Executor) -> Executor:
    _ = executor.place
    return executor
