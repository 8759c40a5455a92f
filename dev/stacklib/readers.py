"""Programs by others that read what we write: `.dev/readers`, an environment of its own, for tests only.

Trackers' clients, validators of the formats that `export` writes, GitHub's own models. They do not go into `.venv`:
they bring a hundred packages, some of them pinned to years that ours are not.
"""

from pathlib import Path

from stacklib import venv

PACKAGES = (
    "mlflow-skinny>=3.17",
    "wandb>=0.31",
    "rocrate>=0.16",
    "roc-validator>=0.13",
    "in-toto-attestation>=0.9.3",
    "cffconvert>=2.0",
    "githubkit>=0.16",  # GitHub's description of its requests
    "hishel>=1.3,<2",  # what githubkit is written for
    "zizmor>=1.32",  # audits GitHub workflows, by their schema
)


def ensure() -> Path:
    """The environment's Python; it is made, or made anew, when the list above has changed."""
    return venv.apart("readers", PACKAGES, "readers of the exported formats (dev/stacklib/readers.py)") / "python"
