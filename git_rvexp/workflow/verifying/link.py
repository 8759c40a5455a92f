"""What verify says of one link of the chain: ok, changed, or cannot tell, and why.

"Cannot tell" is an answer of its own: no access, no network or a forgetful service never count as "gone".
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from git_rvexp.errors import RvexpError
from git_rvexp.model import Json


class State(enum.Enum):
    """The truth about a link; for a run as a whole: repeatable yes, no, cannot tell."""

    OK = "ok"
    CHANGED = "changed"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class Link:
    """One fact that was looked at. `remedy` is a command or a short instruction.

    `needed`: whether a repeat depends on it. `hazard`: nothing has changed, but something is about to.
    """

    name: str
    state: State
    text: str
    remedy: str = ""
    needed: bool = True
    hazard: bool = False

    @property
    def kind(self) -> str:
        """Its sign, in the words of `output.mark`."""
        if self.state is State.UNKNOWN:
            return "unknown"
        if self.state is State.CHANGED:
            return "bad" if self.needed else "warn"
        return "warn" if self.hazard else "ok"

    def fields(self) -> dict[str, Json]:
        """As JSON."""
        told = {"name": self.name, "state": self.state.value, "needed": self.needed, "hazard": self.hazard}
        return {**told, "text": self.text, "remedy": self.remedy}


def ok(name: str, text: str) -> Link:
    """As recorded."""
    return Link(name, State.OK, text)


def hazard(name: str, text: str, remedy: str = "") -> Link:
    """As recorded, but not for long, or not for everybody."""
    return Link(name, State.OK, text, remedy, hazard=True)


def changed(name: str, text: str, remedy: str = "", *, needed: bool = True) -> Link:
    """Not as recorded."""
    return Link(name, State.CHANGED, text, remedy, needed=needed)


def unknown(name: str, why: RvexpError | str, remedy: str = "", *, needed: bool = True) -> Link:
    """It could not be found out; an error's own words and hint say why."""
    text = one_line(why)
    hint = (why.hint or "") if isinstance(why, RvexpError) else ""
    return Link(name, State.UNKNOWN, text, remedy or hint, needed=needed)


def one_line(why: RvexpError | str) -> str:
    """An error's words on one line."""
    return str(why).replace("\n  ", "; ").replace("\n", "; ")


def repeatable(links: Iterable[Link]) -> tuple[State, list[str]]:
    """Whether a run that hangs on `links` can be repeated now, and the names of the links that decided it."""
    needed = [link for link in links if link.needed]
    for state in (State.CHANGED, State.UNKNOWN):
        because = [link.name for link in needed if link.state is state]
        if because:
            return state, because
    return State.OK, []
