"""What is exported: a snapshot with its record and the runs that are meant, read once; each format is a reader of it.

Nothing here depends on when or where it is exported, so that the same record gives the same bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from git_rvexp.addresses import for_others
from git_rvexp.data.manifest import Item, lines
from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.git.catalogue import Card
from git_rvexp.git.tags import Told, told
from git_rvexp.record.events import Event
from git_rvexp.record.kept import kept
from git_rvexp.record.runs import Run
from git_rvexp.terms import Snapshot
from git_rvexp.workflow.chain.record import Chain, chosen, load
from git_rvexp.workflow.choose import Choice, choice
from git_rvexp.workflow.context import Context


@dataclass(frozen=True)
class Subject:
    """One experiment. `named` when a run was meant and not all of the snapshot; `source` is the remote for others.

    `chain` is the one that was named, or that all runs of the snapshot are steps of.
    """

    context: Context
    choice: Choice
    card: Card
    says: Told
    source: str
    named: bool
    chain: Chain | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot."""
        return self.choice.snapshot

    @property
    def tag(self) -> str:
        """Its name."""
        return self.choice.snapshot.tag

    @property
    def project(self) -> str:
        """The project in the name."""
        return self.tag.split("/")[1]

    @property
    def nickname(self) -> str:
        """The last part of the name."""
        return self.tag.rpartition("/")[2]

    @property
    def author(self) -> tuple[str, str]:
        """Name and address of who took the snapshot."""
        name, _, rest = self.card.by.rpartition(" <")
        return name, rest.rstrip(">")

    @property
    def ended(self) -> list[Run]:
        """The runs that have ended, oldest first."""
        return [run for run in self.choice.runs if run.first("ended")]

    @property
    def image(self) -> Event | None:
        """The image that the newest run used, as far as one is recorded; without runs the newest image."""
        images = self.choice.record.of("image")
        used = [run.planned.get("image") for run in self.choice.runs]
        same = [e for e in images if used and e.get("ref") == used[-1]]
        found = same or images
        return found[-1] if found else None

    def outputs(self, run: Run) -> list[Item]:
        """The files that a run wrote, as far as their list is in the record."""
        written = run.outputs
        return self._items(str(written.get("kept", ""))) if written else []

    def inputs(self, run: Run) -> Iterator[tuple[str, str, list[Item]]]:
        """What a run read: its address, the digest of its manifest ("" for none), and the files if they are listed."""
        for entry in run.planned.get("inputs") or []:
            yield str(entry.get("uri")), str(entry.get("manifest", "")), self._items(str(entry.get("kept", "")))

    def _items(self, blob: str) -> list[Item]:
        text = kept(self.context.repo, blob) if blob else None
        return [Item.parse(line) for line in lines(text)] if text else []


def subject(context: Context, text: str) -> Subject:
    """What `text` names: a snapshot, a run, or a chain.

    UsageError for what has no snapshot: there is nothing of its code to hand over.
    """
    found, chain = _choice(context, text)
    if found.card is None:
        raise UsageError(f"{text!r} has no snapshot, so there is nothing to export", hint="git rvexp list")
    try:
        address = for_others(context.wanted_remote().url)
    except RvexpError:  # a remote that was not confirmed in this clone is not named either
        address = ""
    named = chain is None and _one(found, text)
    of = {str(run.planned.get("chain", "")) for run in found.runs}
    if not named and len(of) == 1 and "" not in of:
        chain = load(context, found.snapshot, of.pop())
    return Subject(context, found, found.card, told(context.repo, found.snapshot.oid), address, named, chain)


def _choice(context: Context, text: str) -> tuple[Choice, Chain | None]:
    """What is meant; of a chain its steps' runs, those that were done again too."""
    try:
        return choice(context, text), None
    except UsageError as neither:
        try:
            found = chosen(context, text)
        except UsageError:
            raise neither from None
    whole = choice(context, found.snapshot.tag or found.runs[next(iter(found.runs))].run)
    return replace(whole, runs=[run for run in whole.runs if run.run in found.step_of]), found


def _one(chosen: Choice, text: str) -> bool:
    return len(chosen.runs) == 1 and (text in chosen.runs[0].jobs or chosen.runs[0].run.startswith(text))


def began(run: Run) -> str:
    """When its job began to run, perhaps hours after it was planned; the plan's time where that is not recorded."""
    ended = run.first("ended")
    return str((ended.get("started") if ended else "") or run.planned.time)


def seconds(time: str) -> str:
    """A record's time in RFC 3339 without fractions, which is what readers of these formats expect."""
    return time[:19] + "Z"
