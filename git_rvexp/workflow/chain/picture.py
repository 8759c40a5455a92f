"""A chain drawn as text: each step below the step it waits for longest.

    chip
    └─ train
       └─ predict ×10
          └─ eval

A step that waits for several stands below the one that is the most steps away from a start; the others are named.
"""  # noqa: RUF002  the sign of the picture

from collections.abc import Mapping, Sequence

from git_rvexp.columns import width
from git_rvexp.output import printable
from git_rvexp.workflow.chain.steps import Step

_TIMES = "×"  # noqa: RUF001  what people write between a name and a number


def picture(steps: Sequence[Step], states: Mapping[str, str]) -> list[str]:
    """The lines; `steps` have to be in order. `states` holds what to say beside a step, by its name."""
    depth: dict[str, int] = {}
    for step in steps:
        depth[step.name] = 1 + max((depth[p] for p in step.parents), default=-1)
    hangs = {s.name: max(s.parents, key=lambda p: depth[p], default="") for s in steps}
    rows: list[tuple[str, str]] = []
    for root in (s for s in steps if not s.parents):
        rows += _branch(root, "", "", steps, hangs, states)
    wide = max((width(left) for left, right in rows if right), default=0)
    return [left + (" " * (wide - width(left) + 2) + right if right else "") for left, right in rows]


def _branch(
    step: Step, head: str, under: str, steps: Sequence[Step], hangs: Mapping[str, str], states: Mapping[str, str]
) -> list[tuple[str, str]]:
    also = [p for p in step.parents if p != hangs[step.name]]
    notes = [states.get(step.name, ""), f"also after {', '.join(also)}" if also else "", _pace(step)]
    rows = [(head + _label(step), "  ".join(printable(n) for n in notes if n))]
    children = [s for s in steps if hangs[s.name] == step.name]
    for child in children:
        last = child is children[-1]
        inner = under + ("   " if last else "│  ")
        rows += _branch(child, under + ("└─ " if last else "├─ "), inner, steps, hangs, states)
    return rows


def _label(step: Step) -> str:
    return f"{step.name} {_TIMES}{step.array}" if step.array else step.name


def _pace(step: Step) -> str:
    told = [f"child for child after {p}" for p in step.after_each]
    return "; ".join([*told, *(["one child after another"] if step.sequential else [])])
