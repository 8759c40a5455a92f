"""What pages of every kind are held against at last: themselves, made again."""

from collections.abc import Callable, Iterable

from git_rvexp import __version__
from git_rvexp.workflow.looking.moments import iso
from git_rvexp.workflow.verifying.link import Link, State, changed, hazard, ok, unknown

_AROUND = 40


def same(links: Iterable[Link], version: str, page: str, again: Callable[[], str]) -> Link:
    """Whether the page shows what follows from what it carries; only told where that was found to be true."""
    if any(link.state is not State.OK for link in links):
        return unknown("page", "what it shows was not looked at: what it carries is in doubt")
    if version != __version__:
        text = (
            f"git-rvexp {version} made it, and this is {__version__}: what it carries is true, what it shows may not be"
        )
        return unknown("page", text, f"pip install git-rvexp=={version}, and try again")
    wanted = again()
    if page == wanted:
        return ok("page", "it shows what follows from what it carries, byte for byte")
    at = next((n for n, (a, b) in enumerate(zip(page, wanted, strict=False)) if a != b), min(len(page), len(wanted)))
    here, there = (text[max(0, at - _AROUND) : at + _AROUND].replace("\n", " ") for text in (page, wanted))
    return changed("page", f"it was edited: …{here}… should be …{there}…")


def of_the_day(made: int) -> Link:
    """The checks that the page shows."""
    return hazard("checks", f"those of {iso(made)} are the page's own word", "git rvexp verify looks today")
