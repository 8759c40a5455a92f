"""`dev/matrix`: the tests with every Python, git and Docker engine that can be had here; run by hand, not by CI.

Pythons: those on PATH and of pyenv, and for the versions that are missing Debian's own of newer releases. gits: this
machine's, and those of newer releases of Debian. Engines: the newest of Debian with each of its stores of images. What
is brought goes to `.dev`; nothing installed is replaced.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stacklib import cli, engine, images, newest, paths, venv, versions
from stacklib.process import StackError
from stacklib.story import say

_GIT_TESTS = ("unit/test_[glnors]*.py", "unit/test_hook*.py", "unit/test_shapes*.py", "unit/test_trust.py")
_ENGINE_TESTS = ("docker_executor", "images", "repeat", "pinning", "lay*", "insides", "run", "chain")
_STORES = {"containerd": newest.PART, "classic": newest.CLASSIC}
_DEFAULTS = {"python": versions.PYTHONS, "git": versions.GITS, "docker": tuple(_STORES)}
_TESTS: Mapping[str, tuple[str, ...]] = {
    "python": ("unit", "integration/test_run_cli.py", "integration/test_bundle.py", "integration/test_schemas.py"),
    "docker": tuple(f"integration/test_{name}.py" for name in _ENGINE_TESTS),
    "git": (*_GIT_TESTS, "integration/test_bundle.py", "integration/test_post_push.py", "hostile/test_configured.py"),
}


@dataclass(frozen=True)
class Cell:
    """One version: what it is called, the Python that runs the tests, what stands first on PATH, more variables."""

    title: str
    python: Path
    path: tuple[Path, ...] = field(default=())
    env: Mapping[str, str] = field(default_factory=dict)


def pythons(wanted: Iterable[str]) -> Iterator[Cell]:
    """An environment of our own for each version; StackError where one is nowhere to be had."""
    for version in wanted:
        python = _environment(version, versions.python(version)) / "python"
        told = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        yield Cell(told, python, (python.parent,))


def _environment(version: str, python: Path) -> Path:
    """The programs' folder of `.dev/python-VERSION`, with this clone and what its tests need, as locked."""
    folder = paths.DEV / f"python-{version}"
    stamp = folder / "rvexp-installed"
    wanted = f"{python}\n{venv.locked()}"
    if not stamp.exists() or stamp.read_text() != wanted:
        say(f"Making .dev/python-{version} from {python}")
        venv.run(str(python), "-m", "venv", "--clear", "--without-pip", str(folder))  # Debian keeps ensurepip apart
        pip = (str(venv.FOLDER / "bin/python"), "-m", "pip", "--python", str(folder / "bin/python"), "install", "-q")
        venv.run(*pip, "--require-hashes", "--requirement", str(venv.LOCK))
        venv.run(*pip, "--editable", f"{paths.PROJECT}[dev]")
        stamp.write_text(wanted)
    return folder / "bin"


def gits(wanted: Iterable[str]) -> Iterator[Cell]:
    """The machine's own git, and that of each release of Debian."""
    python = venv.FOLDER / "bin/python"
    for suite in ("here", *wanted):
        ahead = () if suite == "here" else (versions.git(suite),)
        env = _env(ahead)
        told = subprocess.run(["git", "--version"], env=env, capture_output=True, text=True, check=True).stdout.strip()
        yield Cell(f"{told} ({suite})", python, (*ahead, python.parent))


def engines(wanted: Iterable[str]) -> Iterator[Cell]:
    """The newest engine with each store of images that is wanted."""
    python = venv.FOLDER / "bin/python"
    for store in wanted:
        part = _STORES[store]
        try:
            cli.up([engine.PART, images.PART, part])
            (host,) = cli.exports([part]).values()
            images.copy(images.BASE, host)
            told = engine.docker("version", "--format", "{{.Server.Version}}", host=host).stdout.strip()
            yield Cell(f"Docker {told} ({store})", python, (python.parent,), {"RVEXP_DEV_OTHER_ENGINE": host})
        finally:
            if part not in cli.PARTS:
                cli.down([part])


_KINDS = {"python": pythons, "git": gits, "docker": engines}


def _env(ahead: tuple[Path, ...]) -> dict[str, str]:
    return {**os.environ, "PATH": os.pathsep.join([*map(str, ahead), os.environ["PATH"]])}


def _tests(kind: str) -> list[str]:
    tests = paths.PROJECT / "tests"
    return [str(found.relative_to(paths.PROJECT)) for pattern in _TESTS[kind] for found in sorted(tests.glob(pattern))]


def run(kind: str, cell: Cell, extra: list[str]) -> str:
    """Run the tests in one cell; pytest's last line, shown as it goes."""
    named = any(not word.startswith("-") and Path(word.partition("::")[0]).exists() for word in extra)
    command = [str(cell.python), "-m", "pytest", "-q", "-n", "2", "-m", "not long", *extra]
    command += [] if named else _tests(kind)
    print(f"\n== {cell.title}", flush=True)
    last = ""
    env = {**_env(cell.path), **cli.exports(cli.PARTS), **cell.env}
    with subprocess.Popen(command, cwd=paths.PROJECT, env=env, stdout=subprocess.PIPE, text=True) as pytest:
        assert pytest.stdout
        for line in pytest.stdout:
            print(line, end="", flush=True)
            last = line.strip() or last
    return last if pytest.returncode == 0 else f"FAILED: {last}"


def main() -> int:
    """Run all cells, then one line for each; 1 when one failed."""
    parser = argparse.ArgumentParser(prog="dev/matrix", description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("kind", choices=_KINDS)
    every = f"default: {', or '.join(' '.join(words) for words in _DEFAULTS.values())}; of git, releases of Debian"
    parser.add_argument("versions", nargs="*", metavar="VERSION", help=every)
    parser.epilog = "What comes after -- goes to pytest; with a path of a test there, only that is run."
    words = sys.argv[1:]
    ours, extra = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    arguments = parser.parse_args(ours)
    cells = _KINDS[arguments.kind](arguments.versions or _DEFAULTS[arguments.kind])
    told: list[tuple[str, str]] = []
    try:
        venv.ensure()
        told.extend((cell.title, run(arguments.kind, cell, extra)) for cell in cells)
    except StackError as error:
        print(f"dev/matrix: {error}", file=sys.stderr)
        told.append(("stopped", "FAILED"))
    say("")
    for title, line in told:
        say(f"{title:<24} {re.sub(r' in .*', '', line)}")
    return 1 if any(line.startswith("FAILED") for _, line in told) else 0
