"""What the documents tell people to type works as written, in a fresh copy of the example."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.integration.parts import PROJECT, Stack

_BLOCK = re.compile(r"<!-- test: (?P<name>[^>]*?) -->\n```sh\n(?P<script>.*?)```", re.DOTALL)


def blocks() -> dict[str, str]:
    """Every shell block that is marked as tested, by file and name."""
    found = {}
    for path in [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]:
        for block in _BLOCK.finditer(path.read_text()):
            found[f"{path.name}: {block['name']}"] = block["script"]
    return found


@pytest.mark.parametrize("name", blocks())
def test_the_commands_work_as_written(name: str, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line in turn; the first that fails stops the script."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone = Clone(tmp_path / "digits")
    ignored = shutil.ignore_patterns("__pycache__", "out", "shared")
    shutil.copytree(PROJECT / "examples" / "digits", clone.path, ignore=ignored)
    clone.git("init", "-q")
    clone.git("config", "rvexp.image.buildArgs", f"BASE={stack.base_image}")
    clone.commit("the example")
    done = subprocess.run(
        ["sh", "-eux"], input=blocks()[name], cwd=clone.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    tags = clone.git("tag", "--list", "*/first").splitlines()
    assert len(tags) == 1
    assert ' ended run="' in clone.git("notes", "show", tags[0])
