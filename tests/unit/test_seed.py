"""The import hook that `seed.inject` puts into images, run by a real Python as in a job."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from git_rvexp.images import seed
from git_rvexp.workflow.repeating.seeding import check_seed, switches
from tests.conftest import Clone, plain_environment

# Stand-ins with the generators' interfaces, and as forgetful as the real ones: each process draws its own start.
NUMPY = """
import os
class SeedSequence:
    def __init__(self, entropy, key=()):
        self.entropy, self.key, self.children = entropy, key, 0
    def spawn(self, n):
        self.children += n
        return [SeedSequence(self.entropy, (*self.key, self.children))]
def default_rng(seed=None):
    return os.urandom(8).hex() if seed is None else (seed.entropy, seed.key) if isinstance(seed, SeedSequence) else seed
state = os.urandom(8).hex()
def seed(number):
    global state
    state = number
"""
TORCH = "import os\nstate = os.urandom(8).hex()\ndef manual_seed(number):\n    global state\n    state = number\n"


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A folder with the hook as an image has it, and libraries beside it."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook/sitecustomize.py").write_bytes(seed.hook())
    for name, text in {"numpy/__init__": "", "numpy/random": NUMPY, "torch": TORCH, "broken": ""}.items():
        path = tmp_path / f"lib/{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def run(job: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script that knows nothing of seeds in a Python that starts as in the image."""
    path = os.pathsep.join([str(job / "hook"), str(job / "lib")])
    env = {**plain_environment(), "PYTHONPATH": path, **environment}
    return subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)


DRAW = "import random; print(random.random())"


def test_random_repeats_with_a_seed_and_only_with_one(job: Path) -> None:
    """Equal seeds draw equally, others differ, and without a seed chance is left alone."""
    one, two = (run(job, DRAW, RVEXP_SEED="5").stdout for _ in range(2))
    assert one == two
    assert run(job, DRAW, RVEXP_SEED="6").stdout != one
    assert run(job, DRAW).stdout != run(job, DRAW).stdout


def test_libraries_are_seeded_when_they_are_imported(job: Path) -> None:
    """NumPy's old generator, its new ones made without a seed, each another, and PyTorch's; given seeds are kept."""
    drawn = "r.default_rng(), r.default_rng(), r.default_rng(9)"
    script = f"import numpy.random as r, torch; print(r.state, torch.state, {drawn})"
    assert run(job, script, RVEXP_SEED="5").stdout == "5 5 (5, (1,)) (5, (2,)) 9\n"


def test_nothing_is_imported_that_the_job_does_not_import(job: Path) -> None:
    """The hook waits."""
    script = "import sys; print(sorted({'random', 'numpy', 'torch', 'tensorflow', 'hashlib'} & set(sys.modules)))"
    assert run(job, script, RVEXP_SEED="5").stdout == "[]\n"


def test_children_of_an_array_draw_their_own(job: Path) -> None:
    """Derived from the run's seed and the index: each its own, and each the same again."""
    drawn = [run(job, DRAW, RVEXP_SEED="5", AWS_BATCH_JOB_ARRAY_INDEX=i).stdout for i in ("0", "1", "0")]
    assert drawn[0] == drawn[2] != drawn[1]
    assert run(job, DRAW, RVEXP_SEED="5").stdout not in drawn


def test_the_sitecustomize_behind_it_still_runs(job: Path) -> None:
    """An image that has one of its own keeps it."""
    (job / "lib/sitecustomize.py").write_text("import sys; sys.own = 'ran'\n")
    assert run(job, "import sys; print(sys.own)", RVEXP_SEED="5").stdout == "ran\n"


def test_a_library_that_cannot_be_seeded_does_not_stop_the_job(job: Path) -> None:
    """It is told on stderr."""
    (job / "lib/torch.py").write_text("def manual_seed(number):\n    raise RuntimeError('no device')\n")
    done = run(job, "import torch; print('goes on')", RVEXP_SEED="5")
    assert done.stdout == "goes on\n"
    assert "torch was not seeded: RuntimeError('no device')" in done.stderr


def test_a_library_finds_itself_as_it_would_without_the_hook(job: Path) -> None:
    """Its loader and spec are its own, so that resources and reloading work."""
    script = "import importlib, random; print(type(random.__spec__.loader).__name__, type(random.__loader__).__name__)"
    assert run(job, script, RVEXP_SEED="5").stdout == run(job, script).stdout
    again = "import importlib, random; importlib.reload(random); print(random.random())"
    assert run(job, again, RVEXP_SEED="5").stdout == run(job, DRAW, RVEXP_SEED="5").stdout


def test_the_switch_that_stops_unseeded_tensorflow_comes_with_the_hook_only() -> None:
    """Without the hook nobody seeds TensorFlow, and with TF_DETERMINISTIC_OPS it then refuses to draw."""
    with_hook, without = switches(5, injected=True), switches(5, injected=False)
    assert with_hook == {**without, "TF_DETERMINISTIC_OPS": "1"}
    assert (without["PYTHONHASHSEED"], without["CUBLAS_WORKSPACE_CONFIG"]) == ("5", ":4096:8")


def test_a_seed_that_numpy_refuses_is_refused_first(clone: Clone) -> None:
    """Nothing is planned with it; from end to end of the range Python's hashes get the seed as it is."""
    for number in (-1, 2**32):
        done = clone.rvexp("submit", f"--seed={number}", "--", "true")
        assert done.returncode == 2
        assert f"--seed must be from 0 to 4294967295, not {number}" in done.stderr
    for number in (0, 2**32 - 1):
        check_seed(number, "--seed")
        assert switches(number, injected=False)["PYTHONHASHSEED"] == str(number)
