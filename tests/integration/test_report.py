"""What a page tells its reader to type works: from nothing but the page, the experiments remote and an engine."""

import subprocess
from pathlib import Path

import pytest
from lxml import html

from tests.integration.parts import Stack, make_digits


def test_the_page_says_how_to_repeat_it(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of the box in turn, in an empty folder, with the clone gone: identical."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone = make_digits(stack, tmp_path / "digits")
    clone.git("init", "-q", "--bare", str(tmp_path / "experiments.git"))
    clone.git("config", "rvexp.experiments-remote", str(tmp_path / "experiments.git"))
    assert clone.rvexp("snapshot", "first").returncode == 0
    done = clone.rvexp("submit", "--wait", "--output", "out", "--", "python3", "train.py", "--epochs", "1")
    assert done.returncode == 0, done.stderr
    made = clone.rvexp("report", "first", "-o", str(tmp_path / "page.html"))
    assert made.returncode == 0, made.stderr
    clone.path.rename(tmp_path / "gone")
    (box,) = (e for e in html.parse(tmp_path / "page.html").iter("pre") if "shell" in str(e.get("class")))
    install, *lines = "".join(map(str, box.itertext())).strip().splitlines()
    assert install == "pip install git-rvexp"
    (tmp_path / "elsewhere").mkdir()
    repeated = subprocess.run(
        ["sh", "-eux"],
        input="\n".join(lines),
        cwd=tmp_path / "elsewhere",
        capture_output=True,
        text=True,
        check=False,
    )
    assert repeated.returncode == 0, repeated.stderr
    assert "identical" in repeated.stdout
    checked = subprocess.run(
        ["git", "rvexp", "verify", "--report", str(tmp_path / "page.html")],
        cwd=tmp_path / "elsewhere" / "again",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, "byte for byte" in checked.stdout) == (0, True), checked.stdout + checked.stderr
