"""An image with NumPy and PyTorch (CPU), on the base image: what tests of seeds need of real libraries.

The libraries are installed with pip for the base image's Python, whatever Python runs this. PyPI's PyTorch for x86-64
is built for GPUs and takes gigabytes, so it is never taken from there: a wheel that pip is pointed to (PIP_FIND_LINKS)
comes first, then PyTorch's own index of CPU builds (https://pytorch.org/get-started/locally/).
"""

import re
import tempfile
from pathlib import Path

from stacklib import images, libraries, paths, venv
from stacklib.part import Part, Running
from stacklib.process import StackError
from stacklib.story import say

IMAGE = "rvexp-learning:bookworm"
TORCH = "torch==2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def start() -> Running:
    """Build the image unless the engine has it."""
    if not images.has(IMAGE):
        _make()
    return Running(IMAGE, exports={"RVEXP_DEV_LEARNING_IMAGE": IMAGE})


def _make() -> None:
    venv.ensure("pip")
    say(f"Making the image {IMAGE} with NumPy and PyTorch (CPU), once (about 700 MB)")
    with tempfile.TemporaryDirectory(prefix="rvexp-learning-", dir=paths.cache()) as scratch:
        _install(Path(scratch) / "libraries")
        libraries.build(IMAGE, Path(scratch))


def _install(folder: Path) -> None:
    wheel = ("--no-deps", TORCH)
    if libraries.pip(folder, "--no-index", *wheel) and (
        said := libraries.pip(folder, "--index-url", CPU_INDEX, *wheel)
    ):
        raise StackError(f"{TORCH} for CPUs is neither among pip's own wheels nor to be had from {CPU_INDEX}:\n{said}")
    (metadata,) = folder.glob("torch-*.dist-info/METADATA")
    needs = re.findall(r"^Requires-Dist: ((?:(?!extra ==).)+)$", metadata.read_text(), re.MULTILINE)
    if said := libraries.pip(folder, "numpy>=2", *(n for n in needs if not n.startswith("setuptools"))):
        raise StackError(f"What PyTorch needs cannot be installed:\n{said}")


PART = Part("learning", start, lambda _running: images.has(IMAGE), after=("engine", "base"))
