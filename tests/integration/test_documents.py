"""What the documents tell people to type works as written, in a fresh copy of the example."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.integration.parts import PROJECT, Stack, make_digits

_BLOCK = re.compile(r"<!-- test: [^>]*? -->\n```sh\n(?P<script>.*?)```", re.DOTALL)


def scripts() -> dict[str, str]:
    """The shell blocks of each document that are marked as tested, one after another as a reader types them."""
    found = {}
    for path in [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]:
        script = "".join(block["script"] for block in _BLOCK.finditer(path.read_text()))
        if script:
            found[path.name] = script
    return found


@pytest.mark.parametrize("name", scripts())
def test_the_commands_work_as_written(name: str, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line in turn; the first that fails stops the script."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone = make_digits(stack, tmp_path / "digits")
    done = subprocess.run(
        ["sh", "-eux"], input=scripts()[name], cwd=clone.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    tags = clone.git("tag", "--list", "*/first").splitlines()
    assert len(tags) == 1
    assert ' ended run="' in clone.git("notes", "show", tags[0])
