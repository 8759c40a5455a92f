"""Users without a home or a name, as containers have them, and paths with ~."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from git_rvexp import homes
from git_rvexp.errors import UsageError

NAMELESS = 43210
READS = "+dac_read_search"  # the interpreter may stand in somebody's home
AS_NAMELESS = ("setpriv", f"--reuid={NAMELESS}", f"--regid={NAMELESS}", "--clear-groups", f"--inh-caps={READS}")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of the nameless user's with one commit and an empty experiments remote."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="rvexp-nameless-") as name:
        top = Path(name)
        for words in (["init", "-q", "code"], ["init", "-q", "--bare", "experiments.git"]):
            subprocess.run(["git", *words], cwd=top, check=True)
        (top / "code" / "a.py").write_text("print(1)\n")
        ident = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        for words in (["add", "-A"], [*ident, "commit", "-qm", "one"]):
            subprocess.run(["git", *words], cwd=top / "code", check=True)
        subprocess.run(["chown", "-R", str(NAMELESS), name], check=True)
        yield top


def told(place: Path, *words: str, **more: str) -> tuple[int, str]:
    """The exit code and all that our program prints for a user that the system does not know and who has no HOME."""
    program = [*AS_NAMELESS, f"--ambient-caps={READS}", sys.executable, "-m", "git_rvexp", *words]
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **more}
    done = subprocess.run(program, cwd=place / "code", env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@needs_root
def test_a_user_without_a_name_and_a_home_takes_a_snapshot(place: Path) -> None:
    assert told(place, "init", "--remote", str(place / "experiments.git"), "--yes")[0] == 0
    code, said = told(place, "snapshot", "one")
    assert (code, said.count("/one\n")) == (0, 1), said
    code, said = told(place, "doctor")
    assert code in (0, 1), said
    assert "remote" in said


@needs_root
def test_what_cannot_be_linked_is_said(place: Path) -> None:
    """The wheel's share folder is there only where it was installed, so one is laid out."""
    asked = f"list(link(Path({str(place / 'share')!r}), homes.share({{}})))"
    page = place / "share/man/man1/git-rvexp.1"
    page.parent.mkdir(parents=True)
    page.touch()
    code = f"""
from pathlib import Path
from git_rvexp import homes
from git_rvexp.errors import RvexpError
from git_rvexp.workflow.preparing.mending import link
try:
    {asked}
except RvexpError as why:
    print(why)
"""
    program = [*AS_NAMELESS, f"--ambient-caps={READS}", sys.executable, "-c", code]
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(program, cwd=place, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == ("/nonexistent/.local/share/man/man1/git-rvexp.1 cannot be linked: Permission denied\n"), (
        done.stderr
    )


def test_each_variable_moves_its_folder() -> None:
    env = {"HOME": "/h"}
    assert homes.settings(env) == Path("/h/.config")
    assert homes.settings({**env, "XDG_CONFIG_HOME": "/c"}) == Path("/c")
    assert homes.share(env) == Path("/h/.local/share")
    assert homes.share({**env, "XDG_DATA_HOME": "/d"}) == Path("/d")
    assert homes.docker(env) == Path("/h/.docker/config.json")
    assert homes.docker({**env, "DOCKER_CONFIG": "/k"}) == Path("/k/config.json")


def test_the_home_of_nobody_we_know_is_told_as_a_mistake() -> None:
    assert homes.expanded("~/data") == Path.home() / "data"
    with pytest.raises(UsageError, match=r"^~no-such-user/data cannot be found: "):
        homes.expanded("~no-such-user/data")
