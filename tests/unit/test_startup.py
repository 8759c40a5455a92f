"""What the quick verbs load: nothing of the cloud, or the engine, and TOML only where there is a file of it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Clone, plain_environment
from tests.notebook import Notebook

HEAVY = {"boto3", "botocore", "docker", "requests", "urllib3", "tomli", "tomli_w", "email", "http.client"}
_PROBE = """
import atexit, sys
atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))
from git_rvexp.cli import main
sys.exit(main(sys.argv[1:]))
"""


def loaded(clone: Clone, *args: str) -> set[str]:
    """The modules that a command has loaded by its end."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, *args],
        cwd=clone.path,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    "words",
    [["-h"], ["list"], ["list", "--all", "--json"], ["list", "--mine"], ["show", "first"], ["status"], ["list", "-h"]],
    ids=" ".join,
)
def test_looking_loads_nothing_heavy(clone: Clone, words: list[str]) -> None:
    """Each of these must answer in a blink."""
    book = Notebook(clone)
    book.ended(book.snapshot("al/roads/2026-11-01/first"))
    clone.git("config", "rvexp.initials", "al")
    assert loaded(clone, *words) & HEAVY == set()


def test_the_plain_list_loads_next_to_nothing(clone: Clone) -> None:
    """Neither plans, nor dataclasses that compile functions and what they ask for, nor the compressors of shutil."""
    book = Notebook(clone)
    book.ended(book.snapshot("al/roads/2026-11-01/first"))
    ours = {"git_rvexp.model", "git_rvexp.config", "git_rvexp.names"}
    theirs = {"dataclasses", "dis", "tokenize", "lzma", "difflib", "random", "hashlib"}
    if sys.version_info < (3, 14):  # from there on named tuples cannot be had without it
        theirs.add("ast")
    for words in (["list"], ["list", "--all", "--json"]):
        assert loaded(clone, *words) & (ours | theirs) == set()


def test_a_stand_in_becomes_the_module_when_it_is_asked_for() -> None:
    """`inspect` works as ever, for those who imported them before and after."""
    probe = """
import git_rvexp.startup, inspect, sys
from dataclasses import dataclass
@dataclass
class Pair:
    "Two."
    one: int
    two: "str"
assert "dis" not in sys.modules
stood_in = inspect.get_annotations
assert inspect.get_annotations(Pair) == {"one": int, "two": "str"}
assert inspect.get_annotations(Pair, eval_str=True) == {"one": int, "two": str}
assert str(inspect.signature(Pair)) == "(one: int, two: 'str') -> None"
assert str(inspect.signature(len)) == "(obj, /)"
assert inspect.get_annotations is not stood_in
from inspect import Parameter
assert sys.modules["inspect"].Parameter is Parameter is inspect.Parameter
"""
    subprocess.run([sys.executable, "-c", probe], env=plain_environment(), check=True)


_INTERRUPT = "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(10)\n"


def version_with(modules: Path) -> tuple[int, str]:
    """How asking for the version ends, and what stderr has, where modules in that folder come before Python's own."""
    done = subprocess.run(
        [sys.executable, "-m", "git_rvexp", "--version"],
        env={**plain_environment(), "PYTHONPATH": str(modules)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("json.py", _INTERRUPT),
        ("sitecustomize.py", f"import atexit\natexit.register(exec, {_INTERRUPT!r}, {{}})\n"),
    ],
    ids=["while it loads", "after its end"],
)
def test_an_interrupt_is_no_traceback(tmp_path: Path, module: str, code: str) -> None:
    """Where nothing of ours is left to tell of it, Ctrl-C ends the process as it ends any."""
    (tmp_path / module).write_text(code)
    assert version_with(tmp_path) == (-signal.SIGINT, "")


def test_an_interrupt_that_is_ignored_stays_so(tmp_path: Path) -> None:
    """As in the background of a shell without job control."""
    (tmp_path / "sitecustomize.py").write_text("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n")
    (tmp_path / "json.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    assert version_with(tmp_path) == (0, "")


def test_two_snapshots_are_compared_without_anything_heavy(clone: Clone) -> None:
    """Diff reads tags and record only."""
    book = Notebook(clone)
    for nickname in ("one", "two"):
        book.ended(book.snapshot(f"al/roads/2026-11-01/{nickname}"))
    assert loaded(clone, "diff", "one", "two") & HEAVY == set()


def test_sending_a_change_loads_what_it_needs() -> None:
    """Neither archives and compressors, nor pools of threads, nor the compiler's modules, nor what drives an engine."""
    code = "import git_rvexp.startup, git_rvexp.workflow.building.ensure, sys; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=plain_environment(), capture_output=True, text=True, check=True
    )
    told = set(done.stdout.split())
    theirs = {"tarfile", "shutil", "tempfile", "lzma", "concurrent", "logging", "ast", "dis", "docker", "boto3"}
    ours = {"git_rvexp.aws", "git_rvexp.images.engine", "git_rvexp.images.build", "git_rvexp.executors"}
    assert told & (theirs | ours) == set()


def test_the_probe_sees_what_is_loaded(clone: Clone) -> None:
    """A settings file brings the TOML reader in: the test above would notice."""
    clone.write(".rvexp.toml", 'initials = "al"\n')
    Notebook(clone).snapshot("al/roads/2026-11-01/first")
    assert "tomli" in loaded(clone, "list", "--mine")
