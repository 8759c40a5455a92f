"""The door to a Docker engine for containers: images at hand, containers made, started, listed, stopped, read.

The only import of the docker package in this room. Errors come out as ours: RefusedError when the engine answered and
nothing runs, UnsureError when its answer was lost. What the calls are for is `docker`'s business.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from git_rvexp.errors import CredentialsError, RvexpError
from git_rvexp.executors import docker_reading, docker_remark
from git_rvexp.executors.protocol import RefusedError, UnsureError
from git_rvexp.images.credentials import login
from git_rvexp.images.engine import Engine
from git_rvexp.images.heard import Heard
from git_rvexp.images.reference import Repository
from git_rvexp.progress import Progress
from git_rvexp.settings import Settings

GRACE = 30  # seconds between SIGTERM and SIGKILL, as on Batch


class Containers:
    """The containers of the engine that `environ` names. What is seen is what `docker inspect` shows."""

    def __init__(
        self, environ: Mapping[str, str], settings: Settings, say: Callable[[str], None], progress: Progress
    ) -> None:
        """Connect. RvexpError when no engine answers."""
        self._engine = Engine.connect(environ).client
        self._environ = environ
        self._settings = settings
        self._say = say
        self._progress = progress

    def info(self) -> dict[str, Any]:
        """The engine's own description, `docker info`."""
        with _asking("describe itself"):
            return dict(self._engine.info())

    def ensure_image(self, ref: str) -> Mapping[str, Any]:
        """`docker inspect` of an image, pulled by digest when the engine lacks it."""
        from docker.errors import APIError, ImageNotFound  # noqa: PLC0415  114 ms of CPU

        with _asking("find the image"), contextlib.suppress(ImageNotFound):
            return dict(self._engine.images.get(ref).attrs)
        if "@" not in ref:
            raise RefusedError(f"the Docker engine of {self.info()['Name']} has no image {ref}")
        self._say(f"pulling {ref}")
        with _asking("pull the image"), self._progress(f"pulling {ref}", 0, "") as step:
            heard = Heard(step)
            try:
                for line in self._engine.api.pull(ref, stream=True, decode=True, auth_config=self._login(ref)):
                    if "error" in line:
                        raise _pull_failed(ref, line["error"])
                    heard.hear(line)
            except APIError as why:
                raise _pull_failed(ref, str(why.explanation)) from why
            return dict(self._engine.images.get(ref).attrs)

    def inspect(self, name: str) -> dict[str, Any] | None:
        """A container by name or id; None when there is none."""
        from docker.errors import NotFound, NullResource  # noqa: PLC0415  114 ms of CPU

        with _asking("describe a container"):
            try:
                return dict(self._engine.api.inspect_container(name))
            except (NotFound, NullResource):
                return None

    def listed(self, label: str) -> list[Mapping[str, Any]]:
        """What `docker ps --all` knows of the containers with a label (KEY=VALUE)."""
        with _asking("list its containers"):
            return list(self._engine.api.containers(all=True, filters={"label": [label]}))

    def create(self, request: Mapping[str, Any]) -> str:
        """Make a container, with the arguments of `containers.create`; its id."""
        from docker.errors import APIError, DockerException  # noqa: PLC0415  114 ms of CPU

        name = request["name"]
        try:
            return str(self._engine.containers.create(**request).id)
        except APIError as why:
            raise RefusedError(f"the Docker engine refused job {name}: {why.explanation}") from why
        except (DockerException, OSError) as why:
            raise lost(name, why) from why

    def start(self, container: str, name: str) -> None:
        """Start a container. RefusedError when it was not started and can be removed."""
        from docker.errors import APIError, DockerException  # noqa: PLC0415  114 ms of CPU

        try:
            self._engine.api.start(container)
        except APIError as why:
            if self._stands(container) != "created":
                raise lost(name, why) from why
            raise RefusedError(f"the Docker engine could not start job {name}: {why.explanation}") from why
        except (DockerException, OSError) as why:
            raise lost(name, why) from why

    def remove(self, container: str) -> None:
        """Remove a container that is not running."""
        with _asking(f"remove {container}"):
            self._engine.api.remove_container(container)

    def stop(self, container: str, reason: str) -> None:
        """Write the reason into a container and stop it: SIGTERM, and SIGKILL after GRACE seconds."""
        with _asking(f"stop {container}"):
            self._engine.api.put_archive(container, "/", docker_remark.written(reason))
            self._engine.api.stop(container, timeout=GRACE)

    def stopped_for(self, container: str) -> str:
        """Why we stopped a container; empty when we did not."""
        from docker.errors import NotFound  # noqa: PLC0415  114 ms of CPU

        with _asking("say why it stopped"):
            try:
                chunks, _ = self._engine.api.get_archive(container, docker_remark.PATH)
            except NotFound:
                return ""
            return docker_remark.read(b"".join(chunks))

    def lines(self, container: str, *, follow: bool, since: float = 0) -> Iterator[str]:
        """Lines of stdout and stderr in the order they came; with `follow` until the container stops."""
        from urllib3.exceptions import HTTPError  # noqa: PLC0415  comes with docker

        with _asking("give the log"):
            found = self._engine.containers.get(container)
            try:
                yield from docker_reading.lines(found.logs(stream=True, follow=follow, since=since or None))
            except HTTPError as why:
                raise RvexpError(f"the log of {container} broke off: {why}", hint="git rvexp logs") from why

    def _stands(self, container: str) -> str:
        """A container's status; empty when it cannot be told."""
        try:
            seen = self.inspect(container)
        except RvexpError:
            return ""
        return str(seen["State"]["Status"]) if seen else ""

    def _login(self, ref: str) -> dict[str, str]:
        found = login(Repository.parse(ref.partition("@")[0]), self._settings, self._environ)
        return {"username": found.user, "password": found.password} if found else {}


def lost(name: str, why: Exception) -> UnsureError:
    """The error for a call about job `name` whose answer nobody knows."""
    return UnsureError(f"the Docker engine's answer about job {name} was lost: {why}")


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
