"""How costs grow, drawn: CPU against the number of tracked files, and against the number of experiments.

matplotlib draws it, from an environment of its own beside the peers; Vega and Plotly were weighed, and need
scripts or far more to make a plain SVG.
"""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import peers

DRAW = """
import json, sys
import matplotlib
matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "rvexp", "font.size": 9})
matplotlib.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})
import matplotlib.pyplot as plt
panels, target = json.load(sys.stdin), sys.argv[1]
figure, axes = plt.subplots(1, len(panels), figsize=(4.6 * len(panels), 3.4), squeeze=False)
for axis, panel in zip(axes[0], panels):
    for name, points in panel["lines"].items():
        points = sorted(points)
        axis.plot([x for x, _ in points], [1000 * y for _, y in points], marker="o", markersize=3, label=name)
    axis.set(xscale="log", yscale="log", xlabel=panel["x"], ylabel="CPU ms", title=panel["title"])
    axis.grid(alpha=0.25)
    axis.legend(fontsize=7, frameon=False)
figure.tight_layout()
figure.savefig(target, metadata={"Date": None})
"""
PANELS = (
    ("snapshot", "files", "Snapshot", ("git rvexp snapshot", "bare plumbing", "dvc exp save", "datalad save -m")),
    ("looking", "experiments", "Looking", ("list", "show TAG", "diff", "git notes show TAG", "python, nothing")),
)


def draw(figures: Sequence[dict[str, Any]], target: Path) -> bool:
    """The picture of what was recorded, where more than one size was measured; whether there is one."""
    panels = []
    for bench, size, title, wanted in PANELS:
        rows = [f for f in figures if f["bench"] == bench]
        lines = {name: [(row[size], row["medians"][name]) for row in rows if name in row["medians"]] for name in wanted}
        if len(rows) > 1:
            panels.append({"title": title, "x": size, "lines": {n: p for n, p in lines.items() if p}})
    path = peers.FOLDER / "plot" / "bin" / "python"
    if not panels:
        return False
    try:
        subprocess.run([str(path), "-c", DRAW, str(target)], input=json.dumps(panels), text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as why:
        print(f"no picture was drawn: {why}")
        return False
    return True
