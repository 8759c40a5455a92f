"""Learn to read handwritten digits; write model.json and metrics.json.

    python3 train.py                 from the data set beside this file
    python3 train.py --chips         from what chip.py left in the shared folder, as a step of the chain

The seed decides the order in which samples are seen, and with it every byte of the result.
"""

import argparse
import os
import random
from pathlib import Path

import digits


def main():
    args = arguments()
    if args.chips:
        rows = [row for chip in digits.find_chips(args.data) for row in digits.read_chip(chip)]
    else:
        rows = digits.read_rows()
    train, test = digits.split(digits.samples(rows))
    if not train or not test:
        raise SystemExit(f"{len(train)} samples to learn from and {len(test)} to test on: need some of each")

    model, epochs = fit(train, test, args)
    model = digits.tidy(model)  # what is measured is what is written
    accuracy, loss = digits.evaluate(model, test)
    metrics = {
        "accuracy": accuracy,
        "loss": loss,
        "epochs": epochs,
        "seed": args.seed,
        "n_train": len(train),
        "n_test": len(test),
    }
    digits.write_json(Path(args.out) / "model.json", {"weights": model})
    digits.write_json(Path(args.out) / "metrics.json", metrics)
    if args.chips:
        digits.write_json(Path(args.data) / "model.json", {"weights": model})
    print(f"accuracy {accuracy:.4f} on {len(test)} digits never seen in training, seed {args.seed}")


def fit(train, test, args):
    """The trained model, and the figures of each epoch."""
    rng = random.Random(args.seed)
    model, epochs = digits.blank_model(), []
    for epoch in range(1, args.epochs + 1):
        rng.shuffle(train)
        batches = [train[start : start + args.batch] for start in range(0, len(train), args.batch)]
        train_loss = sum(digits.learn(model, batch, args.rate) for batch in batches) / len(train)
        accuracy, loss = digits.evaluate(model, test)
        epochs.append({"epoch": epoch, "train_loss": train_loss, "loss": loss, "accuracy": accuracy})
        print(f"epoch {epoch:2d}  train loss {train_loss:.4f}  test loss {loss:.4f}  accuracy {accuracy:.4f}")
    return model, epochs


def arguments():
    parser = argparse.ArgumentParser(description="Learn to read handwritten digits.")
    parser.add_argument("--seed", type=int, default=os.environ.get("RVEXP_SEED") or "0")
    parser.add_argument("--epochs", type=positive, default=20)
    parser.add_argument("--batch", type=positive, default=16, help="samples per step")
    parser.add_argument("--rate", type=float, default=0.3, help="learning rate")
    parser.add_argument("--out", default=digits.output_folder(), help="where results go")
    parser.add_argument("--chips", action="store_true", help="read chips from, and leave the model in, --data")
    parser.add_argument("--data", default=digits.shared_folder(), help="the folder shared by the steps")
    return parser.parse_args()


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


if __name__ == "__main__":
    main()
