"""Step 1 of the chain: cut the data set into chips, shared/chips/chip-0000-of-0010.csv and so on.

As a child of an array job it writes the one chip of its index; otherwise it writes all of them.
"""

import argparse
from pathlib import Path

import digits


def main():
    args = arguments()
    rows = digits.read_rows()
    if not 1 <= args.shards <= len(rows):
        raise SystemExit(f"--shards {args.shards}: must be 1 to {len(rows)}")
    index = digits.array_index()
    if index is not None and index >= args.shards:
        raise SystemExit(f"array child {index} has no chip: --shards is {args.shards}")
    header = ["number", *(f"pixel{n}" for n in range(digits.PIXELS)), "label"]
    for shard in range(args.shards) if index is None else [index]:
        first, end = (n * len(rows) // args.shards for n in (shard, shard + 1))
        path = Path(args.data) / "chips" / f"chip-{shard:04d}-of-{args.shards:04d}.csv"
        digits.write_csv(path, header, rows[first:end])
        print(f"{path}  {end - first} digits")


def arguments():
    parser = argparse.ArgumentParser(description="Cut the data set into chips.")
    parser.add_argument("--shards", type=int, default=10, help="how many chips")
    parser.add_argument("--data", default=digits.shared_folder(), help="the folder shared by the steps")
    return parser.parse_args()


if __name__ == "__main__":
    main()
