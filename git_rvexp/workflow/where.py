"""From an executor's name to the executor."""

from collections.abc import Callable, Mapping

from git_rvexp.errors import UsageError
from git_rvexp.executors.protocol import Executor
from git_rvexp.progress import Progress, silent
from git_rvexp.settings import Settings


def executor_named(
    name: str,
    settings: Settings,
    environ: Mapping[str, str],
    say: Callable[[str], None] = lambda _line: None,
    progress: Progress = silent,
) -> Executor:
    """The executor called `name`; its library is loaded here and not before. The last two hear of pulls."""
    if name == "docker":
        from git_rvexp.executors.docker import DockerExecutor  # noqa: PLC0415  loads docker

        return DockerExecutor(environ, settings, say=say, progress=progress)
    if name == "batch":
        from git_rvexp.executors.batch import BatchExecutor  # noqa: PLC0415  loads botocore

        return BatchExecutor(settings)
    raise UsageError(f"the record names the executor {name!r}, which this program does not have")


def name_of(settings: Settings) -> str:
    """The executor that the settings choose."""
    return "batch" if settings.on_batch else "docker"
