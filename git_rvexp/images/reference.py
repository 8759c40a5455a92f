"""Names of repositories in registries, read the way Docker reads them."""

import re
from typing import NamedTuple

from git_rvexp import http
from git_rvexp.ecrhosts import is_ecr
from git_rvexp.errors import UsageError

_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*")
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")


def parted(image: str) -> tuple[str, str, str]:
    """Repository, tag and digest of an image as `docker run` takes it; "" for what it does not say."""
    named, _, digest = image.partition("@")
    head, slash, last = named.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{head}{slash}{name}", tag, digest


class Repository(NamedTuple):
    """A repository of a registry. `host` may hold a port; `text` is how the user wrote both."""

    host: str
    name: str
    text: str

    @classmethod
    def parse(cls, text: str) -> "Repository":
        """`host[:port]/name`; without a host it is Docker Hub's. UsageError for a tag, a digest or bad letters."""
        first, slash, rest = text.partition("/")
        hosted = bool(slash) and ("." in first or ":" in first or first == "localhost")
        host, name = (first, rest) if hosted else ("docker.io", text if slash else f"library/{text}")
        if not _NAME.fullmatch(name) or not _HOST.fullmatch(host):
            raise UsageError(
                f"{text!r} is not a repository of a registry",
                hint="write it as host/name, without a tag, in lower case",
            )
        return cls(host, name, text)

    @property
    def bare_host(self) -> str:
        """The host without its port."""
        return self.host.rpartition(":")[0] if ":" in self.host.rpartition("]")[2] else self.host

    @property
    def is_ecr(self) -> bool:
        """Whether it is a private repository of Amazon ECR."""
        return is_ecr(self.host)

    @property
    def address(self) -> str:
        """Where its API answers. Plain http is for registries on this machine only, as with Docker."""
        if self.host == "docker.io":
            return "https://registry-1.docker.io"
        return f"{'http' if http.loopback(self.bare_host) else 'https'}://{self.host}"

    def __str__(self) -> str:
        return self.text
