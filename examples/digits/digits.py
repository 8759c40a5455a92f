"""What the four steps share: the digits, the model and the files between the steps.

The model is softmax regression: ten rows of 64 weights and a bias, one row for each digit.
Only the standard library is used, so any image with Python 3.11 runs it.
The steps themselves (what is read, what is written, when) are in chip, train, predict and eval.
"""

import csv
import gzip
import json
import math
import os
import re
from operator import mul
from pathlib import Path

DATA = Path(__file__).resolve().parent / "data" / "digits.csv.gz"
CLASSES = 10
PIXELS = 64
TEST_EVERY = 5  # sample 4, 9, 14 … is for testing, whatever the seed: runs stay comparable
CHIP_NAME = re.compile(r"chip-(\d+)-of-(\d+)\.csv")


# --- samples: (number in the data set, 64 pixels in 0..1 and a constant 1 for the bias, label) ---


def read_rows():
    """The whole data set as [number, 64 pixels 0..16, label]."""
    with gzip.open(DATA, "rt", encoding="ascii", newline="") as file:
        return [[number, *map(int, row)] for number, row in enumerate(csv.reader(file))]


def samples(rows):
    """Rows as the model wants them."""
    return [(row[0], [pixel / 16 for pixel in row[1:-1]] + [1.0], row[-1]) for row in rows]


def split(data):
    """Samples to learn from, samples to test on."""
    train = [sample for sample in data if sample[0] % TEST_EVERY != TEST_EVERY - 1]
    test = [sample for sample in data if sample[0] % TEST_EVERY == TEST_EVERY - 1]
    return train, test


# --- the model: ten rows of 65 numbers ---


def blank_model():
    """No knowledge: every digit is equally likely."""
    return [[0.0] * (PIXELS + 1) for _ in range(CLASSES)]


def probabilities(model, pixels):
    """How likely each of the ten digits is."""
    scores = [sum(map(mul, row, pixels)) for row in model]
    top = max(scores)  # taken off so that exp cannot overflow
    powers = [math.exp(score - top) for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def learn(model, batch, rate):
    """One step of gradient descent on a mini-batch, in place; the batch's summed loss before it."""
    gradient, loss = blank_model(), 0.0
    for _, pixels, label in batch:
        errors = probabilities(model, pixels)
        loss += cross_entropy(errors[label])
        errors[label] -= 1.0
        for digit, error in enumerate(errors):
            gradient[digit] = [g + error * x for g, x in zip(gradient[digit], pixels, strict=True)]
    step = rate / len(batch)
    for digit, row in enumerate(gradient):
        model[digit] = [w - step * g for w, g in zip(model[digit], row, strict=True)]
    return loss


def cross_entropy(probability):
    """The loss of one sample, from the probability given to its true digit."""
    return -math.log(max(probability, 1e-12))


def predict(model, pixels):
    """The most likely digit and its probability."""
    likely = probabilities(model, pixels)
    digit = likely.index(max(likely))
    return digit, likely[digit]


def evaluate(model, data):
    """(accuracy, mean loss) over samples."""
    right, loss = 0, 0.0
    for _, pixels, label in data:
        likely = probabilities(model, pixels)
        right += likely.index(max(likely)) == label
        loss += cross_entropy(likely[label])
    return right / len(data), loss / len(data)


# --- files between the steps ---


def tidy(value):
    """The same value with every number rounded to six places, so that it is always written alike."""
    if isinstance(value, dict):
        return {key: tidy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [tidy(item) for item in value]
    return round(value, 6) + 0.0 if isinstance(value, float) else value  # + 0.0 turns -0.0 into 0.0


def write_text(path, text):
    """Write a whole file or none: a step that is killed leaves nothing half-written behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)


def write_json(path, value):
    """Sorted keys, fixed number format: equal values are equal bytes."""
    write_text(path, json.dumps(tidy(value), indent=1, sort_keys=True) + "\n")


def write_csv(path, header, rows):
    """A header line, then a line for each row."""
    lines = [header, *rows]
    write_text(path, "".join(",".join(map(str, line)) + "\n" for line in lines))


def find_chips(shared):
    """The files chip.py wrote, in order; stops when some are missing or two sets are mixed."""
    folder = Path(shared) / "chips"
    found = sorted(path for path in folder.glob("chip-*.csv") if CHIP_NAME.fullmatch(path.name))
    sizes = {int(CHIP_NAME.fullmatch(path.name)[2]) for path in found}
    if not found:
        raise SystemExit(f"no chips in {folder}: run chip.py first")
    if len(sizes) > 1:
        raise SystemExit(f"{folder} holds chips of several splits: empty it and run chip.py again")
    if len(found) != max(sizes):
        raise SystemExit(f"{folder} holds {len(found)} of {max(sizes)} chips: run chip.py again")
    return found


def read_chip(path):
    """A chip's rows, as read_rows gives them."""
    with path.open(encoding="ascii", newline="") as file:
        return [[int(cell) for cell in row] for row in list(csv.reader(file))[1:]]


def array_index():
    """Which child of an array job this is; None outside one."""
    index = os.environ.get("AWS_BATCH_JOB_ARRAY_INDEX")
    return int(index) if index else None


def shared_folder():
    """Where the steps pass data on, unless --data says otherwise."""
    return os.environ.get("RVEXP_SHARED") or "shared"


def output_folder():
    """Where results go, unless --out says otherwise."""
    return os.environ.get("RVEXP_OUTPUT") or "out"
