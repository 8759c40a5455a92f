"""Raster Vision's pipeline and Batch runner: an image for its jobs, and `.dev/rastervision` to submit them from.

Only its pipeline, its Batch runner and its S3 files: what it needs of GDAL and PyTorch plays no part in how it submits.
"""

import tempfile
from pathlib import Path

from stacklib import images, libraries, paths, venv
from stacklib.part import Part, Running
from stacklib.process import StackError
from stacklib.story import say

IMAGE = "rvexp-rastervision:bookworm"
PACKAGES = ("rastervision_pipeline==0.31.1", "rastervision_aws_batch==0.31.1", "rastervision_aws_s3==0.31.1")


def start() -> Running:
    """Build the image unless the engine has it; make the environment unless it is there."""
    venv.ensure("pip")
    if not images.has(IMAGE):
        say(f"Making the image {IMAGE} with Raster Vision's pipeline, once")
        with tempfile.TemporaryDirectory(prefix="rvexp-rastervision-", dir=paths.cache()) as scratch:
            if said := libraries.pip(Path(scratch) / "libraries", *PACKAGES):
                raise StackError(f"Raster Vision cannot be installed:\n{said}")
            # Its runner calls `python`.
            libraries.build(IMAGE, Path(scratch), ["RUN ln -s python3 /usr/bin/python"])
    exports = {
        "RVEXP_DEV_RASTERVISION_IMAGE": IMAGE,
        "RVEXP_DEV_RASTERVISION_BIN": str(
            venv.apart("rastervision", PACKAGES, "Raster Vision's pipeline and Batch runner")
        ),
    }
    return Running(IMAGE, exports=exports)


def _stands(running: Running) -> bool:
    return images.has(IMAGE) and (Path(running.exports["RVEXP_DEV_RASTERVISION_BIN"]) / "rastervision").exists()


PART = Part("raster", start, _stands, after=("engine", "base"))
