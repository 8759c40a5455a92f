"""A small client of the registry API (OCI distribution spec 1.1, Docker registry v2): what is there, by digest.

Every byte that decides something is hashed here and not believed: manifests against their digest, configs against
the manifest. Pushing images is the engine's work; it has the layers.
"""

import contextlib
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from git_rvexp import http
from git_rvexp.connections import Connections
from git_rvexp.errors import CredentialsError, RvexpError
from git_rvexp.images.attempts import PASSING, AgainError, asked_pause, insisting, reason
from git_rvexp.images.challenge import chosen
from git_rvexp.images.credentials import Login
from git_rvexp.images.kept import Kept
from git_rvexp.images.platform import Platform
from git_rvexp.images.reference import Repository
from git_rvexp.images.shape import checked_config, checked_manifest, json_object
from git_rvexp.model import Json
from git_rvexp.names import Digest

_DOCKER = "application/vnd.docker.distribution.manifest"
_OCI = "application/vnd.oci.image"
_ACCEPT = f"{_OCI}.manifest.v1+json, {_OCI}.index.v1+json, {_DOCKER}.v2+json, {_DOCKER}.list.v2+json"
_JSON_LIMIT = http.Limits(size=8 << 20)


class AlteredError(RvexpError):
    """The registry sent bytes that are not what their digest names."""


class GoneError(RvexpError):
    """The registry answered, and does not have what was asked for."""


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index as the registry sent it; `digest` is the hash of `body`."""

    digest: Digest
    media_type: str
    body: bytes
    content: Mapping[str, Json] = field(repr=False)

    @classmethod
    def of(cls, body: bytes, told: str = "") -> "Manifest":
        """The manifest whose bytes are `body`; `told` is its media type where it does not say so itself."""
        content = json_object(body, "the manifest")
        if content.get("schemaVersion") != 2:
            raise RvexpError("the registry sent a manifest of an old kind (schema 1), which names no image id")
        checked_manifest(content)
        return cls(Digest.of(body), str(content.get("mediaType") or told), body, content)

    @property
    def children(self) -> list[Mapping[str, Json]]:
        """An index's manifests; empty for an image's own manifest."""
        return list(self.content.get("manifests") or [])

    @property
    def config(self) -> Digest:
        """The image's config, whose digest is the image id. UsageError for an index."""
        return Digest(str((self.content.get("config") or {}).get("digest")))


@dataclass
class Registry:
    """One repository through the registry's API, with at most one login. Remembers its token while it lives.

    `kept` is where small blobs are kept between calls, for those who ask for the same ones again.
    """

    repository: Repository
    login: Login | None = None
    kept: Kept | None = None
    _authorization: str = field(default="", repr=False)
    _connections: Connections = field(default_factory=Connections, repr=False)

    def __post_init__(self) -> None:
        """ECR takes its login as Basic, and need not be asked for the way first.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
        """
        if self.login and self.repository.is_ecr:
            self._authorization = http.basic(self.login.user, self.login.password)

    @property
    def settled(self) -> bool:
        """Whether it is known how to log in, so that requests need no answer 401 first: as far as one can tell."""
        return self.login is None or bool(self._authorization)

    def ping(self) -> None:
        """Raise unless the registry answers and takes the login."""
        with self.send("GET", "/v2/") as answer:
            self.expect(answer, "it does not answer as a registry")

    def resolve(self, reference: str) -> Manifest | None:
        """The manifest that a tag (or a digest) names now; None when there is none."""
        what = f"{self.repository}:{reference} cannot be read"
        answer, body = self._got(self.path("manifests", reference), what, {"Accept": _ACCEPT})
        if answer.status == 404:
            self._missing(body)
            return None
        manifest = Manifest.of(body, answer.headers.get("content-type", ""))
        told = answer.headers.get("docker-content-digest", str(manifest.digest))
        wanted = reference if reference.startswith("sha256:") else told
        if str(manifest.digest) != wanted:
            raise AlteredError(
                f"the registry {self.repository.host} sent another manifest than {wanted}\n"
                f"  what arrived hashes to {manifest.digest}: altered on the way, or in the registry",
                hint=f"skopeo inspect docker://{self.repository}@{wanted}",
            )
        return manifest

    def fetch(self, digest: Digest) -> Manifest:
        """The manifest named `digest`, read again and hashed. RvexpError when it is gone or another."""
        found = self.resolve(str(digest))
        if found is None:
            raise GoneError(f"the registry has no {self.repository}@{digest}", hint="git rvexp publish")
        return found

    def for_platform(self, manifest: Manifest, platform: str) -> Manifest:
        """The image's own manifest: `manifest`, or the one for `platform` (`os/arch[/variant]`) in an index."""
        return self.fetch(self.child(manifest, platform)) if manifest.children else manifest

    def child(self, index: Manifest, platform: str) -> Digest:
        """The manifest for `platform` in an index, the first where several are the same. RvexpError when none is."""
        offered = {Platform.of(c.get("platform") or {}): str(c["digest"]) for c in reversed(index.children)}
        best = Platform.parse(platform).best(offered)
        if best is None:
            raise RvexpError(f"{self.repository}@{index.digest} holds no image for {platform}")
        return Digest(offered[best])

    def config(self, manifest: Manifest) -> Mapping[str, Json]:
        """The image's config document, hashed against the manifest's word."""
        content = json_object(self.blob(manifest.config), f"the config {manifest.config}")
        checked_config(content)
        return content

    def blob(self, digest: Digest) -> bytes:
        """A small blob's bytes, hashed; from this clone when they are kept here."""
        known = self.kept.get(digest) if self.kept else None
        if known is not None:
            return known
        what = f"the blob {digest} of {self.repository} cannot be read"
        answer, body = self._got(self.path("blobs", str(digest)), what)
        if answer.status == 404:
            raise GoneError(f"the blob {digest} is gone from {self.repository}")
        if Digest.of(body) != digest:
            raise AlteredError(f"the registry sent another blob than {digest} for {self.repository}")
        if self.kept:
            self.kept.put(body)
        return body

    def _got(self, path: str, what: str, headers: Mapping[str, str] | None = None) -> tuple[http.Answer, bytes]:
        """What is at `path`, or the answer that nothing is; asked for again where the registry cannot answer now."""

        def attempt() -> tuple[http.Answer, bytes]:
            with self.send("GET", path, headers=headers) as answer:
                body = answer.read()
            if answer.status != 404:
                self.expect(answer, what, body)
            return answer, body

        return insisting(attempt, on=(AgainError,))

    @contextlib.contextmanager
    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Callable[[], Iterable[bytes]] | None = None,
        limits: http.Limits = _JSON_LIMIT,
    ) -> Iterator[http.Answer]:
        """One request to the API, with the login the registry asks for (Basic, or its token). Any status returns.

        `path` may be an address that the registry gave; another host gets no login. A body that is made on call is
        made anew when the request is sent again.
        """
        url = path if "://" in path else self.repository.address + path
        ours = http.origin(url) == http.origin(self.repository.address)

        def ask() -> http.Opened:
            sent, kept = self._authorization if ours else "", self._connections
            return http.exchange(
                method, url, headers=headers, authorization=sent, body=body, limits=limits, through=kept
            )

        with ask() as answer:
            challenge = answer.headers.get("www-authenticate", "") if answer.status == 401 and ours else ""
            if not challenge:
                yield answer
                return
        self._authorization = self._answer(challenge)
        with ask() as answer:
            yield answer

    def _answer(self, header: str) -> str:
        """The Authorization value that the challenges of `header` ask for. CredentialsError when we have none."""
        challenge = chosen(header)
        if not challenge.usable:
            raise self._refused(f"it asks for {challenge.kind!r}, which is not known here")
        if challenge.kind == "basic":
            if self.login is None:
                raise self._refused("it asks for a login, and none is known")
            return http.basic(self.login.user, self.login.password)
        basic = http.basic(self.login.user, self.login.password) if self.login else ""
        place, kept = challenge.service, self._connections
        with http.exchange("GET", place, authorization=basic, limits=_JSON_LIMIT, through=kept) as answer:
            body = answer.read()
            if answer.status in (401, 403):
                raise self._refused("it refused the login")
            self.expect(answer, "its token service failed", body)
        token = json_object(body, "the registry's token")
        return f"Bearer {token.get('token') or token.get('access_token') or ''}"

    def expect(self, answer: http.Answer, what: str, body: bytes = b"") -> None:
        """Raise unless the status is a 2xx, with the registry's words.

        CredentialsError for 401 and 403, AgainError for what may pass.
        """
        if answer.ok:
            return
        if answer.status in (401, 403):
            raise self._refused("it refused the login" if self.login else "it asks for a login, and none is known")
        told = f"the registry {self.repository.host} failed: {what}\n  HTTP {answer.status}{reason(body)}"
        hint = "git rvexp doctor" if answer.status >= 500 else None
        if answer.status in PASSING:
            raise AgainError(told, hint=hint, after=asked_pause(answer.headers))
        raise RvexpError(told, hint=hint)

    def _refused(self, why: str) -> CredentialsError:
        login = "git rvexp doctor" if self.repository.is_ecr else f"docker login {self.repository.host}"
        return CredentialsError(f"no access to {self.repository}: {why}", hint=login)

    def _missing(self, body: bytes) -> None:
        """ECR makes no repository on push, so a missing one is an error now rather than later."""
        if self.repository.is_ecr and "NAME_UNKNOWN" in reason(body):
            raise GoneError(
                f"the repository {self.repository} does not exist",
                hint=f"aws ecr create-repository --repository-name {self.repository.name}",
            )

    def path(self, kind: str, reference: str) -> str:
        """Where the repository's `kind` (manifests, blobs) named `reference` is."""
        return f"/v2/{self.repository.name}/{kind}/{urllib.parse.quote(reference, safe='/:')}"
