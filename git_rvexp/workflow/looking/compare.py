"""What differs between two snapshots or runs: code, image, definition, request, data, outcome, metrics; nothing else.

Variables whose names begin with RVEXP_, those that a plan lists as its `links`, and the one that follows from the seed
differ by nature and are not compared. No executor or registry is asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from git_rvexp.git.catalogue import tag_names
from git_rvexp.record.events import Event, Record
from git_rvexp.record.runs import Run
from git_rvexp.terms import Json, Snapshot
from git_rvexp.workflow.choose import choice
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.looking import holdings, metrics
from git_rvexp.workflow.looking.change import Change, between
from git_rvexp.workflow.looking.request import FIELDS, WAITS, ours_by_nature

_OUTCOME = ("state", "exit", "seconds", "reason", "instance")


@dataclass(frozen=True)
class Side:
    """One of the two: a snapshot, its record, and the run meant (the last one of a snapshot, if it has any)."""

    snapshot: Snapshot
    record: Record
    run: Run | None


@dataclass(frozen=True)
class Difference:
    """All of it. `files` are git's status letter and path of each file that differs."""

    left: Side
    right: Side
    files: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.files or self.changes)


def sides(context: Context, *texts: str) -> list[Side]:
    """What a person means by tags or runs."""
    names = tag_names(context.repo)
    found = [choice(context, text, names) for text in texts]
    return [Side(each.snapshot, each.record, each.runs[-1] if each.runs else None) for each in found]


def difference(context: Context, left: Side, right: Side) -> Difference:
    """What differs between two sides."""
    return Difference(left, right, tuple(_files(context, left, right)), tuple(_changes(context, left, right)))


def patch(context: Context, left: Side, right: Side, *, stat: bool) -> str:
    """The code's difference as git shows it, whole or as a list of files; no program of the user's is run for it."""
    shape = "--stat=100" if stat else "--patch"
    safe = ("--no-ext-diff", "--no-textconv", "--no-color")
    return context.repo.git("diff", shape, *safe, left.snapshot.commit, right.snapshot.commit).text


def _files(context: Context, left: Side, right: Side) -> Iterator[tuple[str, str]]:
    if left.snapshot.commit == right.snapshot.commit:
        return
    ids = (left.snapshot.commit, right.snapshot.commit)
    words = context.repo.git("diff-tree", "-r", "-z", "--no-renames", "--name-status", *ids).text.split("\0")
    yield from zip(words[0::2], words[1::2], strict=False)


def _changes(context: Context, left: Side, right: Side) -> Iterator[Change]:
    yield from between("base", *(_of(s.record.last("snapshot"), "base") for s in (left, right)))
    yield from between("image", *(_image(s) for s in (left, right)))
    bodies = [_leaves(_of(_definition(s), "body")) for s in (left, right)]
    for path in dict.fromkeys([*bodies[0], *bodies[1]]):
        yield from between(f"definition {path}", bodies[0].get(path), bodies[1].get(path))
    for key in FIELDS:
        yield from between(key.replace("_", " "), *(_planned(s, key) for s in (left, right)))
    yield from holdings.changes(context.repo, left.run, right.run)
    yield from between("metrics", *(dict(metrics.told(s.run)) if s.run else {} for s in (left, right)))
    for key in _OUTCOME:
        yield from between(key, *(_outcome(s.run, key) if s.run else None for s in (left, right)))


def _of(event: Event | None, key: str) -> Json:
    return event.get(key) if event else None


def _outcome(run: Run, key: str) -> Json:
    ended = run.first("ended")
    return run.word if ended and key == "state" else _of(ended, key)


def _image(side: Side) -> Json:
    """What the run uses; of a snapshot without runs, what was published last."""
    return (side.run.planned.get("image") if side.run else None) or _of(side.record.last("image"), "ref")


def _definition(side: Side) -> Event | None:
    """The definition that the run uses, where the record tells of it; else the last one."""
    used = side.run.planned.get("definition") if side.run else None
    named = [e for e in side.record.of("definition") if e.get("arn") == used]
    return named[-1] if named else side.record.last("definition")


def _planned(side: Side, key: str) -> Json:
    value = side.run.planned.get(key) if side.run else None
    if key == "env" and side.run and isinstance(value, dict):
        ours = ours_by_nature(side.run.planned)
        return {name: text for name, text in value.items() if name not in ours}
    return _steps(side.record, value) if key in WAITS and isinstance(value, list) else value


def _steps(record: Record, awaited: list[Json]) -> list[str]:
    """The runs that one waits for, by the steps of its chain that they are: ids differ by nature."""
    steps = {e.get("run"): f"step {e.get('step')}" for e in record.of("planned") if e.get("step")}
    return [steps.get(run, str(run)) for run in awaited]


def _leaves(body: Json, path: str = "") -> dict[str, Json]:
    """A definition's body as dotted path -> value; the image and our own tags have lines of their own."""
    if isinstance(body, Mapping):
        items = [(f"{path}.{key}" if path else str(key), value) for key, value in body.items()]
    elif isinstance(body, list) and any(isinstance(v, dict | list) for v in body):
        items = [(f"{path}[{n}]", value) for n, value in enumerate(body)]
    else:
        return {} if body is None or path.endswith(".image") or path.startswith("tags.rvexp:") else {path: body}
    return {leaf: value for where, inner in items for leaf, value in _leaves(inner, where).items()}
