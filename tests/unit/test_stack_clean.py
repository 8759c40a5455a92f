"""`dev/stack clean`: what stopped parts have stored goes, what was brought from elsewhere stays."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A project of nothing but the stack's commands, with something stored by a part and something brought."""
    shutil.copytree(ROOT / "dev", tmp_path / "dev")
    for stored in ("registry/storage/blob", "peers/dvc"):
        place = tmp_path / ".dev" / stored
        place.parent.mkdir(parents=True)
        place.write_bytes(bytes(3_000_000))
    return tmp_path


def clean(top: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(top / "dev" / "stack"), "clean"]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_what_stopped_parts_have_stored_goes(copied: Path) -> None:
    done = clean(copied)
    assert (done.returncode, done.stderr) == (0, "3 MB removed. The next up makes what it needs again.\n")
    assert not (copied / ".dev/registry").exists()
    assert (copied / ".dev/peers/dvc").exists()


def test_nothing_is_removed_while_a_part_runs(copied: Path) -> None:
    running = {"where": "", "processes": [], "exports": {}, "facts": {}}
    (copied / ".dev/stack").mkdir()
    (copied / ".dev/stack/registry.json").write_text(json.dumps(running))
    done = clean(copied)
    assert (done.returncode, done.stderr) == (1, "dev/stack: Still running: registry.\nhint: dev/stack down\n")
    assert (copied / ".dev/registry/storage/blob").exists()
