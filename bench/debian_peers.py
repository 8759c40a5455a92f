"""Peers that a stable Debian does not have: taken from its next release, unpacked beside us, never installed.

`docker-buildx` comes as a program. `crane` comes as source only, with everything it is made of, and is built with the
Go of the same release: some 230 MB to fetch, and a few minutes, once. Works where apt does, as any user.
"""

import gzip
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

SUITE = "trixie"
_CRANE = "github.com/google/go-containerregistry/cmd/crane"
_PACKAGES = {
    "docker-buildx": ("docker-buildx",),
    "crane": ("golang-github-google-go-containerregistry-dev", "golang-1.24-go"),
}
_UNPACKED = ("golang-", "docker-buildx")
_KEY = "/usr/share/keyrings/debian-archive-keyring.gpg"


def install(folder: Path) -> None:
    """Put the programs into `folder`; what cannot be had is told and left out."""
    for name, packages in _PACKAGES.items():
        if (folder / name).exists():
            continue
        try:
            _unpack(folder, packages)
            (_built if name == "crane" else _linked)(folder, name)
            print(f"installed {name}")
        except (OSError, subprocess.CalledProcessError) as why:
            told = getattr(why, "stderr", None) or str(why)
            print(f"{name}: {told.strip()[-200:]}")


def _unpack(folder: Path, packages: Sequence[str]) -> None:
    """The packages and all that they need, below `folder`/root."""
    apt = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()  # nothing counts as installed, so that everything needed comes
    (apt / "sources.list").write_text(f"deb [signed-by={_KEY}] {_mirror()} {SUITE} main\n")
    lines = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
    }
    (apt / "apt.conf").write_text("".join(f'{key} "{value}";\n' for key, value in lines.items()))
    env = {**os.environ, "APT_CONFIG": str(apt / "apt.conf")}
    _run(["apt-get", "update"], env)
    _run(["apt-get", "install", "-y", "--no-install-recommends", "--download-only", *packages], env)
    for file in sorted((apt / "cache" / "archives").glob("*.deb")):
        if file.name.startswith(_UNPACKED):
            _run(["dpkg", "-x", str(file), str(folder / "root")])


def _linked(folder: Path, name: str) -> None:
    (folder / name).symlink_to(folder / "root" / "usr/libexec/docker/cli-plugins" / name)


def _built(folder: Path, name: str) -> None:
    root = folder / "root" / "usr"
    go = next((root / "lib").glob("go-*"))
    env = {
        **os.environ,
        "GOROOT": str(go),
        "GOPATH": str(root / "share" / "gocode"),
        "GO111MODULE": "off",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
        "GOCACHE": str(folder / "gocache"),
    }
    told = f"-X {_CRANE}/cmd.Version={_version(folder / 'root', _PACKAGES[name][0])}"
    _run([str(go / "bin" / "go"), "build", "-ldflags", told, "-o", str(folder / name), _CRANE], env)


def _version(root: Path, package: str) -> str:
    """A package's version, by the newest entry of its changelog."""
    with gzip.open(root / "usr/share/doc" / package / "changelog.Debian.gz", "rt", encoding="utf-8") as lines:
        return re.findall(r"\((\S+)\)", next(lines))[0]


def _mirror() -> str:
    """Where this machine's own Debian comes from."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    if not done.stdout.strip():
        raise OSError("this machine's package lists name no Debian mirror")
    return done.stdout.split()[0]


def _run(words: Sequence[str], env: dict[str, str] | None = None) -> None:
    subprocess.run(words, env=env, capture_output=True, text=True, check=True)
