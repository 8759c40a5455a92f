"""Step 4 of the chain: compare the predictions of all chips with the truth, write eval.json.

confusion[i][j] counts the digits i that were read as j.
"""

import argparse
import csv
from pathlib import Path

import digits


def main():
    args = arguments()
    rows = [row for path in find_predictions(args.data) for row in read_predictions(path)]
    if not rows:
        raise SystemExit("the predictions hold no test digits: nothing to evaluate")
    confusion = [[0] * digits.CLASSES for _ in range(digits.CLASSES)]
    for row in rows:
        confusion[int(row["label"])][int(row["prediction"])] += 1
    right = sum(confusion[digit][digit] for digit in range(digits.CLASSES))
    result = {"accuracy": right / len(rows), "n_test": len(rows), "confusion": confusion}
    digits.write_json(Path(args.out) / "eval.json", result)
    print(f"accuracy {right / len(rows):.4f}: {right} of {len(rows)} digits read correctly")


def find_predictions(shared):
    """One file for each chip; stops, naming them, when some are missing."""
    folder = Path(shared) / "predictions"
    paths = [folder / chip.name for chip in digits.find_chips(shared)]
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        raise SystemExit(f"no predictions in {folder} for: {' '.join(missing)}")
    return paths


def read_predictions(path):
    with path.open(encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))


def arguments():
    parser = argparse.ArgumentParser(description="Compare the predictions of all chips with the truth.")
    parser.add_argument("--out", default=digits.output_folder(), help="where results go")
    parser.add_argument("--data", default=digits.shared_folder(), help="the folder shared by the steps")
    return parser.parse_args()


if __name__ == "__main__":
    main()
