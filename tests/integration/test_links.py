"""MLflow's and W&B's own clients in a job name the snapshot, told by nothing but the job's variables."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.integration.parts import Stack, make_digits

ADDRESS = "https://git.example.org/team/experiments.git"
MLFLOW = """
import json, mlflow
with mlflow.start_run() as run:
    mlflow.log_metric("accuracy", 0.9)
kept = mlflow.get_run(run.info.run_id)
print(json.dumps({"name": kept.info.run_name, **kept.data.tags}))
"""
WANDB = """
import json, wandb
run = wandb.init(project="digits", mode="offline")
run.log({"accuracy": 0.9})
print("NAME", json.dumps({"name": run.name, "notes": run.notes}))
run.finish()
"""


@pytest.fixture
def digits(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """The example with a snapshot; its experiments remote has an address for others and is a folder beside it."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone = make_digits(stack, tmp_path / "digits")
    clone.git("init", "-q", "--bare", str(tmp_path / "experiments.git"))
    clone.git("config", "--global", f"url.{tmp_path / 'experiments.git'}.insteadOf", ADDRESS)
    clone.git("config", "rvexp.experiments-remote", ADDRESS)
    clone.rvexp("snapshot", "first")
    return clone


def variables(stack: Stack, clone: Clone, *words: str) -> dict[str, str]:
    """The variables of a job's container, as the engine has them."""
    done = clone.rvexp("submit", "--wait", "--json", *words, "--", "true")
    assert done.returncode == 0, done.stderr
    job = json.JSONDecoder().raw_decode(done.stdout)[0]["job"]
    told = json.loads(stack.run("docker", "inspect", job).stdout)[0]["Config"]["Env"]
    return dict(entry.split("=", 1) for entry in told)


def read(readers: str, script: str, folder: Path, env: dict[str, str]) -> str:
    """What a client prints, run far from any repository with the job's variables."""
    folder.mkdir()
    outside = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME")}
    own = {"MLFLOW_TRACKING_URI": f"file://{folder}/mlruns", "MLFLOW_ALLOW_FILE_STORE": "true"}
    own |= {"WANDB_DIR": str(folder), "WANDB_SILENT": "true"}
    given = {k: v for k, v in env.items() if k.startswith(("MLFLOW_", "WANDB_", "RVEXP_"))}
    done = subprocess.run(
        [readers, "-c", script],
        cwd=folder,
        env={**outside, **own, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_mlflow_names_the_snapshot(digits: Clone, stack: Stack, readers: str, tmp_path: Path) -> None:
    """Name, commit, image and source stand on a run of MLflow's client."""
    env = variables(stack, digits)
    told = json.loads(read(readers, MLFLOW, tmp_path / "away", env).splitlines()[-1])
    assert told["name"] == f"first-{env['RVEXP_RUN']}"
    assert told["mlflow.source.git.commit"] == digits.git("rev-parse", f"{env['RVEXP_TAG']}^{{commit}}")
    assert told["mlflow.source.git.repoURL"] == ADDRESS
    assert told["mlflow.docker.image.uri"] == env["RVEXP_IMAGE"]
    assert told["rvexp.tag"] == env["RVEXP_TAG"]


def test_wandb_names_the_snapshot(digits: Clone, stack: Stack, readers: str, tmp_path: Path) -> None:
    """The same on a run of W&B's client, in what it would upload."""
    env = variables(stack, digits)
    folder = tmp_path / "away"
    told = json.loads(read(readers, WANDB, folder, env).split("NAME ", 1)[1].splitlines()[0])
    assert (told["name"], told["notes"]) == (f"first-{env['RVEXP_RUN']}", env["RVEXP_TAG"])
    (log,) = folder.rglob("run-*.wandb")
    written = log.read_bytes()
    commit = digits.git("rev-parse", f"{env['RVEXP_TAG']}^{{commit}}")
    for text in (commit, ADDRESS, env["RVEXP_IMAGE"]):
        assert text.encode() in written, list(folder.rglob("*"))


def test_what_the_user_sets_stays(digits: Clone, stack: Stack) -> None:
    """A variable of the user's own is never replaced, and none is set where the setting says so."""
    env = variables(stack, digits, "--env", "WANDB_NAME=mine")
    assert env["WANDB_NAME"] == "mine"
    assert env["WANDB_DOCKER"] == env["RVEXP_IMAGE"]
    (digits.path / "Dockerfile").open("a").write("ENV WANDB_NAME=images WANDB_TAGS=images\n")
    digits.rvexp("snapshot", "second")
    env = variables(stack, digits)
    assert (env["WANDB_NAME"], env["WANDB_TAGS"]) == (f"second-{env['RVEXP_RUN']}", "images")
    digits.git("config", "rvexp.job.links", "false")
    assert variables(stack, digits)["WANDB_NAME"] == "images"
    assert not [name for name in variables(stack, digits, "first") if name.startswith(("WANDB_", "MLFLOW_"))]


def test_a_repeat_has_links_of_its_own(digits: Clone, stack: Stack) -> None:
    """The repeat's trackers get its own run's name; neither the verdict nor a diff takes that for a difference."""
    first = digits.rvexp("submit", "--wait", "--output", "out", "--", "python3", "train.py", "--epochs", "1")
    done = digits.rvexp("repeat", "first", "--wait")
    assert done.returncode == 0, done.stderr
    original, again = first.stdout.strip(), done.stdout.splitlines()[0]
    planned = digits.git("notes", "show", digits.git("tag", "-l", "*/first")).splitlines()
    names = [line.split('"WANDB_NAME":"')[1].split('"')[0] for line in planned if " planned " in line]
    assert names == [f"first-{original}", f"first-{again}"]
    assert "env" not in digits.rvexp("diff", original, again).stdout
