"""The workflow for GitHub, which no test can run: its form, by the published schema, and what it may do."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.documents import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def checked(python: str, workflow: Path) -> subprocess.CompletedProcess[str]:
    """The schema that editors and GitHub's own starter workflows go by."""
    words = ("-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow))
    return subprocess.run([python, *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_it_is_a_workflow(workflow: Path, readers: str, tmp_path: Path) -> None:
    """As the schema has it; a misspelt key is found."""
    done = checked(readers, workflow)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(workflow.read_text().replace("runs-on:", "run-on:"))
    assert checked(readers, wrong).returncode != 0


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_it_may_read_and_runs_nobody_elses_code_by_a_name_that_moves(workflow: Path) -> None:
    """Permissions are of the whole file; actions are named by commit; nothing a stranger writes is put into a shell."""
    text = workflow.read_text()
    assert re.search(r"^permissions:\n  contents: read\n(?! )", text, re.MULTILINE)
    assert text.count("permissions:") == 1
    assert all(re.search(r"@[0-9a-f]{40} +# v", line) for line in text.splitlines() if re.search(r"\buses:", line))
    assert "pull_request_target" not in text
    for script in re.findall(r"run: \|\n((?: {10}.*\n)+)|run: (.*)", text):
        assert "${{" not in "".join(script)
