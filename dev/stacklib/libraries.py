"""Python libraries in an image, on the base image: installed with pip for that image's Python, whatever runs this."""

import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

from stacklib import engine, images, venv
from stacklib.process import StackError

PYTHON = "3.11"  # of Debian bookworm
FOLDER = f"/usr/local/lib/python{PYTHON}/dist-packages"
WHEELS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014", "linux")


def pip(folder: Path, *arguments: str) -> str:
    """Install into `folder`; "" when that went well, else the last lines of what pip said."""
    target = ["--target", str(folder), "--only-binary", ":all:", "--python-version", PYTHON, "--implementation", "cp"]
    target += [word for kind in WHEELS for word in ("--platform", f"{kind}_{platform.machine()}")]
    program = str(venv.FOLDER / "bin/python")
    done = subprocess.run(
        [program, "-m", "pip", "install", "--quiet", *target, *arguments], capture_output=True, text=True, check=False
    )
    return "\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-6:]) if done.returncode else ""


def build(image: str, scratch: Path, lines: Iterable[str] = ()) -> None:
    """Make `image` with the libraries in `scratch`/libraries, and more lines of a Dockerfile."""
    (scratch / "Dockerfile").write_text("\n".join([f"FROM {images.BASE}", f"COPY libraries {FOLDER}", *lines, ""]))
    done = subprocess.run(
        ["docker", "--host", engine.address(), "build", "--quiet", "--tag", image, str(scratch)],
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StackError(f"The image {image} cannot be built:\n{done.stderr.strip()}")
