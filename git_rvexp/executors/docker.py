"""Runs as detached containers of a Docker engine: the executor that needs no account and no server.

An engine gives names out once, which makes submitting idempotent: a run has one container or none. But it has
no scheduler, so whoever looks (`states`) does a scheduler's work:

- a container over its time limit is stopped. Nobody looking, nobody stops it; `wait` looks every few seconds.
- a container that was made but not started within LATE seconds has lost its submitter (killed between the two
  calls) and is started. That happens once: a started container never counts as "made" again. Two programs that
  look in the same instant may both start it, which the engine takes as one start while the job runs.

Why we stopped a container is written into it (`docker_remark`). Arrays and dependencies are refused here. What
is asked and what answers mean: `docker_asking`, `docker_reading`.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from git_rvexp.errors import CredentialsError, RvexpError
from git_rvexp.executors import docker_asking, docker_reading, docker_remark
from git_rvexp.executors.protocol import RefusedError, UnsureError
from git_rvexp.images.credentials import login
from git_rvexp.images.engine import Engine
from git_rvexp.images.reference import Repository
from git_rvexp.model import JobState, Plan
from git_rvexp.settings import Settings

GRACE = 30  # seconds between SIGTERM and SIGKILL, as on Batch
LATE = 30  # seconds after which a container that was only made counts as abandoned by its submitter


class DockerExecutor:
    """Executor and LogSource over the engine that `environ` names; job ids are full container ids.

    `environ` also gives the values of a plan's `secret_env`; `settings` may hold the AWS profile that ECR's login
    comes from; `say` hears of a pull, which can take minutes; `late` is LATE in seconds.
    """

    name = "docker"

    def __init__(
        self,
        environ: Mapping[str, str],
        settings: Settings = Settings(),  # noqa: B008  frozen
        *,
        say: Callable[[str], None] = lambda _line: None,
        late: float = LATE,
    ) -> None:
        """Connect. RvexpError when no engine answers."""
        self._engine = Engine.connect(environ).client
        self._environ = environ
        self._settings = settings
        self._say = say
        self._late = late

    @functools.cached_property
    def place(self) -> Mapping[str, str]:
        """The engine's own id, which outlives its restarts and its machine's name."""
        return {"engine": self._info()["ID"]}

    def check(self, plan: Plan) -> None:
        """Refuse a plan that cannot run here; an image that only the registry has is pulled."""
        docker_asking.check_plan(plan, self._environ)
        docker_asking.check_room(plan.resources, self._info())
        if plan.image:
            self.ensure_image(plan.image)

    def ensure_image(self, ref: str) -> Mapping[str, Any]:
        """`docker inspect` of an image, pulled by digest when the engine lacks it."""
        from docker.errors import APIError, ImageNotFound  # noqa: PLC0415  114 ms of CPU

        with _asking("find the image"), contextlib.suppress(ImageNotFound):
            return dict(self._engine.images.get(ref).attrs)
        if "@" not in ref:
            raise RefusedError(f"the Docker engine of {self._info()['Name']} has no image {ref}")
        self._say(f"pulling {ref}")
        with _asking("pull the image"):
            try:
                for line in self._engine.api.pull(ref, stream=True, decode=True, auth_config=self._login(ref)):
                    if "error" in line:
                        raise _pull_failed(ref, line["error"])
            except APIError as why:
                raise _pull_failed(ref, str(why.explanation)) from why
            return dict(self._engine.images.get(ref).attrs)

    def submit(self, plan: Plan) -> str:
        """Make and start the plan's container; its id."""
        from docker.errors import APIError, DockerException  # noqa: PLC0415  114 ms of CPU

        request = docker_asking.request(plan, self._environ)
        try:
            container = self._engine.containers.create(**request)
        except APIError as why:
            raise self._not_made(plan, why) from why
        except (DockerException, OSError) as why:
            raise _lost(plan, why) from why
        try:
            container.start()
        except APIError as why:
            raise self._not_started(plan, container, why) from why
        except (DockerException, OSError) as why:
            raise _lost(plan, why) from why
        return str(container.id)

    def find(self, plan: Plan) -> list[str]:
        """The id of the run's container, if there is one. RvexpError when this is not the engine it was planned for."""
        planned = plan.extra.get("engine", self.place["engine"])
        if planned != self.place["engine"]:
            raise RvexpError(
                f"run {plan.run} was planned for the Docker engine {planned}; this one is {self.place['engine']}",
                hint="ask on the machine it was planned on, or set DOCKER_HOST to that engine",
            )
        seen = self._inspect(plan.job_name)
        return [seen["Id"]] if seen and _run_of(seen) == str(plan.run) else []

    def states(self, jobs: Sequence[str]) -> dict[str, JobState]:
        """What this engine knows of `jobs`, after stopping what is over its time and starting what was left behind."""
        engine = self._info()
        now = docker_reading.epoch(engine["SystemTime"]) or 0.0
        found = {}
        for job in jobs:
            seen = self._inspect(job)
            if seen and seen["Id"] == job:
                seen = self._tended(seen, now) or seen
                found[job] = docker_reading.job_state(seen, engine, self._stopped_for(seen))
        return found

    def cancel(self, job: str, reason: str) -> None:
        """Stop a job: SIGTERM, and SIGKILL after GRACE seconds. One that has ended stays as it is."""
        seen = self._inspect(job)
        if seen is None:
            raise RvexpError(f"the Docker engine of {self._info()['Name']} knows no job {job}")
        if seen["State"]["Running"] or docker_reading.never_started(seen):
            self._stop(seen["Id"], reason)

    def logs(self, job: str, *, follow: bool = False) -> Iterator[str]:
        """Lines of stdout and stderr in the order they came."""
        from urllib3.exceptions import HTTPError  # noqa: PLC0415  comes with docker

        with _asking("give the log"):
            container = self._engine.containers.get(job)
            try:
                yield from docker_reading.lines(container.logs(stream=True, follow=follow))
            except HTTPError as why:
                raise RvexpError(f"the log of {job} broke off: {why}", hint=f"git rvexp logs {job}") from why

    def _login(self, ref: str) -> dict[str, str]:
        found = login(Repository.parse(ref.partition("@")[0]), self._settings, self._environ)
        return {"username": found.user, "password": found.password} if found else {}

    def _info(self) -> dict[str, Any]:
        with _asking("describe itself"):
            return dict(self._engine.info())

    def _inspect(self, name: str) -> dict[str, Any] | None:
        from docker.errors import NotFound, NullResource  # noqa: PLC0415  114 ms of CPU

        with _asking("describe a container"):
            try:
                return dict(self._engine.api.inspect_container(name))
            except (NotFound, NullResource):
                return None

    def _not_made(self, plan: Plan, why: Any) -> RvexpError:
        """What a failed `create` means: the engine answered, so whether the container is there can be asked."""
        try:
            if self.find(plan):
                return UnsureError(f"a container named {plan.job_name} exists already")
        except RvexpError:
            return _lost(plan, why)
        return RefusedError(f"the Docker engine refused job {plan.job_name}: {why.explanation}")

    def _not_started(self, plan: Plan, container: Any, why: Any) -> RvexpError:
        """What a failed `start` means; a container that never ran is removed, so that no job is left."""
        from docker.errors import DockerException  # noqa: PLC0415  114 ms of CPU

        try:
            container.reload()
            if container.status != "created":
                return _lost(plan, why)
            container.remove()
        except (DockerException, OSError):
            return _lost(plan, why)
        return RefusedError(f"the Docker engine could not start job {plan.job_name}: {why.explanation}")

    def _tended(self, seen: dict[str, Any], now: float) -> dict[str, Any] | None:
        if limit := docker_reading.overdue(seen, now):
            self._stop(seen["Id"], f"over its time limit of {limit} s")
        elif self._abandoned(seen, now):
            with _asking(f"start {seen['Name']}"):
                self._engine.api.start(seen["Id"])
        else:
            return None
        return self._inspect(seen["Id"])

    def _abandoned(self, seen: dict[str, Any], now: float) -> bool:
        made = docker_reading.epoch(seen["Created"]) or now
        return docker_reading.never_started(seen) and now - made > self._late and not self._stopped_for(seen)

    def _stop(self, job: str, reason: str) -> None:
        with _asking(f"stop {job}"):
            self._engine.api.put_archive(job, "/", docker_remark.written(reason))
            self._engine.api.stop(job, timeout=GRACE)

    def _stopped_for(self, seen: dict[str, Any]) -> str:
        from docker.errors import NotFound  # noqa: PLC0415  114 ms of CPU

        if seen["State"]["Running"]:
            return ""
        with _asking("say why it stopped"):
            try:
                chunks, _ = self._engine.api.get_archive(seen["Id"], docker_remark.PATH)
            except NotFound:
                return ""
            return docker_remark.read(b"".join(chunks))


def _run_of(seen: Mapping[str, Any]) -> str:
    return str((seen["Config"]["Labels"] or {}).get(docker_asking.RUN, ""))


def _lost(plan: Plan, why: Exception) -> UnsureError:
    return UnsureError(f"the Docker engine's answer about job {plan.job_name} was lost: {why}")


def _pull_failed(ref: str, text: str) -> RvexpError:
    if any(sign in text.lower() for sign in ("unauthorized", "denied", "no basic auth")):
        host = ref.partition("/")[0]
        return CredentialsError(f"{host} does not let us pull {ref}: {text}", hint=f"docker login {host}")
    return RefusedError(f"{ref} cannot be pulled: {text}")


@contextlib.contextmanager
def _asking(what: str) -> Iterator[None]:
    """Turn the engine's and the connection's errors into ours."""
    from docker.errors import DockerException  # noqa: PLC0415  114 ms of CPU

    try:
        yield
    except (DockerException, OSError) as why:
        raise RvexpError(f"the Docker engine did not {what}: {why}", hint="git rvexp doctor") from why
