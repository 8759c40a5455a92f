"""Step 3 of the chain: read the test digits of the chips with the model, write shared/predictions/*.csv.

As a child of an array job it does the one chip of its index; otherwise it does all of them.
"""

import argparse
import json
from pathlib import Path

import digits


def main():
    args = arguments()
    chips = digits.find_chips(args.data)
    index = digits.array_index()
    if index is not None and index >= len(chips):
        raise SystemExit(f"array child {index} has no chip: there are {len(chips)}")
    model = read_model(Path(args.data) / "model.json")
    for chip in chips if index is None else [chips[index]]:
        _, test = digits.split(digits.samples(digits.read_chip(chip)))
        rows = []
        for number, pixels, label in test:
            digit, probability = digits.predict(model, pixels)
            rows.append([number, label, digit, f"{probability:.6f}"])
        path = Path(args.data) / "predictions" / chip.name
        digits.write_csv(path, ["number", "label", "prediction", "probability"], rows)
        print(f"{path}  {len(rows)} digits")


def read_model(path):
    if not path.exists():
        raise SystemExit(f"no model at {path}: run train.py --chips first")
    return json.loads(path.read_text(encoding="utf-8"))["weights"]


def arguments():
    parser = argparse.ArgumentParser(description="Read the test digits of the chips with the model.")
    parser.add_argument("--data", default=digits.shared_folder(), help="the folder shared by the steps")
    return parser.parse_args()


if __name__ == "__main__":
    main()
