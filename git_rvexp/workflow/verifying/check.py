"""Can what ran still be proven, and repeated? One small check per link of the chain, each with an answer of its own.

Nothing is written: not to the record, not to any service. The checks are in the `verify_…` modules beside.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from git_rvexp.model import Json, Phase, Snapshot
from git_rvexp.record.runs import Run
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.verifying.data import inputs, outputs
from git_rvexp.workflow.verifying.definition import definition
from git_rvexp.workflow.verifying.image import image
from git_rvexp.workflow.verifying.job import job, plan
from git_rvexp.workflow.verifying.layers import archive
from git_rvexp.workflow.verifying.link import Link, State, repeatable
from git_rvexp.workflow.verifying.outside import Outside
from git_rvexp.workflow.verifying.record import record
from git_rvexp.workflow.verifying.shared import shared_folder
from git_rvexp.workflow.verifying.store import copies
from git_rvexp.workflow.verifying.subject import Subject, everything, subjects
from git_rvexp.workflow.verifying.tag import experiments, signature, tag
from git_rvexp.workflow.verifying.writings import writings

_WORDS = {State.OK: "yes", State.CHANGED: "no", State.UNKNOWN: "cannot tell", None: "not ended"}


@dataclass(frozen=True)
class VerifiedRun:
    """A run, its own links, and whether it can be repeated now; `because` names the links that decided it.

    Of a run that has not ended, or never began, `repeatable` is None: there is nothing to repeat.
    """

    run: Run
    links: tuple[Link, ...]
    repeatable: State | None
    because: tuple[str, ...]

    @property
    def word(self) -> str:
        """yes, no, cannot tell, or not ended."""
        return _WORDS[self.repeatable]


@dataclass(frozen=True)
class Verified:
    """A snapshot, the links that all its runs hang on, those of each of its images by reference, and its runs."""

    snapshot: Snapshot
    links: tuple[Link, ...]
    images: tuple[tuple[str, tuple[Link, ...]], ...]
    runs: tuple[VerifiedRun, ...]

    @property
    def told(self) -> bool:
        """Whether the record can be read: else runs may be missing here that it tells of."""
        return all(link.state is not State.UNKNOWN for link in self.links if link.name == "record")

    def all_links(self) -> Iterator[Link]:
        """Every link."""
        yield from self.links
        for _, links in self.images:
            yield from links
        for run in self.runs:
            yield from run.links

    def fields(self) -> dict[str, Json]:
        """As JSON."""
        return {
            "tag": self.snapshot.tag,
            "oid": self.snapshot.oid,
            "links": [link.fields() for link in self.links],
            "images": [{"ref": ref, "links": [link.fields() for link in links]} for ref, links in self.images],
            "runs": [
                {
                    "run": run.run.run,
                    "state": run.run.word,
                    "image": str(run.run.planned.get("image", "")),
                    "links": [link.fields() for link in run.links],
                    "repeatable": run.word,
                    "because": list(run.because),
                }
                for run in self.runs
            ],
        }


def verify(
    context: Context, snapshots: Sequence[Snapshot], *, only: str = "", deep: bool = False
) -> Iterator[Verified]:
    """Look at these snapshots (at none given: at all) one after the other; with `only` at this one of their runs."""
    outside = Outside(context)
    wanted = snapshots or everything(outside)
    with context.progress("looking at what was recorded", len(wanted), "snapshots") as step:
        for subject in subjects(outside, wanted, only):
            yield verified(outside, subject, deep=deep)
            step(1)


def verified(outside: Outside, subject: Subject, *, deep: bool) -> Verified:
    """All links of one snapshot."""
    links = [tag(outside, subject), signature(outside, subject), experiments(outside, subject)]
    links += [
        record(outside, subject),
        *writings(outside, subject),
        *copies(outside, subject, deep=deep),
        *(archive(outside, subject) if deep else []),
    ]
    images = {ref: tuple(image(outside, subject, ref, deep=deep)) for ref in subject.image_refs}
    runs = [_run(outside, subject, run, [*links, *images.get(_image(run), ())]) for run in subject.runs]
    return Verified(subject.snapshot, tuple(links), tuple(images.items()), tuple(runs))


def state_of(links: Iterable[Link]) -> State:
    """The worst of them: one that changed, else one that cannot be told."""
    states = {link.state for link in links}
    return next((s for s in (State.CHANGED, State.UNKNOWN) if s in states), State.OK)


def _run(outside: Outside, subject: Subject, run: Run, shared: Sequence[Link]) -> VerifiedRun:
    links = [plan(run), *definition(outside, subject, run), job(outside, run)]
    links += [*inputs(outside, run), *shared_folder(outside, run), *outputs(outside, run)]
    if run.first("ended") is None and run.phase is not Phase.UNKNOWN:
        return VerifiedRun(run, tuple(links), None, ())
    answer, because = repeatable([*shared, *links])
    return VerifiedRun(run, tuple(links), answer, tuple(because))


def _image(run: Run) -> str:
    return str(run.planned.get("image", ""))
