"""The page of all experiments: which snapshots there are, how their runs went, what can be repeated today.

What the page carries names the commit that the record stood at: with that the page can be made again, as it was, from a
repository whose record has long gone on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from git_rvexp import __version__
from git_rvexp.errors import RvexpError
from git_rvexp.git import notes
from git_rvexp.git.catalogue import Card, cards
from git_rvexp.terms import Json
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.looking.moments import iso
from git_rvexp.workflow.reporting.gather import Wish
from git_rvexp.workflow.reporting.overview import overview
from git_rvexp.workflow.reporting.rows import rows
from git_rvexp.workflow.reporting.source import HISTORY, SCHEMA
from git_rvexp.workflow.reporting.template import page
from git_rvexp.workflow.verifying.check import verify

Answers = Mapping[str, Mapping[str, str]]
"""Tag -> run -> whether it can be repeated, in the words of `verify`."""


@dataclass(frozen=True)
class Source:
    """All that a page of all is made of: the snapshots, the record's commit, and the day's answers."""

    made: int
    version: str
    at: str
    tags: tuple[tuple[str, str], ...]
    answers: Answers
    private: tuple[str, ...] = ()

    def fields(self) -> dict[str, Json]:
        """As the JSON document that the page carries."""
        return {
            "schema": SCHEMA,
            "kind": HISTORY,
            "made": self.made,
            "version": self.version,
            "private": list(self.private),
            "record": self.at,
            "snapshots": dict(self.tags),
            "repeatable": {tag: dict(told) for tag, told in self.answers.items()},
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, Json]) -> "Source":
        """What `fields` wrote; RvexpError for anything else."""
        try:
            return cls(
                made=int(fields["made"]),
                version=str(fields["version"]),
                at=str(fields["record"]),
                tags=tuple((str(tag), str(oid)) for tag, oid in fields["snapshots"].items()),
                answers={
                    str(tag): {str(run): str(word) for run, word in told.items()}
                    for tag, told in fields["repeatable"].items()
                },
                private=tuple(map(str, fields["private"])),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as why:
            raise RvexpError(f"what the page carries cannot be read: {why!r}") from why


def render(context: Context, wish: Wish) -> str:
    """The page of everything that this clone has, with the newest `wish.check` snapshots looked at today."""
    known = cards(context.repo)
    looked = [card.snapshot for card in known[: wish.check]]
    answers = {v.snapshot.tag: {r.run.run: r.word for r in v.runs} for v in verify(context, looked)} if looked else {}
    source = Source(
        made=int(wish.made.timestamp()),
        version=__version__,
        at=notes.tip(context.repo).commit,
        tags=tuple((card.snapshot.tag, card.snapshot.oid) for card in known),
        answers=answers,
        private=tuple(context.settings.report_private) if wish.public else (),
    )
    return _page(context, source, known)


def made(context: Context, source: Source) -> str:
    """The page that this source makes in this repository."""
    wanted = dict(source.tags)
    known = [card for card in cards(context.repo) if wanted.get(card.snapshot.tag) == card.snapshot.oid]
    return _page(context, source, known)


def _page(context: Context, source: Source, known: Sequence[Card]) -> str:
    found = rows(context.repo, known, source.at, source.private)
    about = {"made": iso(source.made), "version": source.version, "private": source.private, "record": source.at}
    return page("history.html", {**overview(found, source.answers, source.made), **about}, source.fields())
