"""A chain as steps: what each runs, what it waits for, and an order in which none stands before what it waits for.

Pure. Reading a file is `file`, the picture `picture`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from git_rvexp.errors import UsageError
from git_rvexp.model import Resources


@dataclass(frozen=True)
class Step:
    """One step. It starts when all steps of `after` have succeeded.

    `after_each`: the child with index i of an array starts when the child i of that array has; `sequential`: when its
    own child i - 1 has. Zero, empty and None mean "as configured".
    """

    name: str
    command: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    after_each: tuple[str, ...] = ()
    sequential: bool = False
    array: int = 0
    queue: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    resources: Resources = field(default_factory=Resources)
    timeout: int = 0
    attempts: int = 0
    seed: int | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def parents(self) -> tuple[str, ...]:
        """Every step it waits for."""
        return self.after + self.after_each


def in_order(steps: Sequence[Step], origin: str) -> tuple[Step, ...]:
    """The steps, parents first, otherwise as they stand. UsageError names the steps of a circle."""
    left = {step.name: step for step in steps}
    ordered: list[Step] = []
    while left:
        free = next((s for s in left.values() if not any(p in left for p in s.parents)), None)
        if free is None:
            circle = " → ".join(_circle(left))
            raise UsageError(f"{origin}: these steps wait for one another, so none could start: {circle}")
        ordered.append(left.pop(free.name))
    return tuple(ordered)


def below(steps: Iterable[Step], names: Iterable[str]) -> set[str]:
    """The steps `names` and all that wait for them, directly or not; `steps` have to be in order."""
    found = set(names)
    for step in steps:
        if found.intersection(step.parents):
            found.add(step.name)
    return found


def _circle(left: Mapping[str, Step]) -> list[str]:
    """A way round: from any step that cannot start, back along what holds it up, until a step comes again."""
    path: list[str] = []
    at = next(iter(left))
    while at not in path:
        path.append(at)
        at = next(p for p in left[at].parents if p in left)
    round_trip = path[path.index(at) :]
    return [at, *reversed(round_trip[1:]), at]
