"""What a run read and wrote, as recorded; what became of it by today is told by the checks beside."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from git_rvexp.data.manifest import SHOWN, Item, lines
from git_rvexp.git.plumbing import Repo
from git_rvexp.record.kept import kept
from git_rvexp.record.runs import Run
from git_rvexp.terms import Json
from git_rvexp.workflow.reporting.veil import Veil

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True)
class File:
    """A file of a manifest."""

    name: str
    size: str
    digest: str
    version: str


@dataclass(frozen=True)
class Place:
    """An input, or all outputs: its address, a summary, what threatens it or went wrong, and its first files."""

    name: str
    summary: str
    manifest: str
    remarks: tuple[str, ...]
    files: tuple[File, ...]
    more: int


def inputs(repo: Repo, run: Run, over: Veil) -> list[Place]:
    """The inputs that the plan names."""
    entries = run.planned.get("inputs")
    return (
        [_input(repo, entry, over) for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    )


def outputs(repo: Repo, run: Run, over: Veil) -> Place | None:
    """What it wrote to the places it declared; None when it declared none."""
    declared = run.planned.get("outputs")
    if not isinstance(declared, list):
        return None
    name, event = ", ".join(map(str, declared)), run.outputs
    if event is None:
        why = "never listed when the run ended" if run.first("ended") else "the run has not ended"
        return Place(name, why, "", (), (), 0)
    unread = event.get("unread")
    remarks = [f"{place}: {why}" for place, why in unread.items()] if isinstance(unread, dict) else []
    return _place(name, event.fields, tuple(remarks), list(_files(repo, event.fields, over)))


def changed(run: Run) -> list[str]:
    """Inputs that changed while it ran, as recorded when it ended."""
    event = run.first("inputs")
    told = event.get("changed") if event else None
    return [str(text) for text in told] if isinstance(told, list) else []


def size(told: Json) -> str:
    """Bytes in three digits and a unit."""
    if isinstance(told, bool) or not isinstance(told, int) or not 0 <= told < 10**18:
        return str(told)
    number, unit = float(told), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.3g} {_UNITS[unit]}"


def _input(repo: Repo, entry: Mapping[str, Json], over: Veil) -> Place:
    name = str(entry.get("uri", ""))
    if "manifest" not in entry:
        return Place(name, f"not listed: {entry.get('why', 'not looked at')}", "", (), (), 0)
    hazards = entry.get("hazards")
    remarks = tuple(str(h) for h in hazards) if isinstance(hazards, dict | list) else ()
    return _place(name, entry, remarks, list(_files(repo, entry, over)))


def _place(name: str, fields: Mapping[str, Json], remarks: tuple[str, ...], files: list[File]) -> Place:
    count = fields.get("count", 0)
    words = f"{count} file{'' if count == 1 else 's'}, {size(fields.get('bytes', 0))}"
    more = count - len(files) if isinstance(count, int) else 0
    return Place(name, words, str(fields.get("manifest", "")), remarks, tuple(files), max(more, 0))


def _files(repo: Repo, fields: Mapping[str, Json], over: Veil) -> Iterator[File]:
    """The first files of the manifest, which is kept by its content."""
    text = kept(repo, str(fields.get("kept", "")))
    for line in lines(text)[:SHOWN] if text else []:
        try:
            item = Item.parse(line)
        except ValueError:
            return  # the checks tell of a manifest that cannot be read
        yield File(over.text(item.name), size(item.size), item.digest, item.version)
