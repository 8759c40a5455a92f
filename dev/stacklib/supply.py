"""`dev/supply`: what the package is made of and made from, pinned, tried at its lowest, built twice, and listed.

The tools (uv, cyclonedx-python-lib) come with the extra `release`. Names of packages and hashes are all that is kept:
where they come from is each machine's own configuration.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from stacklib import paths, venv
from stacklib.process import StackError
from stacklib.story import say

LOCKS: Mapping[str, tuple[str, ...]] = {"runtime": (), "dev": ("--extra", "dev", "--extra", "release")}
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)(?:\[[^]]*\])?==(?P<version>[^ ;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
# What touches the libraries that have a floor: TOML, the engine's and AWS's client, hypothesis.
_AT_THE_FLOOR = ("config", "config_set", "events", "names", "registry", "aws", "docker_executor", "layer")
_EPOCH = "315532800"  # 1980-01-01, the first day that a zip file can tell


def lock() -> None:
    """Write requirements/*.txt anew: every package at one version, with the hashes of its files."""
    for name, extras in LOCKS.items():
        shape = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url")
        # with its extras, or pip before 23.3 takes `coverage[toml]` of a dependency for another, unpinned package
        quiet = ("--quiet", "--no-header", "--no-annotate", "--no-strip-extras")
        target = paths.PROJECT / "requirements" / f"{name}.txt"
        _tool("uv", "pip", "compile", *shape, *quiet, *extras, "pyproject.toml", "--output-file", str(target))
        say(f"wrote {target.relative_to(paths.PROJECT)}")


def floor() -> None:
    """The lowest versions that pyproject.toml allows, in an environment of their own, under tests that use them."""
    with tempfile.TemporaryDirectory(prefix="rvexp-floor-") as folder:
        python = f"{folder}/bin/python"
        _tool("uv", "venv", "--quiet", "--python", sys.executable, folder)
        _tool(
            *("uv", "pip", "install", "--quiet", "--python", python, "--resolution", "lowest-direct"),
            *("--editable", f"{paths.PROJECT}[dev]"),
        )
        tests = [f"tests/unit/test_{name}.py" for name in _AT_THE_FLOOR]
        env = {**os.environ, "PATH": f"{folder}/bin{os.pathsep}{os.environ['PATH']}"}
        _run([python, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", "-m", "not long", *tests], env)
    say("the lowest versions pass")


def wheel() -> Path:
    """Build the wheel twice, the same to the byte; install it where nothing else is, and take a snapshot with it."""
    made = [_built(paths.PROJECT / "dist"), _built(Path(tempfile.mkdtemp(prefix="rvexp-again-")))]
    names = [hashlib.sha256(path.read_bytes()).hexdigest() for path in made]
    shutil.rmtree(made[1].parent)
    if names[0] != names[1]:
        raise StackError(f"two builds of {made[0].name} differ: {names[0]} and {names[1]}")
    say(f"{made[0].relative_to(paths.PROJECT)}\n  sha256 {names[0]}, twice")
    _used(made[0])
    return made[0]


def sbom() -> Path:
    """The wheel's parts list in CycloneDX 1.6, made of requirements/runtime.txt and checked against its schema."""
    from cyclonedx.model import HashAlgorithm, HashType  # noqa: PLC0415  an extra's
    from cyclonedx.model.bom import Bom  # noqa: PLC0415
    from cyclonedx.model.component import Component, ComponentType  # noqa: PLC0415
    from cyclonedx.output.json import JsonV1Dot6  # noqa: PLC0415
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415
    from packageurl import PackageURL  # noqa: PLC0415

    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, (paths.PROJECT / "requirements/runtime.txt").read_text()))
    bom.metadata.component = Component(name="git-rvexp", version=_version(), type=ComponentType.APPLICATION)
    for name, version, hashes in pinned("runtime"):
        part = Component(
            name=name,
            version=version,
            type=ComponentType.LIBRARY,
            purl=PackageURL("pypi", None, name, version),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in hashes],
        )
        bom.components.add(part)
        bom.register_dependency(bom.metadata.component, [part])
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong is not None:
        raise StackError(f"the parts list is not CycloneDX 1.6: {wrong}")
    target = paths.PROJECT / "dist" / f"git_rvexp-{_version()}.cdx.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(text + "\n", encoding="utf-8")
    say(f"{target.relative_to(paths.PROJECT)}: {len(bom.components)} packages, valid CycloneDX 1.6")
    return target


def pinned(name: str) -> Iterator[tuple[str, str, list[str]]]:
    """Name, version and hashes of each package that a lock holds."""
    text = (paths.PROJECT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=\S)", text):
        found = _PINNED.match(entry)
        if found:
            yield found["name"], found["version"], _HASH.findall(entry)


def check() -> None:
    """What CI does: the wheel, its parts list, the lowest versions."""
    wheel()
    sbom()
    floor()


def _built(folder: Path) -> Path:
    for old in folder.glob("*.whl"):
        old.unlink()
    env = {**os.environ, "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", _EPOCH)}
    python = str(venv.FOLDER / "bin/python")
    _run([python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(paths.PROJECT)], env)
    return next(folder.glob("*.whl"))


def _used(built: Path) -> None:
    """The first minute of a newcomer, with the wheel and its locked dependencies only."""
    with tempfile.TemporaryDirectory(prefix="rvexp-wheel-") as name:
        folder = Path(name)
        python = str(folder / "venv/bin/python")
        _tool("uv", "venv", "--quiet", "--python", sys.executable, str(folder / "venv"))
        locked = str(paths.PROJECT / "requirements/runtime.txt")
        _tool("uv", "pip", "install", "--quiet", "--python", python, "--require-hashes", "--requirement", locked)
        _tool("uv", "pip", "install", "--quiet", "--python", python, "--no-deps", str(built))
        env = {
            "PATH": f"{folder / 'venv/bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": name,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        clone = folder / "clone"
        for words in (
            ["git", "init", "-q", str(clone)],
            ["git", "-C", str(clone), "commit", "-q", "--allow-empty", "-m", "first"],
            ["git", "-C", str(clone), "rvexp", "snapshot", "first"],
            ["git", "-C", str(clone), "rvexp", "show", "first"],
            ["git", "-C", str(clone), "notes", "--ref=rvexp", "list"],
        ):
            _run(words, env)
    say("the wheel takes a snapshot in an environment of its own")


def _version() -> str:
    text = (paths.PROJECT / "git_rvexp/__init__.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    assert found
    return found[1]


def _tool(name: str, *words: str) -> None:
    _run([str(venv.FOLDER / "bin" / name), *words], os.environ)


def _run(words: Sequence[str], env: Mapping[str, str]) -> None:
    done = subprocess.run(words, cwd=paths.PROJECT, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(f"{' '.join(words)} failed:\n{(done.stdout + done.stderr)[-3000:]}")


DEEDS: Mapping[str, Callable[[], object]] = {"lock": lock, "floor": floor, "wheel": wheel, "sbom": sbom, "check": check}


def main() -> int:
    """Do one of them; an expected failure is one message and exit code 1."""
    parser = argparse.ArgumentParser(prog="dev/supply", description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="deed", required=True)
    for name, deed in DEEDS.items():
        verbs.add_parser(name, help=str(deed.__doc__).splitlines()[0])
    arguments = parser.parse_args()
    try:
        venv.ensure()
        if sys.prefix != str(venv.FOLDER):
            return subprocess.run([venv.FOLDER / "bin/python", *sys.argv], check=False).returncode
        DEEDS[arguments.deed]()
    except StackError as error:
        print(f"dev/supply: {error}", file=sys.stderr)
        return 1
    return 0
