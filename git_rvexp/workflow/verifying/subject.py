"""What is verified: a snapshot as it was recorded, its record as it was written, and the runs in question."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.git import notes, remote
from git_rvexp.git.notes import Tip
from git_rvexp.model import Snapshot
from git_rvexp.record.events import Event, Record, parse
from git_rvexp.record.runs import Run, runs
from git_rvexp.workflow.verifying.history import Histories, History
from git_rvexp.workflow.verifying.outside import Outside


@dataclass(frozen=True)
class Subject:
    """`snapshot` is what the experiments remote is known to have had; `here` the tag of this clone, None when gone.

    `record` is what was written before anybody changed a line; `runs` are folded from it.
    """

    snapshot: Snapshot
    here: Snapshot | None
    history: History
    record: Record
    runs: Sequence[Run]

    def image_event(self, ref: str) -> Event | None:
        """The newest `image` event about a reference."""
        return next((e for e in reversed(self.record.of("image")) if e.get("ref") == ref), None)

    @property
    def image_refs(self) -> list[str]:
        """The images that matter: those of the runs, or the newest one where nothing ran yet."""
        last = self.record.last("image")
        used = dict.fromkeys(str(r.planned.get("image", "")) for r in self.runs if _ran(r))
        return [ref for ref in used if ref] or ([str(last.get("ref", ""))] if last else [])


def subjects(outside: Outside, wanted: Iterable[Snapshot], only: str = "") -> list[Subject]:
    """The subjects of these snapshots; of the runs only the one called `only`, if it is given."""
    repo = outside.context.repo
    here, published = ({s.tag: s for s in side} for side in remote.both_sides(repo))
    recorded = [published.get(s.tag, s) for s in wanted]
    histories = Histories(repo, [s.oid for s in recorded], _trusted_notes(outside))
    found = []
    for snapshot in recorded:
        history = histories.of(snapshot.oid)
        record = parse(history.original)
        told = [r for r in runs(record) if not only or r.run == only]
        found.append(Subject(snapshot, here.get(snapshot.tag), history, record, told))
    return found


def everything(outside: Outside) -> list[Snapshot]:
    """Every snapshot this clone has or had, newest first, then runs that have none (their notes are on commits)."""
    repo = outside.context.repo
    here, published = remote.both_sides(repo)
    names, known = {s.tag for s in here}, {s.oid for s in (*here, *published)}
    loose = [oid for oid in notes.listed(repo, notes.tip(repo)) if oid not in known]
    asked = "".join(f"{oid}\n" for oid in loose).encode()
    kinds = repo.git("cat-file", "--batch-check", stdin=asked).lines
    commits = [line.split(" ")[0] for line in kinds if " commit " in line]
    return [*here, *(s for s in published if s.tag not in names), *(Snapshot("", c, c, "") for c in commits)]


def _trusted_notes(outside: Outside) -> Tip:
    """The remote's notes where they go on from what it showed last; empty otherwise, and where it cannot be asked."""
    try:
        return outside.remote_notes if outside.remote_goes_on else Tip("")
    except RvexpError:
        return Tip("")


def _ran(run: Run) -> bool:
    return bool(run.planned.get("image"))
