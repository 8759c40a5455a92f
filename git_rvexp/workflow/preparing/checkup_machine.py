"""The checks of this machine: git, Python, the Docker engine, the manual."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping

from git_rvexp import homes
from git_rvexp.errors import RvexpError
from git_rvexp.git.plumbing import environment
from git_rvexp.git.process import NEEDED
from git_rvexp.workflow.preparing.checkup import Check, Scene, failed
from git_rvexp.workflow.preparing.mending import SHARED

_OLDEST_GIT = (2, 34)
_TRIED_GIT = (2, 39)  # the oldest that the tests are run with
# Before this, `git tag -s` with a broken ssh key exits 0 and leaves the tag unsigned.
_SIGNS_OR_FAILS = (2, 43, 2)
_NATURES = {"x86_64": "amd64", "aarch64": "arm64"}


def git(scene: Scene) -> Iterator[Check]:
    """Its version, and what is known to be wrong with that version."""
    told = _told(["git", "--version"], scene.environ)
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", told or "")
    if not found:
        yield Check("git", "bad", "git does not tell its version", NEEDED)
        return
    version = tuple(int(part or 0) for part in found.groups())
    if version < _OLDEST_GIT:
        yield Check("git", "bad", found[0], NEEDED)
    elif version < _TRIED_GIT:
        yield Check("git", "warn", f"{found[0]} should do, but is not tested with", "install git 2.39 or newer")
    else:
        yield Check("git", "ok", found[0])
    context = scene.context
    if context and version < _SIGNS_OR_FAILS and _signs_by_ssh(scene):
        text = f"git {found[0]} may leave a tag unsigned without an error when the ssh key is broken"
        yield Check("signing", "warn", text, "install git 2.43.2 or newer")


def python(scene: Scene) -> Iterator[Check]:
    """Its version, and whether modules are compiled again for every command."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if scene.environ.get("PYTHONDONTWRITEBYTECODE"):
        text = f"{version}; PYTHONDONTWRITEBYTECODE is set, so every command takes about twice as long"
        yield Check("python", "warn", text, "unset PYTHONDONTWRITEBYTECODE")
    else:
        yield Check("python", "ok", version)


def engine(scene: Scene) -> Iterator[Check]:
    """Whether a Docker engine answers, can use BuildKit, and runs the platform that images are built for."""
    from git_rvexp.images.build import buildx  # noqa: PLC0415  as below
    from git_rvexp.images.engine import Engine  # noqa: PLC0415  loads much that other checks do not need

    needed = not scene.settings.on_batch
    try:
        version = Engine.connect(scene.environ).client.version()
    except RvexpError as why:
        remedy = "start Docker, or set DOCKER_HOST; without it no image can be built here"
        yield Check("engine", "bad" if needed else "warn", failed("", why).text, remedy)
        return
    runs = f"{version['Os']}/{_NATURES.get(version['Arch'], version['Arch'])}"
    yield Check("engine", "ok", f"Docker {version['Version']} on {runs}")
    wanted = scene.settings.image_platform
    if wanted and not wanted.startswith(runs):
        text = f"images are built for {wanted}, and this engine is {runs}: slow, and only with emulation installed"
        yield Check("platform", "warn", text, "git rvexp config set image.platform " + runs)
    plugin = buildx(scene.environ)
    if plugin:
        yield Check("buildx", "ok", f"{plugin.version or 'of no version'}: BuildKit is there")
    else:
        text = "docker buildx is not there: Dockerfiles with RUN --mount or here-documents cannot be built"
        yield Check("buildx", "warn", text, "install the docker-buildx plugin")


def manual(scene: Scene) -> Iterator[Check]:
    """Whether `git rvexp --help` will find the page."""
    if not shutil.which("man", path=scene.environ.get("PATH")):
        yield Check("manual", "unknown", "man is not installed here", "git rvexp help")
    elif _told(["man", "-w", "git-rvexp"], scene.environ):
        yield Check("manual", "ok", "git rvexp --help works")
    else:
        linked = (homes.share(scene.environ) / SHARED[0]).exists()
        remedy = "put ~/.local/bin on PATH: man looks beside it" if linked else "git rvexp doctor --fix"
        yield Check("manual", "warn", "man does not find git-rvexp", remedy)


def _signs_by_ssh(scene: Scene) -> bool:
    assert scene.context
    asked = scene.context.repo.git("config", "--get-regexp", r"^(tag\.gpgsign|gpg\.format)$", ok=(0, 1)).lines
    return "gpg.format ssh" in asked and any(line.startswith("tag.gpgsign true") for line in asked)


def _told(command: list[str], environ: Mapping[str, str]) -> str:
    """The command's output; "" when it fails or is not there."""
    try:
        done = subprocess.run(
            command, env=environment(environ), capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
