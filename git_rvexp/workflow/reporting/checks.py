"""Today's checks as a page carries them: what `verify` found, as JSON, and back as links.

The checks of a day are the page's own word, which nobody can prove later; everything else on it can be.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from git_rvexp.terms import Json
from git_rvexp.workflow.reporting.veil import Veil
from git_rvexp.workflow.verifying.check import Verified
from git_rvexp.workflow.verifying.link import Link, State

ANSWERS = ("yes", "no", "cannot tell")


@dataclass(frozen=True)
class Answer:
    """Whether a run can be repeated (`yes`, `no`, `cannot tell`, `not ended`), the links that decided it, its own."""

    word: str
    because: tuple[str, ...]
    links: tuple[Link, ...]

    @property
    def kind(self) -> str:
        """Its sign, in the words of `output.mark`; "" where there is nothing to repeat."""
        return {"yes": "ok", "no": "bad", "cannot tell": "unknown"}.get(self.word, "")


@dataclass(frozen=True)
class Checks:
    """What was found on the day of the page: of the snapshot, of its images by reference, of its runs by id."""

    links: tuple[Link, ...] = ()
    images: Mapping[str, tuple[Link, ...]] = field(default_factory=dict)
    runs: Mapping[str, Answer] = field(default_factory=dict)

    def named(self, *names: str) -> list[Link]:
        """The snapshot's links of these names."""
        return [link for link in self.links if link.name in names]

    def image(self, ref: str) -> tuple[Link, ...]:
        """The links of an image."""
        return self.images.get(ref, ())

    def run(self, run: str, *names: str) -> list[Link]:
        """A run's own links of these names."""
        answer = self.runs.get(run)
        return [link for link in answer.links if link.name in names] if answer else []

    def answer(self, run: str) -> Answer | None:
        """Whether a run can be repeated; None when nobody looked."""
        return self.runs.get(run)


def written(found: Verified, over: Veil) -> dict[str, Json]:
    """As JSON."""
    runs = {
        r.run.run: {"repeatable": r.word, "because": list(r.because), "links": _links(r.links, over)}
        for r in found.runs
    }
    images = {over.text(ref): _links(links, over) for ref, links in found.images}
    return {"links": _links(found.links, over), "images": images, "runs": runs}


def read(told: Mapping[str, Json]) -> Checks:
    """What `written` wrote; KeyError, TypeError, ValueError or AttributeError for anything else."""
    runs = {
        str(run): Answer(str(a["repeatable"]), tuple(map(str, a["because"])), _read(a["links"]))
        for run, a in told["runs"].items()
    }
    return Checks(_read(told["links"]), {str(ref): _read(links) for ref, links in told["images"].items()}, runs)


def _links(links: Iterable[Link], over: Veil) -> list[Json]:
    shown = (link for link in links if link.name not in over.names)
    return [{**link.fields(), "text": over.text(link.text), "remedy": over.text(link.remedy)} for link in shown]


def _read(links: Iterable[Mapping[str, Json]]) -> tuple[Link, ...]:
    return tuple(
        Link(
            str(told["name"]),
            State(told["state"]),
            str(told["text"]),
            str(told["remedy"]),
            needed=bool(told["needed"]),
            hazard=bool(told["hazard"]),
        )
        for told in links
    )
