"""One image from one context: by the buildx command line where there is one, else by the engine's classic builder.

The docker package drives the classic builder only, which lacks `RUN --mount`, secrets and here-documents that many
Dockerfiles use. Neither builder is promised to give the same bytes twice; that is why images are found by content
and pinned by digest rather than built again.
"""

import re
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.images.engine import Engine
from git_rvexp.images.recipe import Recipe, Say
from git_rvexp.names import Digest

_KEPT_LINES = 20
_VERSION = re.compile(r"\bv?(?P<whole>(?P<major>\d+)\.(?P<minor>\d+)\.\d\S*)")
_FLAGS = re.compile(
    r"^\s*(?:RUN|COPY|ADD)\s+(?:--\S+\s+)*--(?:mount|link|network|security|parents|exclude|chmod)\b",
    re.MULTILINE | re.IGNORECASE,
)
_HEREDOC = re.compile(r"^\s*(?:RUN|COPY|ADD)\b.*<<-?[\"']?[A-Za-z_]", re.MULTILINE | re.IGNORECASE)
_STEP = re.compile(r"(?:Step \d+/\d+ : |#\d+ \[.*?\d+/\d+\] )(?P<what>.+)")


@dataclass(frozen=True)
class Buildx:
    """The plugin that is there; `version` is "" when it does not tell one."""

    version: str

    @property
    def attests(self) -> bool:
        """Whether it can add provenance and a list of parts, and has to be told not to: from 0.10 on."""
        found = _VERSION.match(self.version)
        number = (int(found["major"]), int(found["minor"])) if found else (0, 0)
        return not (0, 0) < number < (0, 10)  # 0.0 is a build that was given no version


def build(
    engine: Engine,
    recipe: Recipe,
    context: IO[bytes],
    *,
    text: str,
    name: str,
    labels: Mapping[str, str],
    say: Say,
    anew: bool = False,
) -> Digest:
    """Build the tar `context` and return the image's id; the image is then named `name` in the engine.

    `text` is the Dockerfile's content; `anew` runs every step, whatever the builder remembers. RvexpError with the
    failing step's last lines; UsageError when the Dockerfile needs a builder that is not there.
    """
    plugin = buildx(engine.environ)
    if plugin:
        return _buildx(plugin, engine, recipe, context, name, labels, say, anew=anew)
    needed = _FLAGS.search(text)
    if needed:
        raise UsageError(
            f"{recipe.dockerfile} needs BuildKit, and docker buildx is not installed\n  {needed[0].strip()}",
            hint="install the docker-buildx plugin",
        )
    return _classic(engine, recipe, context, text, name, labels, say, anew=anew)


def buildx(environ: Mapping[str, str]) -> Buildx | None:
    """The plugin that the docker command has; None without one."""
    try:
        done = subprocess.run(
            ["docker", "buildx", "version"], env=dict(environ), capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    found = _VERSION.search(done.stdout)
    return None if done.returncode else Buildx(found["whole"] if found else "")


def _classic(
    engine: Engine,
    recipe: Recipe,
    context: IO[bytes],
    text: str,
    name: str,
    labels: Mapping[str, str],
    say: Say,
    *,
    anew: bool,
) -> Digest:
    options = {
        "dockerfile": recipe.dockerfile,
        "tag": name,
        "buildargs": dict(recipe.args),
        "labels": dict(labels),
        "platform": recipe.platform or None,
        "target": recipe.target or None,
        "nocache": anew,
    }
    story = _Story(say)
    image = ""
    for line in engine.build(context, options):
        if "error" in line:
            hint = (
                "install the docker-buildx plugin: this Dockerfile uses here-documents"
                if _HEREDOC.search(text)
                else None
            )
            raise _failed(recipe, story, str(line["error"]), hint)
        story.hear(str(line.get("stream", "")).splitlines())
        image = (line.get("aux") or {}).get("ID", image)
    if not image:
        raise _failed(recipe, story, "the engine ended without an image", "git rvexp doctor")
    return Digest(image)


def _buildx(
    plugin: Buildx,
    engine: Engine,
    recipe: Recipe,
    context: IO[bytes],
    name: str,
    labels: Mapping[str, str],
    say: Say,
    *,
    anew: bool,
) -> Digest:
    story = _Story(say)
    with tempfile.TemporaryDirectory(prefix="rvexp-") as folder:
        written = Path(folder) / "image-id"
        words = _buildx_arguments(plugin, recipe, name, labels, written)
        process = subprocess.Popen(
            ["docker", *words, *(["--no-cache"] if anew else []), "-"],
            env=dict(engine.environ),
            stdin=context,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        with process:
            assert process.stdout is not None
            story.hear(raw.decode("utf-8", "replace").rstrip() for raw in process.stdout)
        if process.returncode:
            raise _failed(recipe, story, f"docker buildx ended with exit code {process.returncode}", _early(story))
        made = Digest(written.read_text().strip())
        # it is the config's digest, and containerd's store calls an image by its manifest's
        found = engine.inspect(str(made)) or engine.inspect(name)
        return found.id if found else made


def _buildx_arguments(plugin: Buildx, recipe: Recipe, name: str, labels: Mapping[str, str], written: Path) -> list[str]:
    """Without provenance and SBOM: they would turn a push into an index whose digest holds the time."""
    fixed = ["--progress=plain", "--load", f"--iidfile={written}"]
    fixed += ["--provenance=false", "--sbom=false"] if plugin.attests else []
    chosen = [f"--file={recipe.dockerfile}", f"--tag={name}"]
    chosen += [f"--platform={recipe.platform}"] if recipe.platform else []
    chosen += [f"--target={recipe.target}"] if recipe.target else []
    pairs = [f"--build-arg={k}={v}" for k, v in recipe.args.items()]
    pairs += [f"--label={k}={v}" for k, v in labels.items()]
    return ["buildx", "build", *fixed, *chosen, *pairs]


class _Story:
    """What a builder says: steps are told on, the last lines of the current one are kept for an error."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.step = ""
        self.last: deque[str] = deque(maxlen=_KEPT_LINES)

    def hear(self, lines: Iterable[str] | Iterator[str]) -> None:
        """Take lines as they come."""
        for line in lines:
            step = _STEP.match(line)
            if step:
                self.step = step["what"]
                self.last.clear()
                self._say(f"  {self.step}")
            elif line.strip() and not line.startswith((" ---> ", "Removing intermediate container")):
                self.last.append(line)


_MEND = "mend the Dockerfile, then git rvexp snapshot NICKNAME: this snapshot keeps the one that fails"
_FETCH = "see that the base image's registry is in reach, then do the same again; a wrong name needs a new snapshot"
_BUILDER = "git rvexp doctor    (no step was begun: it is not for the Dockerfile's sake)"
_TARGET = "git rvexp config set image.target STAGE, a stage of {} (FROM … AS STAGE), then git rvexp snapshot NICKNAME"
_NO_TARGET = re.compile(r"build target|target stage")


def _early(story: _Story) -> str | None:
    """What helps when buildx ended before the first step; None when the Dockerfile's own hints do."""
    last = "\n".join(story.last)
    if story.step or "failed to solve" not in last:
        return None if story.step else _BUILDER
    return _FETCH if "> [internal] load metadata for" in last else None


def _failed(recipe: Recipe, story: _Story, told: str, hint: str | None) -> RvexpError:
    where = f" at: {story.step}" if story.step else ""
    usual = _FETCH if story.step.startswith("FROM ") else _MEND
    if recipe.target and _NO_TARGET.search("\n".join([told, *story.last])):
        hint = _TARGET.format(recipe.dockerfile)
    lines = "".join(f"\n  | {line}" for line in story.last if line.strip() != told.strip())
    return RvexpError(f"{recipe.dockerfile} failed{where}{lines}\n  {told.strip()}", hint=hint or usual)
