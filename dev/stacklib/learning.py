"""An image with NumPy and PyTorch (CPU), on the base image: what tests of seeds need of real libraries.

The libraries are installed with pip for the base image's Python, whatever Python runs this. PyPI's PyTorch for x86-64
is built for GPUs and takes gigabytes, so it is never taken from there: a wheel that pip is pointed to (PIP_FIND_LINKS)
comes first, then PyTorch's own index of CPU builds (https://pytorch.org/get-started/locally/).
"""

import os
import platform
import re
import subprocess
import tempfile
from pathlib import Path

from stacklib import engine, images, paths, venv
from stacklib.part import Part, Running
from stacklib.process import StackError
from stacklib.story import say

IMAGE = "rvexp-learning:bookworm"
PYTHON = "3.11"  # of Debian bookworm
FOLDER = f"/usr/local/lib/python{PYTHON}/dist-packages"
TORCH = "torch==2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
WHEELS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014", "linux")


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
        (Path(scratch) / "Dockerfile").write_text(f"FROM {images.BASE}\nCOPY libraries {FOLDER}\n")
        done = subprocess.run(
            ["docker", "--host", engine.address(), "build", "--quiet", "--tag", IMAGE, scratch],
            env={**os.environ, "DOCKER_BUILDKIT": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(f"The image {IMAGE} cannot be built:\n{done.stderr.strip()}")


def _install(folder: Path) -> None:
    wheel = ("--no-deps", TORCH)
    if _pip(folder, "--no-index", *wheel) and (said := _pip(folder, "--index-url", CPU_INDEX, *wheel)):
        raise StackError(f"{TORCH} for CPUs is neither among pip's own wheels nor to be had from {CPU_INDEX}:\n{said}")
    (metadata,) = folder.glob("torch-*.dist-info/METADATA")
    needs = re.findall(r"^Requires-Dist: ((?:(?!extra ==).)+)$", metadata.read_text(), re.MULTILINE)
    if said := _pip(folder, "numpy>=2", *(n for n in needs if not n.startswith("setuptools"))):
        raise StackError(f"What PyTorch needs cannot be installed:\n{said}")


def _pip(folder: Path, *arguments: str) -> str:
    """Install into `folder`; "" when that went well, else the last lines of what pip said."""
    target = ["--target", str(folder), "--only-binary", ":all:", "--python-version", PYTHON, "--implementation", "cp"]
    target += [word for kind in WHEELS for word in ("--platform", f"{kind}_{platform.machine()}")]
    program = str(venv.FOLDER / "bin/python")
    done = subprocess.run(
        [program, "-m", "pip", "install", "--quiet", *target, *arguments], capture_output=True, text=True, check=False
    )
    return "\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-6:]) if done.returncode else ""


PART = Part("learning", start, lambda _running: images.has(IMAGE), after=("engine", "base"))
