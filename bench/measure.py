"""Measure whole processes: CPU seconds (user + system, children included) by the system's own accounting.

Commands take turns (A B C A B C …), so that a machine whose speed drifts slows all of them; medians and ratios within
one run are what may be quoted.
"""

import os
import statistics
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A command to measure: `make(round)` gives its words, after `prepare(round)` has set things up unmeasured."""

    make: Callable[[int], Sequence[str]]
    prepare: Callable[[int], None] = lambda _round: None
    env: Mapping[str, str] | None = None


def cpu_seconds(words: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None) -> float:
    """User and system seconds of one process and everything it waited for; RuntimeError when it fails."""
    # without its bytecode cache Python compiles everything anew in each run, which no user's installation does
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    child = subprocess.Popen(
        words, cwd=cwd, env={**kept, **(env or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert child.stderr is not None
    told = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(words)} exited {child.returncode}: {told.decode(errors='replace')}")
    return used.ru_utime + used.ru_stime


def compare(
    cases: Mapping[str, Case], cwd: Path, *, rounds: int = 9, warmup: int = 1, peers: Collection[str] = ()
) -> dict[str, float]:
    """The median CPU seconds of each case over `rounds` interleaved rounds after `warmup` unmeasured ones.

    A case of `peers` that fails is told and left out from then on; any other's failure is a RuntimeError.
    """
    seen: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(-warmup, rounds):
        for name in list(seen):
            case = cases[name]
            case.prepare(number)
            try:
                seconds = cpu_seconds(case.make(number), cwd, case.env)
            except (RuntimeError, OSError) as why:
                if name not in peers:
                    raise
                print(f"{name}: failed and is left out: {str(why).strip().splitlines()[-1][:200]}")
                del seen[name]
                continue
            if number >= 0:
                seen[name].append(seconds)
    return {name: statistics.median(values) for name, values in seen.items() if values}


def table(medians: Mapping[str, float], baseline: str) -> str:
    """The medians and their ratios to the baseline, as text."""
    width = max(len(name) for name in medians)
    rows = [
        f"{name:<{width}}  {value * 1000:9.1f} ms CPU  {value / medians[baseline]:7.2f} x"
        for name, value in medians.items()
    ]
    return "\n".join(rows)
