"""Manifests: what a run read or wrote, one line per file, sorted by name, so that two can be compared as streams.

A line is `name <tab> size <tab> digest <tab> version`. A digest says what kind it is: `sha256:…` and the other
checksums name the bytes, `etag:…` is the MD5 of a plain S3 upload, `opaque:…` changes with every upload, `link:…` is
where a symbolic link points whose target is in the manifest too, `outside:…` the same of one whose target is not:
nothing is known of its content. Where the files come from is not known here.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from git_rvexp.data.linked import OUTSIDE
from git_rvexp.names import Digest
from git_rvexp.quoting import quoted

KEPT_MOST = 5_000_000
"""Bytes of a manifest that still goes into the record; of a larger one the record holds the hash."""
SHOWN = 20
"""Entries that are told one by one."""


class Item(NamedTuple):
    """One file: its name as it was declared or found, bytes, digest, and S3's version id where there is one."""

    name: str
    size: int
    digest: str
    version: str = ""

    def __str__(self) -> str:
        """The line, without its newline."""
        return f"{_escaped(self.name)}\t{self.size}\t{self.digest}\t{self.version}"

    @classmethod
    def parse(cls, line: str) -> "Item":
        """The file on `line`; ValueError when it is none."""
        name, size, digest, version = line.rstrip("\n").split("\t")
        return cls(_name(name), int(size), digest, version)


@dataclass(frozen=True)
class Manifest:
    """A list of files: its hash, how many and how large they are; its lines are on disk where they are many."""

    digest: Digest
    count: int
    size: int
    _spool: IO[bytes] = field(repr=False)
    _small: bool = field(repr=False)

    @property
    def text(self) -> str | None:
        """All lines; None where they are too many for the record."""
        return self.file().read().decode("utf-8", "surrogateescape") if self._small else None

    def file(self) -> IO[bytes]:
        """The lines as a file, from its beginning; there is only one, so nobody else may read meanwhile."""
        self._spool.seek(0)
        return self._spool

    def lines(self) -> Iterator[str]:
        """Each line, one after the other, as above."""
        return decoded(self.file())

    def items(self) -> Iterator[Item]:
        """The files, as above."""
        return map(Item.parse, self.lines())


def taken(items: Iterable[Item], *, most: int = KEPT_MOST) -> Manifest:
    """The manifest of `items`, which come sorted by name; of several of one name the first counts."""
    digest, count, size, length, before = hashlib.sha256(), 0, 0, 0, None
    spool: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=most)  # noqa: SIM115  closed with the manifest
    for item in items:
        if item.name == before:
            continue
        before = item.name
        line = f"{item}\n".encode("utf-8", "surrogateescape")
        digest.update(line)
        count, size, length = count + 1, size + item.size, length + len(line)
        spool.write(line)
    return Manifest(Digest(f"sha256:{digest.hexdigest()}"), count, size, spool, length <= most)


def decoded(file: IO[bytes]) -> Iterator[str]:
    """The lines of a manifest's file, each without its newline."""
    return (line.decode("utf-8", "surrogateescape").removesuffix("\n") for line in file)


def lines(text: str) -> list[str]:
    r"""The lines of a manifest's text; only `\n` ends one."""
    return text.removesuffix("\n").split("\n") if text else []


@dataclass
class Difference:
    """What became of the files of one manifest in another: counts, and at most SHOWN examples of each kind.

    `unknown`: the digests prove neither that the files are the same nor that they are not.
    """

    same: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[tuple[Item | None, Item | None]]] = field(default_factory=dict)

    def note(self, kind: str, old: Item | None, new: Item | None) -> None:
        """Count one file that is not the same."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        shown = self.examples.setdefault(kind, [])
        if len(shown) < SHOWN:
            shown.append((old, new))

    def __bool__(self) -> bool:
        return bool(self.counts)

    def words(self) -> str:
        """In one line for people: "2 changed (a, b), 1 missing (c)"."""
        told = []
        for kind, count in self.counts.items():
            names = [quoted((new or old).name) for old, new in self.examples[kind][:3] if new or old]  # type: ignore[union-attr]
            told.append(f"{count} {kind} ({', '.join(names)}{', …' if count > len(names) else ''})")
        return ", ".join(told)


Judge = Callable[[Item, Item], str]
_UNPROVEN = f"\t{OUTSIDE}:"
"""In a line that an equal one does not prove anything of; names have no tabs."""


def compare(old: Iterable[str], new: Iterable[str], judge: Judge | None = None) -> Difference:
    """How the manifest with the lines `new` differs from that with `old`; both are read once, in step.

    ValueError when a line is none or one of the streams is not sorted.
    """
    judged, found = judge or judgement, Difference()
    left, right = _Steps(old), _Steps(new)
    a, b = left.next(), right.next()
    same = 0
    while a is not None and b is not None:
        if a == b and _UNPROVEN not in a:
            same += 1
            a, b = left.next(), right.next()
            continue
        this, that = left.item(a), right.item(b)
        if this.name == that.name:
            verdict = judged(this, that)
            if verdict:
                found.note(verdict, this, that)
            else:
                same += 1
            a, b = left.next(), right.next()
        elif this.name < that.name:
            found.note("missing", this, None)
            a = left.next()
        else:
            found.note("extra", None, that)
            b = right.next()
    while a is not None:
        found.note("missing", left.item(a), None)
        a = left.next()
    while b is not None:
        found.note("extra", None, right.item(b))
        b = right.next()
    found.same = same
    return found


def judgement(old: Item, new: Item) -> str:
    """What two files of one name are to each other: "" for the same bytes, "changed", or "unknown"."""
    if old.version == new.version and old.version not in ("", "null"):
        return ""
    return by_content(old, new)


def by_content(old: Item, new: Item) -> str:
    """The same without version ids, which say nothing between two runs: another run writes another version."""
    if old.size != new.size:
        return "changed"
    if old.digest == new.digest:
        return "unknown" if old.digest.startswith(f"{OUTSIDE}:") else ""
    (kind, _, value), (other, _, now) = old.digest.partition(":"), new.digest.partition(":")
    kinds = {kind, other}
    if kinds == {"etag", "opaque"} and value == now:
        return ""  # an ETag either way
    return "changed" if len(kinds) == 1 and "opaque" not in kinds else "unknown"


class _Steps:
    """A stream of lines, each without its newline, whose order is checked where lines are looked into."""

    def __init__(self, source: Iterable[str]) -> None:
        self._next = iter(source).__next__
        self._last = ""

    def next(self) -> str | None:
        try:
            return self._next()
        except StopIteration:
            return None

    def item(self, line: str) -> Item:
        item = Item.parse(line)
        if item.name < self._last:
            raise ValueError(f"the manifest is not sorted: {item.name!r} after {self._last!r}")
        self._last = item.name
        return item


def _escaped(name: str) -> str:
    if name.isprintable() and "\\" not in name:
        return name
    return name.encode("unicode_escape").decode("ascii")


def _name(text: str) -> str:
    return text.encode("ascii").decode("unicode_escape") if "\\" in text else text
