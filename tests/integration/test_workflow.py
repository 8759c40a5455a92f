"""The workflow for GitHub, which no test can run: its form, and what it may do, by zizmor and by its text."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.documents import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def audited(python: str, workflow: Path) -> subprocess.CompletedProcess[str]:
    """Zizmor's word on a file: GitHub's schema, permissions, pins, and what a stranger could put into a script."""
    program = str(Path(python).parent / "zizmor")
    words = (program, "--offline", "--pedantic", "--no-progress", str(workflow))
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_it_is_a_workflow_without_findings(workflow: Path, readers: str, tmp_path: Path) -> None:
    """A misspelt key, more permissions, and a branch's name in a script are found in copies of it."""
    done = audited(readers, workflow)
    assert done.returncode == 0, done.stdout + done.stderr
    text = workflow.read_text()
    for old, new in {
        "runs-on:": "run-on:",
        "contents: read": "contents: write",
        "git init --quiet .": "git init --quiet . ${{ github.head_ref }}",
    }.items():
        assert old in text
        wrong = tmp_path / "wrong.yml"
        wrong.write_text(text.replace(old, new))
        assert audited(readers, wrong).returncode != 0, new


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_it_may_read_and_names_actions_by_commit(workflow: Path) -> None:
    """Permissions are of the whole file; nothing is filled into a script; an action has its version beside it."""
    text = workflow.read_text()
    assert re.search(r"^permissions:\n  contents: read\n(?! )", text, re.MULTILINE)
    assert text.count("permissions:") == 1
    assert "pull_request_target" not in text
    assert all(re.search(r"@[0-9a-f]{40} +# v", line) for line in text.splitlines() if re.search(r"\buses:", line))
    scripts = re.findall(r"run: \|\n((?: {10}.*\n)+)|run: ([^|\n]+)\n", text)
    assert len(scripts) == text.count(" run: ")
    assert all("${{" not in "".join(script) for script in scripts)
