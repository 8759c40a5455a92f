"""Seeds with the real libraries, in an image that has them: a script that knows nothing of seeds, repeated."""

from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.integration.parts import Stack
from tests.integration.test_repeat import DIFFERS, SAME, field, ran

# As people write it: nobody calls a seed. Dropout, shuffling and the start of the weights all draw.
SCRIPT = """
import json, pathlib, random
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

out = pathlib.Path("out")
out.mkdir(exist_ok=True)
(out / "random.txt").write_text(repr([random.random() for _ in range(9)]))
(out / "numpy.bin").write_bytes(np.random.rand(9).tobytes() + np.random.default_rng().normal(size=9).tobytes())
data = TensorDataset(torch.randn(64, 8), torch.tensor(np.random.randn(64, 1), dtype=torch.float32))
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters())
for x, y in DataLoader(data, batch_size=8, shuffle=True):
    optimizer.zero_grad()
    ((model(x) - y) ** 2).mean().backward()
    optimizer.step()
(out / "torch.bin").write_bytes(b"".join(p.detach().numpy().tobytes() for p in model.parameters()))
"""
FILES = ["out/numpy.bin", "out/random.txt", "out/torch.bin"]


@pytest.fixture
def study(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A repository with the script, in an image with NumPy and PyTorch."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone = Clone(tmp_path / "study")
    clone.path.mkdir()
    clone.git("init", "-q")
    clone.write("Dockerfile", f"FROM {stack.learning_image}\nWORKDIR /opt/src\nCOPY . /opt/src\n")
    clone.write("train.py", SCRIPT)
    clone.git("config", "rvexp.run.outputs", "out")
    clone.commit("first")
    return clone


@pytest.mark.parametrize("inject", [True, False])
def test_an_unseeded_training_repeats_with_the_hook_only(study: Clone, *, inject: bool) -> None:
    """With it all bytes are the same, whatever drew them; without it every library's file differs, and is named."""
    study.git("config", "rvexp.seed.inject", str(inject).lower())
    tag = study.rvexp("snapshot", "first").stdout.strip()
    first = ran(study, "--", "python3", "train.py")
    done = study.rvexp("repeat", first, "--wait")
    assert done.returncode == (SAME if inject else DIFFERS), done.stdout + done.stderr
    assert field(study, tag, "verdict", "result") == ("identical" if inject else "differs")
    told = done.stdout.splitlines()[1]
    assert told == ("identical; 3 files" if inject else f"differs; 3 changed ({', '.join(FILES)})")
