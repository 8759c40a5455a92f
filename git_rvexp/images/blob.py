"""A named run of bytes that can be had as often as it is needed: what goes into registries, engines and bundles."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from git_rvexp.names import Digest


class Blob(NamedTuple):
    """Its name, its length in bytes, and how to get it."""

    digest: Digest
    size: int
    open: Callable[[], Iterable[bytes]]

    @classmethod
    def of(cls, data: bytes) -> "Blob":
        """A small one."""
        return cls(Digest.of(data), len(data), lambda: [data])
