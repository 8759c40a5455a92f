"""A plain `git push experiments TAG` builds and records the image, on a real engine, with no other command."""

import re
import time
from pathlib import Path

from tests.conftest import Clone
from tests.integration.parts import Stack

TAG = "al/roads/2026-01-02/one"
HANG = 120  # seconds; only so that a test that would never end does


def test_a_plain_push_publishes(clone: Clone, stack: Stack, tmp_path: Path) -> None:
    """The pushed snapshot's image is built in the background, recorded here and on the remote; a log tells of it."""
    experiments = tmp_path / "experiments.git"
    clone.git("init", "-q", "--bare", str(experiments))
    clone.git("config", "rvexp.experiments-remote", str(experiments))
    clone.write("Dockerfile", f"FROM {stack.tiny_image}\nCOPY . /src\nLABEL test={tmp_path}\n")
    environment = {"DOCKER_HOST": stack.docker_host}
    words = ["snapshot", "one", "--initials", "al", "--project", "roads", "--date", "2026-01-02", "--no-push"]
    clone.rvexp(*words, env=environment)
    assert clone.rvexp("hook", "install", "--publish-on-push").returncode == 0
    clone.git("push", "-q", "experiments", TAG, env=environment)
    log = clone.path / ".git" / "rvexp" / "logs" / "post-push.log"
    end = time.monotonic() + HANG
    while f"done {TAG}" not in (told := log.read_text() if log.exists() else "") and time.monotonic() < end:
        assert "error: " not in told, told
        time.sleep(0.2)
    record = clone.git("notes", "--ref=refs/notes/rvexp", "show", TAG)
    found = re.search(r' image .*id="(sha256:[0-9a-f]{64})"', record)
    assert found, record + told
    image = found[1]
    assert stack.run("docker", "run", "--rm", image, "cat", "/src/train.py").stdout == "print('hello')\n"
    assert clone.git("ls-remote", str(experiments), "refs/notes/rvexp").split()[0] == clone.git(
        "rev-parse", "refs/notes/rvexp"
    )
    stack.run("docker", "rmi", "--force", image)
