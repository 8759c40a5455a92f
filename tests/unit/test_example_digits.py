"""The digits example does what its README says: repeatable by seed, learns, and its four steps agree.

The example runs as people run it, as programs in a folder of their own; nothing of it is imported here.
Running it in an image, through git rvexp, is left to the integration tests.
"""

import csv
import gzip
import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "digits"
HANG = 300  # seconds; only so that an endless loop ends


def run(step: list[str], cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a step of the example (file name and arguments) in `cwd`, with nothing inherited but the PATH."""
    clean = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
    command = [sys.executable, str(EXAMPLE / step[0]), *step[1:]]
    return subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, timeout=HANG, check=False)


def ok(step: list[str], cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a step that must succeed; what it printed."""
    done = run(step, cwd, env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def train(cwd: Path, *arguments: str, env: dict[str, str] | None = None) -> dict[str, bytes]:
    """Train for one epoch in a new folder; the bytes of the files it wrote, by name."""
    cwd.mkdir()
    ok(["train.py", "--epochs", "1", *arguments], cwd, env)
    return {path.name: path.read_bytes() for path in sorted((cwd / "out").iterdir())}


def load(path: Path) -> Any:
    """The JSON value in a file."""
    return json.loads(path.read_text(encoding="utf-8"))


def accuracy_by_hand(model: list[list[float]]) -> float:
    """Accuracy of the weights on every fifth line of the data set, worked out without the example's code."""
    right = total = 0
    with gzip.open(EXAMPLE / "data" / "digits.csv.gz", "rt", encoding="ascii") as file:
        for number, line in enumerate(file):
            if number % 5 == 4:
                *pixels, label = (int(cell) for cell in line.split(","))
                scores = [row[64] + sum(row[n] * pixel / 16 for n, pixel in enumerate(pixels)) for row in model]
                right += max(range(10), key=scores.__getitem__) == label
                total += 1
    return right / total


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    """Two runs with one seed write the same files, byte for byte, and nothing else."""
    first = train(tmp_path / "a", "--seed", "7")
    assert list(first) == ["metrics.json", "model.json"]
    assert train(tmp_path / "b", "--seed", "7") == first


def test_other_seed_other_bytes(tmp_path: Path) -> None:
    """Another seed gives another model and other metrics."""
    first, second = train(tmp_path / "a", "--seed", "7"), train(tmp_path / "b", "--seed", "8")
    assert first["model.json"] != second["model.json"]
    weights = [json.loads(files["model.json"])["weights"] for files in (first, second)]
    assert weights[0] != weights[1]
    losses = [json.loads(files["metrics.json"])["loss"] for files in (first, second)]
    assert losses[0] != losses[1]


def test_where_the_seed_comes_from(tmp_path: Path) -> None:
    """--seed wins over RVEXP_SEED, which wins over 0; an empty RVEXP_SEED counts as none."""
    seven = train(tmp_path / "flag", "--seed", "7", env={"RVEXP_SEED": "8"})
    assert train(tmp_path / "env", env={"RVEXP_SEED": "7"}) == seven
    zero = train(tmp_path / "default")
    assert json.loads(zero["metrics.json"])["seed"] == 0
    assert train(tmp_path / "empty", env={"RVEXP_SEED": ""}) == zero


def test_where_results_go(tmp_path: Path) -> None:
    """--out wins over RVEXP_OUTPUT, which wins over ./out."""
    env = {"RVEXP_OUTPUT": str(tmp_path / "by-env")}
    ok(["train.py", "--epochs", "1"], tmp_path, env)
    ok(["train.py", "--epochs", "1", "--out", "by-flag"], tmp_path, env)
    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json"))
    assert written == [f"by-{place}/{name}.json" for place in ("env", "flag") for name in ("metrics", "model")]


def test_default_run_learns_to_read_digits(tmp_path: Path) -> None:
    """With no arguments: 90 % or better on the test digits, and metrics that tell how it got there."""
    printed = ok(["train.py"], tmp_path).splitlines()
    metrics, model = load(tmp_path / "out/metrics.json"), load(tmp_path / "out/model.json")
    assert metrics["accuracy"] >= 0.9
    assert metrics["accuracy"] == round(accuracy_by_hand(model["weights"]), 6)
    assert (metrics["n_train"], metrics["n_test"], metrics["seed"]) == (1438, 359, 0)
    assert [epoch["epoch"] for epoch in metrics["epochs"]] == list(range(1, 21))
    assert metrics["epochs"][-1]["train_loss"] < metrics["epochs"][0]["train_loss"] / 2
    assert sum(line.startswith("epoch") for line in printed) == 20


def chain_steps() -> list[dict[str, Any]]:
    """The steps of chain.toml, in the order of the file."""
    steps: list[dict[str, Any]] = tomllib.loads((EXAMPLE / "chain.toml").read_text(encoding="utf-8"))["step"]
    return steps


def run_chain(cwd: Path, env: dict[str, str]) -> None:
    """Run chain.toml's commands in the order of the file, each array child on its own, last child first."""
    for step in chain_steps():
        python, *command = step["command"]
        assert python == "python3"
        for index in reversed(range(step.get("array", 1))):
            child = {"AWS_BATCH_JOB_ARRAY_INDEX": str(index)} if "array" in step else {}
            ok(command, cwd, env | child)


def test_chain_file_is_chip_train_predict_eval() -> None:
    """chain.toml holds the four steps, each after the one before, with an array of ten in the middle."""
    shape = [(step["name"], step.get("after"), step.get("array")) for step in chain_steps()]
    assert shape == [
        ("chip", None, None),
        ("train", ["chip"], None),
        ("predict", ["train"], 10),
        ("eval", ["predict"], None),
    ]


def test_chain_agrees_with_the_plain_run(tmp_path: Path) -> None:
    """The four steps end in the same model as train.py alone, and eval's accuracy is the true one."""
    plain = tmp_path / "plain"
    plain.mkdir()
    ok(["train.py", "--seed", "3"], plain)
    run_chain(tmp_path, {"RVEXP_SEED": "3", "RVEXP_SHARED": "between", "RVEXP_OUTPUT": "results"})
    results = tmp_path / "results"
    assert len(list((tmp_path / "between/predictions").iterdir())) == 10
    for name in ("model.json", "metrics.json"):
        assert (results / name).read_bytes() == (plain / "out" / name).read_bytes()
    evaluation, model = load(results / "eval.json"), load(results / "model.json")
    assert evaluation["accuracy"] == round(accuracy_by_hand(model["weights"]), 6)
    assert evaluation["accuracy"] == load(results / "metrics.json")["accuracy"]
    assert sum(map(sum, evaluation["confusion"])) == evaluation["n_test"] == 359


def test_chips_hold_every_digit_once(tmp_path: Path) -> None:
    """Chips written by array children equal those written at once, and together are the data set."""
    ok(["chip.py", "--shards", "7", "--data", "at-once"], tmp_path)
    for index in range(7):
        child = {"AWS_BATCH_JOB_ARRAY_INDEX": str(index)}
        ok(["chip.py", "--shards", "7", "--data", "children"], tmp_path, child)
    chips = sorted((tmp_path / "at-once/chips").iterdir())
    children = sorted((tmp_path / "children/chips").iterdir())
    assert [path.read_bytes() for path in chips] == [path.read_bytes() for path in children]
    assert [path.name for path in children] == [f"chip-{n:04d}-of-0007.csv" for n in range(7)]
    with gzip.open(EXAMPLE / "data" / "digits.csv.gz", "rt", encoding="ascii") as file:
        data = [[str(number), *line] for number, line in enumerate(csv.reader(file))]
    assert [row for chip in chips for row in csv.reader(chip.read_text().splitlines()[1:])] == data


def test_predict_without_an_array_does_every_chip(tmp_path: Path) -> None:
    """By hand, without array children, predict.py does all the chips and eval.py counts them all."""
    for step in (["chip.py", "--shards", "4"], ["train.py", "--chips", "--epochs", "1"], ["predict.py"]):
        ok(step, tmp_path)
    assert len(list((tmp_path / "shared/predictions").iterdir())) == 4
    ok(["eval.py"], tmp_path)
    assert load(tmp_path / "out/eval.json")["n_test"] == 359


@pytest.mark.parametrize(
    ("before", "step", "index", "message"),
    [
        ([], ["train.py", "--chips"], "", "no chips in shared/chips: run chip.py first"),
        ([["chip.py"]], ["predict.py"], "", "no model at shared/model.json: run train.py --chips first"),
        ([["chip.py"]], ["predict.py"], "10", "array child 10 has no chip: there are 10"),
        ([["chip.py", "--shards", "2"]], ["eval.py"], "", "no predictions in shared/predictions for"),
        ([["chip.py"], ["chip.py", "--shards", "2"]], ["train.py", "--chips"], "", "chips of several splits"),
        ([], ["chip.py", "--shards", "0"], "", "--shards 0: must be 1 to 1797"),
        ([], ["chip.py", "--shards", "3"], "3", "array child 3 has no chip: --shards is 3"),
        ([], ["train.py", "--epochs", "0"], "", "0 is not 1 or more"),
        ([], ["train.py", "--seed", "x"], "", "invalid int value: 'x'"),
    ],
)
def test_a_step_that_cannot_run_says_why(
    tmp_path: Path, before: list[list[str]], step: list[str], index: str, message: str
) -> None:
    """Out of order or out of range, a step fails with one plain sentence and writes no results."""
    for earlier in before:
        ok(earlier, tmp_path)
    failed = run(step, tmp_path, {"AWS_BATCH_JOB_ARRAY_INDEX": index})
    assert failed.returncode != 0
    assert message in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "out").exists()


def test_missing_chip_is_noticed(tmp_path: Path) -> None:
    """A chip that was lost stops the training instead of quietly making it smaller."""
    ok(["chip.py"], tmp_path)
    (tmp_path / "shared/chips/chip-0004-of-0010.csv").unlink()
    failed = run(["train.py", "--chips"], tmp_path)
    assert failed.returncode != 0
    assert "shared/chips holds 9 of 10 chips" in failed.stderr


def test_data_is_the_file_its_readme_describes() -> None:
    """The checksum in data/README is that of the data, which names its source and licence."""
    readme = (EXAMPLE / "data" / "README").read_text(encoding="utf-8")
    data = gzip.decompress((EXAMPLE / "data" / "digits.csv.gz").read_bytes())
    assert hashlib.sha256(data).hexdigest() in readme
    assert "CC BY 4.0" in readme
    assert data.count(b"\n") == 1797
