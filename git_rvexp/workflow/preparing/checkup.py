"""Is everything here that an experiment needs? One small check per thing, each with a remedy.

Checks look and change nothing; what they cannot find out they say so ("?"), and none of them prints a credential.
Repairs are `mending`'s.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from git_rvexp import aws
from git_rvexp.errors import RvexpError
from git_rvexp.settings import Settings
from git_rvexp.values import shown
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.preparing import trust


@dataclass(frozen=True)
class Check:
    """What was found. `kind` is ok, warn, bad or unknown; `remedy` is a command or a short instruction."""

    name: str
    kind: str
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Scene:
    """What there is to look at. Without a clone, or with settings that cannot be read, `context` is None."""

    environ: Mapping[str, str]
    context: Context | None
    trouble: RvexpError | None = None

    @property
    def settings(self) -> Settings:
        """The settings in force, or the defaults where there are none."""
        return self.context.settings if self.context else Settings()


_GO_THERE = ("remote", "registry", "aws", "store", "queue", "definition")
Look = Callable[[Scene], Iterable[Check]]


def examine(scene: Scene, looks: Iterable[tuple[str, Look]]) -> list[Check]:
    """Every look in its order; one that fails is a check that says why.

    What goes to a place that a tracked file chose and nobody confirmed is not looked at.
    """
    found: list[Check] = []
    open_values = bool(scene.context and trust.unconfirmed(scene.context))
    for name, look in looks:
        if open_values and name in _GO_THERE:
            found.append(Check(name, "unknown", "not asked before the settings are confirmed"))
            continue
        try:
            found += look(scene)
        except aws.DeniedError as why:
            found.append(failed(name, why, "unknown"))
        except RvexpError as why:
            found.append(failed(name, why))
    return found


def failed(name: str, why: RvexpError, kind: str = "bad") -> Check:
    """The check that an error stands for."""
    text = str(why).replace("\n  ", "; ").replace("\n", "; ")
    return Check(name, kind, shown(text), shown(why.hint or ""))
