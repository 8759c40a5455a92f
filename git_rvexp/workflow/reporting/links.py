"""The chain of an experiment as a page draws it: commit, tag, image, definition, job, each with the day's checks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from git_rvexp.record.events import Event, Record
from git_rvexp.record.runs import Run
from git_rvexp.workflow.reporting.checks import Checks
from git_rvexp.workflow.reporting.source import Source
from git_rvexp.workflow.verifying.link import Link

_WORST = ("bad", "unknown", "warn", "ok")
_OF_TAG = ("signature", "remote", "record", "archive")


@dataclass(frozen=True)
class Node:
    """A link of the chain: what it is, its name in the world, more about it, and what was found of it."""

    what: str
    name: str
    notes: tuple[str, ...]
    checks: tuple[Link, ...]
    checked: bool

    @property
    def kind(self) -> str:
        """The gravest of what was found; "" where nobody looked."""
        kinds = {link.kind for link in self.checks}
        return next((kind for kind in _WORST if kind in kinds), "")


def chain(source: Source, record: Record, run: Run | None) -> list[Node]:
    """The nodes, as far as the experiment got."""
    found = source.checked or Checks()
    return [
        Node(what, name, tuple(n for n in notes if n), tuple(links), source.checked is not None)
        for what, name, notes, links in _nodes(source, record, run, found)
        if name
    ]


_Raw = tuple[str, str, Sequence[str], Sequence[Link]]


def _nodes(source: Source, record: Record, run: Run | None, found: Checks) -> Iterator[_Raw]:
    about = source.about.snapshot
    first = record.last("snapshot")
    notes = [f"tree {about.tree}" if about.tree else "", _pair("on", first, "base"), _changes(first)]
    yield "commit", about.commit, notes, found.named("tag")
    yield "tag", about.tag, [f"object {about.oid}"], found.named(*_OF_TAG)
    image, ref = _image(record, run)
    about_image = [_pair("id", image, "id"), _pair("for", image, "platform"), _pair("from", image, "source")]
    yield "image", ref, about_image, found.image(ref)
    if run is None:
        return
    arn = str(run.planned.get("definition", ""))
    yield "definition", arn, [], found.run(run.run, "definition")
    told = [f"run {run.run}", f"on {run.executor}" if run.executor else "", str(run.planned.get("job_name", ""))]
    job = run.job or "none"
    yield "job", job, told, found.run(run.run, "plan", "job")


def _image(record: Record, run: Run | None) -> tuple[Event | None, str]:
    """The image that the run used, or the newest one; and what the record says of it."""
    used = str(run.planned.get("image", "")) if run else ""
    last = record.last("image")
    ref = used or (str(last.get("ref", "")) if last else "")
    return next((e for e in reversed(record.of("image")) if e.get("ref") == ref), None), ref


def _changes(first: Event | None) -> str:
    told = _pair("with", first, "changes")
    return "with nothing changed" if told == "with none" else told


def _pair(word: str, event: Event | None, key: str) -> str:
    value = str(event.get(key, "")) if event else ""
    return f"{word} {value}" if value else ""
