"""What differs in the data of two runs: the inputs as they were planned, and the outputs, from the recorded manifests.

Manifests tell by their hashes whether anything differs; which files do is told where the record keeps both texts.
Nothing is listed anew: whether a place is still as it was is `verify`'s question.
"""

from collections.abc import Iterator, Mapping

from git_rvexp.git.plumbing import Repo
from git_rvexp.record.runs import Run
from git_rvexp.terms import Json
from git_rvexp.workflow.looking.change import Change, between

Entry = Mapping[str, Json]


def changes(repo: Repo, left: Run | None, right: Run | None) -> Iterator[Change]:
    """Each input that differs, by its address; what changed under a run while it ran; what they wrote."""
    reads = [_inputs(run) for run in (left, right)]
    for uri in dict.fromkeys([*reads[0], *reads[1]]):
        yield from _held(repo, f"input {uri}", reads[0].get(uri), reads[1].get(uri))
    yield from between("inputs changed during the run", *(_changed(run) for run in (left, right)))
    yield from between("outputs declared", *(run.planned.get("outputs") if run else None for run in (left, right)))
    yield from _held(repo, "outputs", *(_outputs(run) for run in (left, right)))


def _held(repo: Repo, what: str, left: Entry | None, right: Entry | None) -> Iterator[Change]:
    a, b = _words(left), _words(right)
    if left is None or right is None or not left.get("manifest") or not right.get("manifest"):
        yield from between(what, a, b)
    elif left["manifest"] != right["manifest"]:
        from git_rvexp.workflow.repeating import inputs  # noqa: PLC0415  equal data needs no lists

        found = inputs.between(repo, left, right)
        if found is None:
            yield Change(what, a, b, "the lists of files were not kept, so which differ cannot be told")
        elif found:
            yield Change(what, a, b, found.words(), found.counts)


def _words(entry: Entry | None) -> str | None:
    """A recorded manifest in one line; None for none."""
    if entry is None:
        return None
    if not entry.get("manifest"):
        return f"not listed ({entry['why']})" if entry.get("why") else "not listed"
    count = entry.get("count")
    return f"{count} file{'' if count == 1 else 's'} in {entry.get('bytes')} bytes, {entry['manifest']}"


def _inputs(run: Run | None) -> dict[str, Entry]:
    entries = run.planned.get("inputs") if run else None
    return {str(e.get("uri")): e for e in entries if isinstance(e, dict)} if isinstance(entries, list) else {}


def _outputs(run: Run | None) -> Entry | None:
    event = run.outputs if run else None
    return event.fields if event else None


def _changed(run: Run | None) -> Json:
    event = run.first("inputs") if run else None
    return (event.get("changed") if event else None) or None
