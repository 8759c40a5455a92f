"""A clone with one snapshot, and independent eyes on images: docker export, skopeo, git."""

import base64
import hashlib
import io
import json
import os
import subprocess
import tarfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from git_rvexp.git.plumbing import Repo
from git_rvexp.model import Snapshot
from git_rvexp.names import TagName
from git_rvexp.settings import Settings
from git_rvexp.workflow.building.engine import Ensured
from git_rvexp.workflow.building.ensure import ensure_image
from tests.integration.parts import Stack

DOCKERFILE = "FROM {base}\nCOPY . /opt/src\n"


@dataclass
class ImageWorld:
    """A repository below `home`, made with plain git, and what our code is given to work on it."""

    stack: Stack
    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    remote_url: str = ""
    story: list[str] = field(default_factory=list)
    tag: TagName = field(default_factory=lambda: TagName("al", f"p{uuid.uuid4().hex[:12]}", "2026-01-02", "one"))

    def __post_init__(self) -> None:
        """An empty repository and an environment of its own."""
        (self.home / "clone").mkdir(parents=True)
        keep = {k: os.environ[k] for k in ("PATH", "TMPDIR") if k in os.environ}
        names = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
        names |= {k.replace("AUTHOR", "COMMITTER"): v for k, v in names.items()}
        dates = {"GIT_AUTHOR_DATE": "1800000000 +0000", "GIT_COMMITTER_DATE": "1800000000 +0000"}
        away = {"HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1", "DOCKER_CONFIG": str(self.home / "docker")}
        self.environ = {**keep, **names, **dates, **away, **self.stack.environment()}
        self.git("init", "-q", "-b", "main", ".")

    @property
    def clone(self) -> Path:
        """The work tree."""
        return self.home / "clone"

    def git(self, *arguments: str) -> str:
        """Plain git in the clone."""
        done = subprocess.run(["git", *arguments], cwd=self.clone, env=self.environ, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def write(self, files: Mapping[str, str | bytes], *, executable: tuple[str, ...] = ()) -> None:
        """Put files into the work tree."""
        for name, content in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            path.chmod(0o755 if name in executable else 0o644)

    def snapshot(self, nickname: str = "one") -> Snapshot:
        """Commit everything and tag it."""
        self.tag = replace(self.tag, nickname=nickname)
        self.git("add", "-A", "--force")
        self.git("commit", "-q", "--allow-empty", "-m", nickname)
        self.git("tag", "-a", "-m", nickname, str(self.tag))
        return self.snapshot_of_tag()

    def snapshot_of_tag(self) -> Snapshot:
        """What the tag is now."""
        oid, commit, tree = (self.git("rev-parse", f"{self.tag}{what}") for what in ("", "^{commit}", "^{tree}"))
        return Snapshot(str(self.tag), oid, commit, tree)

    def simple(self, **more: str | bytes) -> Snapshot:
        """A snapshot that builds: a Dockerfile, and a file that no other test has."""
        base = self.stack.tiny_image
        self.write({"Dockerfile": DOCKERFILE.format(base=base), "unique": str(self.tag), **more})
        return self.snapshot()

    def ensure(self, snapshot: Snapshot, settings: Settings) -> Ensured:
        """Our own work on it."""
        self.story.clear()
        return ensure_image(
            Repo.discover(self.clone, self.environ),
            snapshot,
            self.tag,
            remote_url=self.remote_url,
            settings=settings,
            environ=self.environ,
            say=self.story.append,
        )

    def docker_login(self, host: str, user: str, password: str) -> None:
        """Store a login as `docker login` does."""
        folder = self.home / "docker"
        folder.mkdir(exist_ok=True)
        auth = base64.b64encode(f"{user}:{password}".encode()).decode()
        (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))

    def images(self) -> list[str]:
        """Ids of this world's images in the engine, by the docker command."""
        label = f"label=io.git-rvexp.project={self.tag.project}"
        return self.stack.run("docker", "images", "-q", "--no-trunc", "--filter", label).stdout.split()

    def forget(self) -> None:
        """Remove this world's images from the engine."""
        for image in set(self.images()):
            self.stack.run("docker", "rmi", "--force", image, ok=False)


def keep_by_lfs(world: ImageWorld, content: bytes) -> str:
    """Put a content where Git LFS keeps it in the clone; its pointer."""
    oid = hashlib.sha256(content).hexdigest()
    place = world.clone / ".git" / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"


def _whole(stack: Stack, image: str) -> tarfile.TarFile:
    """An image's files: docker create, docker export."""
    container = stack.run("docker", "create", image, "true").stdout.strip()
    env = {**os.environ, **stack.environment()}
    try:
        data = subprocess.run(["docker", "export", container], env=env, capture_output=True, check=True).stdout
    finally:
        stack.run("docker", "rm", container)
    return tarfile.open(fileobj=io.BytesIO(data))


def folders(stack: Stack, image: str) -> dict[str, tuple[int, int, int]]:
    """Mode, user and group of every folder of an image."""
    with _whole(stack, image) as tar:
        return {member.name: (member.mode & 0o7777, member.uid, member.gid) for member in tar if member.isdir()}


def exported(stack: Stack, image: str, folder: str) -> dict[str, tuple[int, bytes]]:
    """Mode and content of every file below `folder` of an image."""
    found = {}
    with _whole(stack, image) as tar:
        for member in tar:
            name = member.name.removeprefix(folder.strip("/") + "/")
            if name == member.name or member.isdir():
                continue
            content = tar.extractfile(member) if member.isreg() else None
            mode = 0o120000 if member.issym() else 0o100000 | member.mode
            found[name] = (mode, content.read() if content else member.linkname.encode())
    return found


def listed(world: ImageWorld, tree: str) -> dict[str, tuple[int, bytes]]:
    """The same of a tree, by plain git."""
    found = {}
    for line in world.git("ls-tree", "-r", "-z", tree).split("\0"):
        if line:
            what, _, name = line.partition("\t")
            mode, _, oid = what.split()
            blob = subprocess.run(["git", "cat-file", "blob", oid], cwd=world.clone, capture_output=True, check=True)
            found[name] = (int(mode, 8), blob.stdout)
    return found


def pinned(stack: Stack, name: str, *lines: str) -> str:
    """A base of these lines over the tiny image, in the registry, by its digest; the engine keeps it as `name`."""
    text = "\n".join([f"FROM {stack.tiny_image}", *lines])
    env = {**os.environ, **stack.environment()}
    subprocess.run(["docker", "build", "-q", "-t", name, "-"], input=text.encode(), env=env, check=True)
    stack.run("docker", "push", "-q", name)
    told = stack.run("docker", "image", "inspect", "--format", "{{index .RepoDigests 0}}", name).stdout.strip()
    stack.run("docker", "rmi", told)
    return told


def raw_manifest(stack: Stack, ref: str) -> dict[str, Any]:
    """The manifest as skopeo gets it."""
    told = stack.run("skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{ref}").stdout
    found: dict[str, Any] = json.loads(told)
    return found
