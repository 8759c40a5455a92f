"""Measure whole processes: CPU seconds (user + system, children included) by the system's own accounting.

Commands take turns (A B C A B C …), so that a machine whose speed drifts slows all of them; medians and ratios within
one run are what may be quoted.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FEW, SLOW = 3, 20.0
"""A peer whose run takes longer than SLOW seconds by the clock is measured FEW times."""
ONCE, SLOWEST = 1, 60.0
"""One that takes longer than that is measured once, and its first run is the one, in caches as cold as they are."""


class Median(float):
    """CPU seconds: the middle one of `runs`."""

    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Median":
        """The median of at least one value."""
        made = cls(statistics.median(values))
        made.runs = len(values)
        return made


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
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"  # where git finds ours
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
) -> dict[str, Median]:
    """The median CPU seconds of each case over `rounds` interleaved rounds after `warmup` unmeasured ones.

    A case of `peers` that fails is told and left out from then on; any other's failure is a RuntimeError. Slow peers
    are measured fewer times (see FEW and ONCE).
    """
    seen: dict[str, list[float]] = {name: [] for name in cases}
    turns = dict.fromkeys(cases, rounds)
    for number in range(-warmup, rounds):
        for name in [name for name in seen if len(seen[name]) < turns[name]]:
            case = cases[name]
            case.prepare(number)
            began = time.monotonic()
            try:
                seconds = cpu_seconds(case.make(number), cwd, case.env)
            except (RuntimeError, OSError) as why:
                if name not in peers:
                    raise
                print(f"{name}: failed and is left out: {str(why).strip().splitlines()[-1][:200]}")
                del seen[name]
                continue
            took = time.monotonic() - began
            if name in peers and took > SLOW:
                turns[name] = min(rounds, ONCE if took > SLOWEST else FEW)
            if number >= 0 or turns[name] == ONCE < rounds:
                seen[name].append(seconds)
    return {name: Median.of(values) for name, values in seen.items() if values}


def table(medians: Mapping[str, Median], baseline: str) -> str:
    """The medians, their ratios to the baseline and of how many runs they are, as text."""
    width = max(len(name) for name in medians)
    rows = [
        f"{name:<{width}}  {value * 1000:9.1f} ms CPU  {value / medians[baseline]:7.2f} x  {_times(value.runs):>7}"
        for name, value in medians.items()
    ]
    return "\n".join(rows)


def _times(runs: int) -> str:
    return f"{runs} run" if runs == 1 else f"{runs} runs"
