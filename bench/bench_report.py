"""What each measurement leaves for the table of all: one JSON line, where RVEXP_BENCH_OUT names a file."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def record(bench: str, baseline: str, medians: Mapping[str, float], **facts: object) -> None:
    """Append the medians (in the unit that `facts` names, CPU seconds by default) of a bench to the file, if any."""
    out = os.environ.get("RVEXP_BENCH_OUT")
    if out:
        line = {"bench": bench, "baseline": baseline, "medians": dict(medians), **({"unit": "s CPU"} | facts)}
        with Path(out).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
