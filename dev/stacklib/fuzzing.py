"""`dev/fuzz`: coverage-guided fuzzing of the parsers in `tests/fuzz/targets.py` with atheris, one after the other.

The corpus in tests/fuzz/corpus is where it starts. What it learns goes to .dev/fuzz and is used again by the next run;
an input that breaks a parser is put into the kept corpus, where `tests/fuzz` finds it until the parser is mended.
How long each was fuzzed in all, in hours of processor time, is kept in tests/fuzz/hours.tsv: commit it.
"""

import argparse
import os
import resource
import subprocess
import sys

from stacklib import paths, venv
from stacklib.process import StackError
from stacklib.story import say

KEPT = paths.PROJECT / "tests" / "fuzz" / "corpus"
TALLY = paths.PROJECT / "tests" / "fuzz" / "hours.tsv"
_LONGEST, _SLOWEST = 4096, 10  # bytes of an input; seconds for one


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev/fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("parsers", nargs="*", metavar="PARSER", help=f"default all: {', '.join(names())}")
    parser.add_argument("--minutes", type=float, default=1.0, metavar="N", help="for each parser (default 1)")
    parser.add_argument("--hours-so-far", action="store_true", help="only print how long each was fuzzed")
    return parser


def names() -> list[str]:
    """The parsers that have a corpus, as every target has."""
    return sorted(folder.name for folder in KEPT.iterdir() if folder.is_dir())


def fuzz(name: str, seconds: float) -> bool:
    """Fuzz one parser for so long; whether it held. What broke it is kept."""
    learnt, broke = paths.folder("fuzz") / name, KEPT / name
    learnt.mkdir(exist_ok=True)
    command = [str(venv.FOLDER / "bin/python"), "-m", "stacklib.fuzzone", name, str(learnt), str(broke)]
    limits = [f"-max_total_time={int(seconds)}", f"-max_len={_LONGEST}", f"-timeout={_SLOWEST}", "-rss_limit_mb=2048"]
    env = {**os.environ, "PYTHONPATH": f"{paths.PROJECT / 'dev'}{os.pathsep}{paths.PROJECT}"}
    before = _spent()
    log = learnt.with_suffix(".log")
    with log.open("wb") as out:
        done = subprocess.run(
            [*command, *limits, f"-artifact_prefix={broke}/"],
            cwd=paths.PROJECT,
            env=env,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    _remember(name, _spent() - before)
    if done.returncode:
        tail = "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-25:])
        print(f"{name}: broke (the input is in {broke.relative_to(paths.PROJECT)})\n{tail}", flush=True)
    return done.returncode == 0


def _spent() -> float:
    """Processor seconds of the fuzzers so far: what a busy machine did not give them does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _remember(name: str, seconds: float) -> None:
    told = hours()
    told[name] = told.get(name, 0.0) + seconds / 3600
    TALLY.write_text("".join(f"{each}\t{told[each]:.3f}\n" for each in sorted(told)))


def hours() -> dict[str, float]:
    """How long each parser was fuzzed, in all clones whose time was committed and in this one."""
    told: dict[str, float] = dict.fromkeys(names(), 0.0)
    for line in TALLY.read_text().splitlines() if TALLY.exists() else []:
        name, _, spent = line.partition("\t")
        told[name] = float(spent)
    return told


def main() -> int:
    """Fuzz what was asked for; 1 when something broke."""
    arguments = _parser().parse_args()
    if arguments.hours_so_far:
        for name, spent in hours().items():
            print(f"{name}\t{spent:.2f}")
        return 0
    unknown = set(arguments.parsers) - set(names())
    if unknown:
        print(f"dev/fuzz: there is no parser {min(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    try:
        venv.ensure()
        venv.add("atheris", "fuzz")
    except StackError as error:
        print(f"dev/fuzz: {error}", file=sys.stderr)
        return 1
    broken = [n for n in arguments.parsers or names() if not fuzz(n, 60 * arguments.minutes)]
    say(
        f"\nBroke: {', '.join(broken)}. Next: dev/test tests/fuzz"
        if broken
        else "\nAll held. Next: dev/test tests/fuzz"
    )
    return 1 if broken else 0
