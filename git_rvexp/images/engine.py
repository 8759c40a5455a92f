"""The door to the Docker engine for images: find, build with the classic builder, tag, push; and Docker's config.

The only import of the docker package in this room, made where it is used. What to build and why is decided in
`images.build` and the workflow; containers are `executors.docker`'s.
"""

import contextlib
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from git_rvexp import homes
from git_rvexp.errors import CredentialsError, RvexpError
from git_rvexp.model import Json
from git_rvexp.names import Digest

_PATIENCE = 300  # seconds the engine may be silent; a build may be silent for as long as its step takes
_HUB = "docker.io"
_LINK = 1 << 27  # of a file's mode, as Go has it
Hear = Callable[[Mapping[str, Json]], None]


@dataclass(frozen=True)
class Local:
    """An image as the engine has it. `pushed` are the `repository@digest` it is known by."""

    id: Digest
    labels: Mapping[str, str]
    platform: str
    tags: tuple[str, ...]
    pushed: tuple[str, ...]


@dataclass(frozen=True)
class Engine:
    """One Docker engine. `client` is a `docker.DockerClient`, for those who run containers."""

    client: Any
    environ: Mapping[str, str]

    @classmethod
    def connect(cls, environ: Mapping[str, str]) -> "Engine":
        """The engine that the docker command would talk to. RvexpError when none answers."""
        import docker  # noqa: PLC0415  114 ms of CPU

        place = environ.get("DOCKER_HOST") or "the usual place (DOCKER_HOST is not set)"
        try:
            client = docker.DockerClient.from_env(environment=dict(environ), timeout=_PATIENCE)
            client.ping()
        except (docker.errors.DockerException, OSError, ValueError) as why:
            raise RvexpError(
                f"no Docker engine answers at {place}\n  {_cause(why)}",
                hint="git rvexp doctor",
            ) from why
        return cls(client, environ)

    def find(self, labels: Mapping[str, str]) -> list[Local]:
        """The images that carry all `labels`, newest first."""
        first = [f"{k}={v}" for k, v in labels.items()][:1]  # with more than one, Podman (4.3.1) finds nothing
        with asking("look for images"):
            told = self.client.api.images(filters={"label": first})
        ids = [i["Id"] for i in told if labels.items() <= (i.get("Labels") or {}).items()]
        found = (self.inspect(i) for i in ids)
        return [image for image in found if image is not None]

    def inspect(self, name: str) -> Local | None:
        """An image by id, tag or `repository@digest`; None when the engine lacks it."""
        import docker  # noqa: PLC0415

        with asking(f"look at the image {name}"):
            try:
                seen = self.client.api.inspect_image(name)
            except docker.errors.ImageNotFound:
                return None
        return Local(
            id=Digest(seen["Id"]),
            labels=(seen.get("Config") or {}).get("Labels") or {},
            platform="/".join(filter(None, (seen["Os"], seen["Architecture"], seen.get("Variant")))),
            tags=tuple(seen.get("RepoTags") or ()),
            pushed=tuple(seen.get("RepoDigests") or ()),
        )

    def tag(self, image: Digest, repository: str, tag: str) -> None:
        """Give the image a name; what had the name before loses it."""
        with asking(f"tag {repository}:{tag}"):
            self.client.api.tag(str(image), repository, tag, force=True)

    @contextlib.contextmanager
    def container(self, image: Digest) -> Iterator[str]:
        """A container of `image` that is never started, to be looked into; it is removed afterwards."""
        with asking(f"make a container of {image}"):
            made = str(self.client.api.create_container(str(image), command=["true"], network_disabled=True)["Id"])
        try:
            yield made
        finally:
            with asking(f"remove the container {made}"):
                self.client.api.remove_container(made, force=True, v=True)

    def content(self, name: str) -> tuple[Mapping[str, Json], Sequence[str]] | None:
        """An image's configuration and its layers (as diff ids); None when the engine lacks it."""
        import docker  # noqa: PLC0415

        with asking(f"look at the image {name}"):
            try:
                seen = self.client.api.inspect_image(name)
            except docker.errors.ImageNotFound:
                return None
        return seen.get("Config") or {}, (seen.get("RootFS") or {}).get("Layers") or []

    def files(self, container: str) -> Iterator[bytes]:
        """A tar of a container's whole file system."""
        with asking(f"read the container {container}"):
            yield from self.client.api.export(container)

    def given(self, container: str) -> Mapping[str, Json]:
        """What a container's command was given, in the engine's words: WorkingDir, Env (NAME=VALUE), and more."""
        with asking(f"look at the container {container}"):
            return dict(self.client.api.inspect_container(container)["Config"])

    def archive(self, container: str, path: str) -> tuple[Iterator[bytes], str] | None:
        """A tar of what is at `path` in a container, running or ended, and where it leads if it is a link, else "".

        None when nothing is there. RvexpError, here and while it is read, when the engine breaks off.
        """
        import docker  # noqa: PLC0415

        with asking(f"read {path} in the container {container}"):
            try:
                chunks, seen = self.client.api.get_archive(container, path)
            except docker.errors.NotFound:
                self.client.api.inspect_container(container)  # nothing there is an answer; no container is none
                return None
        leads = str(seen.get("linkTarget", "")) if seen and int(seen.get("mode", 0)) & _LINK else ""
        return _flowing(chunks, f"read {path} in the container {container}"), leads

    def build(self, context: IO[bytes], options: Mapping[str, Any]) -> Iterator[Mapping[str, Json]]:
        """Build with the classic builder; the engine's lines as they come, an `error` one among them at failure."""
        import docker  # noqa: PLC0415

        try:
            yield from self.client.api.build(
                fileobj=context, custom_context=True, decode=True, rm=True, forcerm=True, timeout=None, **options
            )
        except docker.errors.APIError as why:
            yield {"error": str(why.explanation or why)}
        except (docker.errors.DockerException, OSError) as why:
            yield {"error": f"the engine broke off: {_cause(why)}"}

    def pull(self, name: str, platform: str, login: tuple[str, str] | None, hear: Hear) -> None:
        """Get `repository@digest` from its registry, of an index the image for `platform` ("": the engine's own).

        RvexpError with the engine's words when that fails.
        """
        repository, _, digest = name.partition("@")
        account = {"username": login[0], "password": login[1]} if login else {}
        asked = {"tag": digest, "platform": platform or None, "auth_config": account}
        with asking(f"pull {name}"):
            for line in self.client.api.pull(repository, stream=True, decode=True, **asked):
                if "error" in line:
                    raise RvexpError(f"the Docker engine could not pull {name}\n  {line['error']}")
                hear(line)

    def drop(self, name: str) -> None:
        """Take the name `repository:tag` from its image, and the image too when nothing else names it."""
        with asking(f"remove {name}"):
            self.client.api.remove_image(name)

    def push(self, repository: str, tag: str, login: tuple[str, str] | None, hear: Hear) -> Digest:
        """Push `repository:tag` and return the manifest digest the engine reports.

        RvexpError with the registry's words when it fails; CredentialsError when they are about the login.
        """
        account = {"username": login[0], "password": login[1]} if login else {}
        digest = ""
        with asking(f"push {repository}:{tag}"):
            for line in self.client.api.push(repository, tag, stream=True, decode=True, auth_config=account):
                if "error" in line:
                    raise _push_failed(f"{repository}:{tag}", str(line["error"]))
                digest = _pushed(line, tag) or digest
                hear(line)
        if not digest:
            raise RvexpError(
                f"the push of {repository}:{tag} ended without a digest: it was cut short", hint="git rvexp publish"
            )
        return Digest(digest)


def stored_login(host: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """User and password that `docker login` or a credential helper keeps for `host`; None when there is none."""
    import docker.auth  # noqa: PLC0415
    import docker.errors  # noqa: PLC0415

    try:
        config = docker.auth.load_config(config_path=str(homes.docker(environ)), credstore_env=dict(environ))
        found = config.resolve_authconfig(_HUB if host == _HUB else host) or {}
    except (docker.errors.DockerException, OSError) as why:
        raise CredentialsError(
            f"the login for {host} cannot be read: {_cause(why)}", hint=f"docker login {host}"
        ) from why
    plain = {k.lower(): v for k, v in found.items()}
    if plain.get("identitytoken"):
        raise CredentialsError(
            f"the login for {host} is an identity token", hint=f"docker login {host} with a password"
        )
    user, password = plain.get("username"), plain.get("password")
    return (str(user), str(password)) if user and password else None


@contextlib.contextmanager
def asking(what: str) -> Iterator[None]:
    """What goes wrong in the block, a broken tar too, becomes an RvexpError that says what the engine was to do."""
    import docker  # noqa: PLC0415

    try:
        yield
    except (docker.errors.DockerException, OSError, tarfile.TarError) as why:
        raise RvexpError(f"the Docker engine could not {what}\n  {_cause(why)}", hint="git rvexp doctor") from why


def _flowing(chunks: Iterator[bytes], what: str) -> Iterator[bytes]:
    """An answer that comes piece by piece: the engine may break off at any of them."""
    with asking(what):
        yield from chunks


def _pushed(line: Mapping[str, Json], tag: str) -> str:
    """The digest that a line of a push tells; "" when it tells none. The containerd store says it in words only."""
    told = re.fullmatch(rf"{re.escape(tag)}: digest: (sha256:[0-9a-f]{{64}}) size: \d+", str(line.get("status", "")))
    return str((line.get("aux") or {}).get("Digest", told[1] if told else ""))


def _push_failed(name: str, told: str) -> RvexpError:
    host = name.split("/", maxsplit=1)[0]
    low = told.lower()
    if any(word in low for word in ("unauthorized", "authentication required", "no basic auth", "denied")):
        return CredentialsError(f"the registry refused the push of {name}\n  {told}", hint=f"docker login {host}")
    return RvexpError(f"the push of {name} failed\n  {told}", hint="git rvexp publish (what arrived is kept)")


def _cause(why: BaseException) -> str:
    """The innermost reason: the docker package wraps urllib3, which wraps the system's words."""
    text = str(getattr(why, "explanation", None) or why)
    inner: Sequence[BaseException] = [why]
    while inner[-1].__cause__ or inner[-1].__context__:
        inner = [*inner, inner[-1].__cause__ or inner[-1].__context__]  # type: ignore[list-item]
    told = [e.strerror for e in inner if isinstance(e, OSError) and e.strerror]
    return told[-1] if told else text
