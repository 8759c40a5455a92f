"""What the documents tell people to type works as written, page by page, each typed from top to bottom by one shell."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.documents import PAGES, typed
from tests.integration.desks import Desk, Lab, desk
from tests.integration.parts import AWS, ForgeRepo, Stack

ELSEWHERE = {"docs/raster-vision.md": "tests/integration/test_raster_vision.py"}


def script(page: str, at: Desk, said: Path) -> str:
    """What is typed; what a console block's command prints goes to a file of its own in `said`."""
    lines = [at.before]
    number = 0
    for block in typed(page):
        lines.append(at.meanwhile.get(block.typed()[0], ""))
        for line in block.typed():
            if block.language == "console":
                lines.append(f"{{ {line}; }} > {said / str(number)} 2>&1 || true")
                number += 1
            else:
                lines.append(line)
    text = "\n".join(lines) + "\n"
    for name in sorted(at.names, key=len, reverse=True):
        assert name in text, f"{page} no longer has {name}"
        text = text.replace(name, at.names[name])
    return text


def follow(page: str, at: Desk, said: Path) -> None:
    """Type the page; the first line that fails stops. What it shows as printed has to be printed."""
    said.mkdir()
    done = subprocess.run(
        ["sh", "-eux"], input=script(page, at, said), cwd=at.clone.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = [lines for block in typed(page) for _command, lines in block.printed()]
    for number, lines in enumerate(shown):
        printed = (said / str(number)).read_text()
        assert missing(lines, printed) == [], printed


def missing(shown: list[str], printed: str) -> list[str]:
    """The lines of a page that were not printed: held against the output by their first words, and in order.

    Words with a digit, a path or a name in them (dates, ids, addresses) are another reader's, and may be anything.
    """
    rest = iter(opening(line) for line in printed.splitlines())
    return [line for line in shown if not any(opening(line) == found for found in rest)]


def opening(line: str) -> list[str]:
    """The first three words of a line; `*` for one that is not the same for everybody (one id in 50 has no digit)."""
    own = re.compile(r"[0-9/…'\"]|^[a-hjkmnp-tv-z]{10}$")
    return ["*" if own.search(word) else word for word in line.split()[:3]]


def record(clone: Clone) -> str:
    """All lines of the clone's record, by plain git."""
    notes = [line.split()[0] for line in clone.git("notes", "--ref=rvexp", "list").splitlines()]
    return "\n".join(clone.git("cat-file", "blob", note) for note in notes)


@pytest.fixture
def lab(stack: Stack, forge_repo: Callable[[], ForgeRepo], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The stack in the variables of the shell; git knows the forge's password, and `aws` goes to the stack."""
    for variable, value in stack.environment().items():
        monkeypatch.setenv(variable, value)
    stack.run("git", "config", "--global", f"credential.{stack.forge}.helper", stack.git_helper)
    shim = tmp_path / "bin" / "aws"  # Debian's reads no AWS_ENDPOINT_URL yet
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {AWS} --endpoint-url={stack.aws_endpoint} "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent), prepend=":")
    return Lab(stack, tmp_path, forge_repo)


@pytest.mark.parametrize("page", [page for page in PAGES if typed(page) and page not in ELSEWHERE])
def test_the_commands_work_as_written(page: str, lab: Lab, tmp_path: Path) -> None:
    """Every block of the page, in order, at the page's desk."""
    at = desk(page, lab)
    follow(page, at, tmp_path / "said")
    told = record(at.clone)
    assert [text for text in at.shows if text not in told] == [], told
    assert [name for name in at.leaves if not (at.clone.path / name).is_file()] == []
