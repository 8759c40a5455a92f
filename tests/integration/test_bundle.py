"""A bundle carried to a machine with only an engine: imported, repeated, identical; altered, it is refused."""

import json
import os
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path

import pytest

from git_rvexp.names import Digest
from tests.conftest import Clone
from tests.integration.parts import Stack, make_digits
from tests.notebook import Notebook
from tests.terminal import on_terminal

QUICK = ("--wait", "--output", "out", "--", "python3", "train.py", "--epochs", "1")


@pytest.fixture
def digits(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    """The example, with no setting but the image it is built on."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    return make_digits(stack, tmp_path / "digits")


def carried(clone: Clone, stack: Stack, tmp_path: Path) -> tuple[Path, Clone, str]:
    """A bundle of a run, a new clone on a machine whose engine never saw the image, and the image's id."""
    tag = clone.rvexp("snapshot", "first").stdout.strip()
    done = clone.rvexp("submit", *QUICK)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "first.rvexp"
    done = clone.rvexp("export", "first", "--format", "bundle", "-o", str(path))
    assert (done.returncode, done.stdout) == (0, f"{path}\n"), done.stderr
    told = next(n for n in clone.git("notes", "show", tag).splitlines() if " image " in n)
    image = told.split('id="')[1].split('"')[0]
    forget(stack, image)
    fresh = Clone(tmp_path / "fresh")
    fresh.path.mkdir()
    fresh.git("init", "-q")
    return path, fresh, image


def forget(stack: Stack, image: str) -> None:
    """Let the engine lose an image and what ran of it."""
    for container in stack.run("docker", "ps", "-aq", "--filter", f"ancestor={image}").stdout.split():
        stack.run("docker", "rm", "-f", container)
    stack.run("docker", "rmi", "-f", image)


def repeated(clone: Clone, *options: str) -> None:
    """The run of the imported snapshot, again."""
    done = clone.rvexp("repeat", "first", "--wait", *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "identical; 2 files"


def test_an_engine_is_enough(digits: Clone, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another engine, no remote, registry or settings; the report travels along, and a second import adds nothing."""
    path, fresh, image = carried(digits, stack, tmp_path)
    monkeypatch.setenv("DOCKER_HOST", stack.second_engine)
    assert stack.run("docker", "--host", stack.second_engine, "image", "inspect", image, ok=False).returncode
    done = fresh.rvexp("import", str(path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == digits.git("tag", "-l", "*/first")
    assert fresh.git("notes", "show", done.stdout.strip()) == digits.git("notes", "show", done.stdout.strip())
    repeated(fresh)
    record = fresh.git("notes", "show", done.stdout.strip())
    again = fresh.rvexp("import", str(path))
    assert (again.returncode, "were here already" in again.stderr) == (0, True)
    assert fresh.git("notes", "show", done.stdout.strip()) == record
    with tarfile.open(path) as tar:
        page = tar.extractfile("report.html")
        assert page is not None
        assert done.stdout.strip().encode() in page.read()


def test_an_image_of_a_registry_that_is_out_of_reach(
    digits: Clone, stack: Stack, registry_repo: str, tmp_path: Path
) -> None:
    """By the digest that the record names, from blobs as the registry had them: the registry is not asked again."""
    digits.git("config", "rvexp.ecr-repo", registry_repo)
    path, fresh, image = carried(digits, stack, tmp_path)
    tag = digits.git("tag", "-l", "*/first")
    pinned = digits.git("notes", "show", tag).split(f'"{registry_repo}@sha256:')[1].split('"')[0]
    with tarfile.open(path) as tar:
        assert f"oci/blobs/sha256/{pinned}" in tar.getnames()
    done = fresh.rvexp("import", str(path))
    assert done.returncode == 0, done.stderr
    refused = fresh.rvexp("repeat", "first", "--wait")
    assert (refused.returncode, "--trust-record" in refused.stderr) == (
        2,
        True,
    )  # no setting here names that registry
    repeated(fresh, "--trust-record")
    record = fresh.git("notes", "show", done.stdout.strip())
    assert f'image_id="{image}"' in record
    assert '"rebuilt"' not in record
    assert stack.run("docker", "images", "-q", "--no-trunc", registry_repo).stdout == ""
    host, _, name = registry_repo.partition("/")
    gone = urllib.request.Request(f"http://{host}/v2/{name}/manifests/sha256:{pinned}", method="DELETE")
    urllib.request.urlopen(gone).close()
    told = fresh.rvexp("verify", "first")
    assert f"! image      {registry_repo}@sha256:{pinned} is in this engine" in told.stdout, told.stdout
    assert told.stdout.count("repeatable now: yes") == 2, told.stdout


def test_layers_packed_with_zstd_are_refused_before_anything_is_written(
    digits: Clone, stack: Stack, registry_repo: str, tmp_path: Path
) -> None:
    """As skopeo and newer builders pack them: whoever imports could not unpack them."""
    target = f"docker://{registry_repo}:zstd"
    packed = ("--format", "oci", "--dest-compress", "--dest-compress-format", "zstd", "--dest-tls-verify=false")
    source = ("--src-daemon-host", stack.docker_host, f"docker-daemon:{stack.tiny_image}")
    stack.run("skopeo", "copy", "-q", *packed, *source, target)
    raw = stack.run("skopeo", "inspect", "--raw", "--tls-verify=false", target).stdout
    book = Notebook(digits)
    image = {"ref": f"{registry_repo}@{Digest.of(raw.encode())}", "id": json.loads(raw)["config"]["digest"]}
    book.tell(book.snapshot("al/digits/2026-11-02/first"), "image", **image, platform="linux/amd64")
    done = digits.rvexp("export", "first", "--format", "bundle", "-o", str(tmp_path / "first.rvexp"))
    assert (done.returncode, done.stdout, "packed with zstd" in done.stderr) == (1, "", True), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["digits"]


def test_a_layer_that_comes_twice(clone: Clone, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a Dockerfile does the same again: the engine hands the second one out as a link to the first."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone.write("Dockerfile", f"FROM {stack.tiny_image}\nCOPY train.py /x\nCOPY train.py /x\n")
    clone.rvexp("snapshot", "first")
    image = clone.rvexp("build", "first").stdout.strip()
    told = stack.run("docker", "image", "inspect", "--format", "{{json .RootFS.Layers}}", image).stdout
    assert (len(json.loads(told)), len(set(json.loads(told)))) == (3, 2)
    path = tmp_path / "first.rvexp"
    done = clone.rvexp("export", "first", "--format", "bundle", "-o", str(path))
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("DOCKER_HOST", stack.second_engine)
    done = clone.rvexp("import", str(path))
    assert done.returncode == 0, done.stderr
    second = ("docker", "--host", stack.second_engine)
    seen = stack.run(*second, "image", "inspect", "--format", "{{json .RootFS.Layers}}", image).stdout
    assert seen == told
    stack.run(*second, "rmi", image)
    stack.run("docker", "rmi", "--force", image)


@pytest.mark.parametrize("where", [0.001, 0.3, 0.7, 0.999])
def test_one_flipped_bit_is_refused(digits: Clone, stack: Stack, tmp_path: Path, where: float) -> None:
    """In the code, in a layer, at the end: nothing reaches the clone or the engine."""
    path, fresh, image = carried(digits, stack, tmp_path)
    at = int(path.stat().st_size * where)
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 4]))
    done = fresh.rvexp("import", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "is refused, and nothing was written" in done.stderr
    assert fresh.git("for-each-ref") == ""
    assert stack.run("docker", "inspect", image, ok=False).returncode != 0


def test_the_same_record_gives_the_same_bundle(digits: Clone, tmp_path: Path) -> None:
    """Byte for byte; and it is never written over."""
    digits.rvexp("snapshot", "first")
    assert digits.rvexp("build", "first").returncode == 0
    paths = [tmp_path / "one", tmp_path / "two"]
    for path in paths:
        done = digits.rvexp("export", "first", "--format", "bundle", "-o", str(path))
        assert done.returncode == 0, done.stderr
    assert subprocess.run(["cmp", *paths], check=False).returncode == 0
    assert digits.rvexp("export", "first", "--format", "bundle", "-o", str(paths[0])).returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits", "one", "two"]


def test_a_bundle_on_stdout(digits: Clone, tmp_path: Path) -> None:
    """For a pipe or a file the same bytes as with -o and nothing else; a terminal is spared them."""
    digits.rvexp("snapshot", "first")
    assert digits.rvexp("build", "first").returncode == 0
    words = ("export", "first", "--format", "bundle")
    assert digits.rvexp(*words, "-o", str(tmp_path / "one")).returncode == 0
    command = [sys.executable, "-m", "git_rvexp", *words]
    piped = subprocess.run(command, cwd=digits.path, capture_output=True, check=False)
    assert (piped.returncode, piped.stdout == (tmp_path / "one").read_bytes()) == (0, True), piped.stderr
    _, seen = on_terminal(digits.path, os.environ, *words)
    assert b"a bundle is not for a terminal" in seen
    with Path("/dev/full").open("wb") as full:
        failed = subprocess.run(command, cwd=digits.path, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (failed.returncode, b"stdout cannot be written: No space" in failed.stderr) == (1, True), failed.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits", "one"]
