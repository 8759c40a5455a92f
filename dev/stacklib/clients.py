"""Independent clients that the tests check our work with: skopeo, umoci, containerd and the aws CLI. Nothing to run."""

from stacklib.apt import missing
from stacklib.part import Package, Part, Running

PACKAGES = (
    Package("skopeo", "skopeo"),
    Package("umoci", "umoci"),
    Package("containerd", "ctr"),
    Package("awscli", "/usr/bin/aws"),
)


def answers(_running: Running) -> bool:
    """Whether all of them are installed."""
    return not missing(PACKAGES)


PART = Part("clients", lambda: Running("skopeo, umoci, containerd, aws"), answers, lambda: PACKAGES)
