"""What the page of one experiment carries: its tag, its record line by line, the day's checks; as JSON and back.

A page is a function of this and of what the repository holds by content, so whoever has both can make it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.git.catalogue import Card
from git_rvexp.record.events import Record, parse
from git_rvexp.record.runs import Run, runs
from git_rvexp.terms import Json, Phase, Snapshot
from git_rvexp.workflow.reporting import checks
from git_rvexp.workflow.reporting.checks import Checks
from git_rvexp.workflow.reporting.veil import Veil

SCHEMA = "rvexp.report/1"
EXPERIMENT, HISTORY = "experiment", "history"


@dataclass(frozen=True)
class Told:
    """A snapshot as a page tells it. `lines` are those of its record; `when` is UTC epoch seconds, 0 for no tag."""

    snapshot: Snapshot
    when: int
    by: str
    subject: str
    lines: tuple[str, ...]

    @property
    def record(self) -> Record:
        """The lines, read."""
        return parse("\n".join(self.lines))

    @property
    def runs(self) -> list[Run]:
        """The runs that the lines tell of, oldest first."""
        return runs(self.record)

    @property
    def principal(self) -> str:
        """The run that stands for the snapshot: the newest original that succeeded, else the last; "" for none."""
        first = [run for run in self.runs if not run.planned.get("repeats")] or self.runs
        succeeded = [run for run in first if run.phase is Phase.SUCCEEDED]
        return (succeeded or first)[-1].run if first else ""

    def run(self, name: str) -> Run | None:
        """The run called `name`; None when there is none."""
        return next((run for run in self.runs if run.run == name), None)

    def fields(self) -> dict[str, Json]:
        """As JSON."""
        s = self.snapshot
        ids = {"tag": s.tag, "oid": s.oid, "commit": s.commit, "tree": s.tree}
        return {**ids, "when": self.when, "by": self.by, "subject": self.subject, "record": list(self.lines)}

    @classmethod
    def from_fields(cls, told: Mapping[str, Json]) -> "Told":
        """What `fields` wrote."""
        snapshot = Snapshot(*(str(told[key]) for key in ("tag", "oid", "commit", "tree")))
        return cls(snapshot, int(told["when"]), str(told["by"]), str(told["subject"]), tuple(map(str, told["record"])))


def told(snapshot: Snapshot, card: Card | None, text: str, over: Veil) -> Told:
    """A snapshot whose note is `text`, as much of it as `over` lets through."""
    lines = [line for line in dict.fromkeys(text.split("\n")) if line.strip()]
    if over:
        shown = over.record(parse(text))
        lines = [*(str(event) for event in shown.events), *(damaged.line for damaged in shown.damaged)]
    if card is None:
        return Told(snapshot, 0, "", "", tuple(lines))
    return Told(snapshot, card.when, "" if "by" in over.names else card.by, over.text(card.subject), tuple(lines))


@dataclass(frozen=True)
class Source:
    """All that a page of one experiment is made of. `made` is UTC epoch seconds.

    `focus` is the run that the page is about, `since` the one of the parent that it is compared with; `code` and
    `experiments` are where a fresh clone gets the repository and the snapshots from, "" where unknown.
    """

    made: int
    version: str
    about: Told
    focus: str = ""
    since: str = ""
    parent: Told | None = None
    checked: Checks | None = None
    checks: Mapping[str, Json] | None = None
    code: str = ""
    experiments: str = ""
    private: tuple[str, ...] = ()

    def fields(self) -> dict[str, Json]:
        """As the JSON document that the page carries."""
        return {
            "schema": SCHEMA,
            "kind": EXPERIMENT,
            "made": self.made,
            "version": self.version,
            "focus": self.focus,
            "since": self.since,
            "code": self.code,
            "experiments": self.experiments,
            "private": list(self.private),
            "snapshot": self.about.fields(),
            "parent": self.parent.fields() if self.parent else None,
            "checks": self.checks,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, Json]) -> "Source":
        """What `fields` wrote; RvexpError for anything else."""
        try:
            day, parent = fields["checks"], fields["parent"]
            return cls(
                made=int(fields["made"]),
                version=str(fields["version"]),
                about=Told.from_fields(fields["snapshot"]),
                focus=str(fields["focus"]),
                since=str(fields["since"]),
                parent=Told.from_fields(parent) if parent else None,
                checked=checks.read(day) if day else None,
                checks=day,
                code=str(fields["code"]),
                experiments=str(fields["experiments"]),
                private=tuple(map(str, fields["private"])),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as why:
            raise RvexpError(f"what the page carries cannot be read: {why!r}") from why
