"""What is asked of the registry while the snapshot is still being read: what the tag names, and room for blobs.

Round trips are most of what a small change costs on a slow link, so they are made beside the work and not after it.
Nothing is asked twice for it. Room is asked for when there is nothing under the names that were looked for, or at the
same time when that is to be expected: a place that nobody sends to costs nothing and is dropped by the registry. Where
blobs need no room (`places`), none is asked for.
"""

import threading
from collections.abc import Iterable

from git_rvexp.errors import RvexpError
from git_rvexp.images import places
from git_rvexp.images.registry import Manifest, Registry


class Ahead:
    """The first of `references` that the registry has; and, with `sending`, places for blobs.

    With `fresh` nothing is expected to be there, so that the places are asked for at once.
    """

    def __init__(self, registry: Registry, references: Iterable[str], *, sending: bool, fresh: bool = False) -> None:
        self._registry, self._references, self._sending = registry, list(references), sending
        self._fresh = fresh
        self._found: Manifest | None = None
        self._failed: RvexpError | None = None
        self._places: list[str] = []
        self._looked = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def found(self) -> Manifest | None:
        """The manifest, or None; the error that looking ended with."""
        self._looked.wait()
        if self._failed:
            raise self._failed
        return self._found

    def places(self) -> list[str]:
        """Where blobs may be sent, as many as could be had: the sender asks again for what is missing."""
        self._thread.join()
        return self._places

    def _run(self) -> None:
        wanted = places.wanted(self._registry) if self._sending else 0
        asking = [threading.Thread(target=self._begin, daemon=True) for _ in range(wanted)]
        if self._fresh:
            _start(asking)
        self._look()
        if not self._fresh and not self._found and not self._failed:
            _start(asking)
        for thread in asking:
            if thread.ident:
                thread.join()

    def _look(self) -> None:
        try:
            found = (self._registry.resolve(reference) for reference in self._references)
            self._found = next((manifest for manifest in found if manifest is not None), None)
        except RvexpError as why:
            self._failed = why
        finally:
            self._looked.set()

    def _begin(self) -> None:
        try:
            self._places.append(places.begun(self._registry))
        except RvexpError:  # told, and tried again, when the blob is sent
            return


def _start(threads: Iterable[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
