"""Verify on real parts: forge, registry, engine, Batch, S3. Each single mutation flips exactly its line."""

import json
import re
import shutil
import subprocess
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clone
from tests.integration.parts import PROJECT, BatchWorld, ForgeRepo, Stack, reach, use_batch

STORAGE = PROJECT / ".dev" / "registry" / "storage" / "docker" / "registry" / "v2"
DOCKERFILE = "FROM {base}\nWORKDIR /opt/src\nCOPY . /opt/src\n"


@dataclass
class Lab:
    """A published snapshot with an ended run, and the places that its links point to."""

    clone: Clone
    stack: Stack
    registry_repo: str
    forge: ForgeRepo
    bucket: str
    tag: str = ""

    @property
    def plain(self) -> str:
        """A bucket that keeps no versions."""
        return f"{self.bucket}-plain"

    def verify(self, *args: str) -> tuple[int, dict[str, Any]]:
        """Exit code and document of `git rvexp verify --json`."""
        done = self.clone.rvexp("verify", self.tag, "--json", *args)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def states(self, *args: str) -> tuple[int, dict[str, str], str]:
        """Exit code, each link's state, and whether the run is repeatable."""
        code, document = self.verify(*args)
        (whole,) = document["snapshots"]
        (run,) = whole["runs"]
        groups = [whole["links"], *(i["links"] for i in whole["images"]), run["links"]]
        return code, {link["name"]: link["state"] for group in groups for link in group}, run["repeatable"]

    def odd(self, *args: str) -> tuple[int, dict[str, str], str]:
        """The same, only of the links that are not ok."""
        code, states, repeatable = self.states(*args)
        return code, {name: state for name, state in states.items() if state != "ok"}, repeatable

    def recorded(self, kind: str, key: str) -> str:
        """A text of the last event of a kind, by plain git."""
        line = [n for n in self.clone.git("notes", "show", self.tag).splitlines() if n.split(" ")[1] == kind][-1]
        found = re.search(rf' {key}="([^"]*)"', line)
        assert found, line
        return found[1]

    @property
    def digest(self) -> str:
        """The image's manifest digest."""
        return self.recorded("image", "ref").partition("@")[2]

    def manifest(self) -> Any:
        """The image's manifest, by the registry's API."""
        return json.loads(self.request("GET", f"manifests/{self.digest}"))

    def request(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        """One request to the registry."""
        host, _, name = self.registry_repo.partition("/")
        kind = kind or "application/vnd.docker.distribution.manifest.v2+json"
        headers = {"Accept": kind, "Content-Type": kind}
        asked = urllib.request.Request(f"http://{host}/v2/{name}/{path}", body, headers, method=method)
        with urllib.request.urlopen(asked) as answer:
            found: bytes = answer.read()
        return found


@pytest.fixture
def lab(
    stack: Stack,
    registry_repo: str,
    batch_world: BatchWorld,
    forge_repo: Callable[[], ForgeRepo],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Lab:
    """A snapshot with forge, registry, Batch and S3, which has run once."""
    for name, value in stack.environment().items():
        monkeypatch.setenv(name, value)
    clone, bucket = Clone(tmp_path / "study"), f"rvexp-{uuid.uuid4().hex[:16]}"
    clone.path.mkdir()
    clone.git("init", "-q")
    clone.write("Dockerfile", DOCKERFILE.format(base=stack.tiny_image))
    clone.write("code/step.sh", f"echo {uuid.uuid4()}\n")
    clone.commit("first")
    forge = forge_repo()
    reach(clone, stack, forge.url)
    use_batch(clone, batch_world, registry_repo)
    clone.git("config", "rvexp.archive-url", "cgit")
    made = Lab(clone, stack, registry_repo, forge, bucket)
    stack.aws("s3api", "create-bucket", "--bucket", bucket)
    versioned = ("--versioning-configuration", "Status=Enabled")
    stack.aws("s3api", "put-bucket-versioning", "--bucket", bucket, *versioned)
    stack.aws("s3api", "create-bucket", "--bucket", made.plain)
    put(made, "in/more.csv", "5,6\n", made.plain)
    put(made, "in/data.csv", "1,2\n")
    put(made, "out/result.txt", "3\n")
    taken = clone.rvexp("snapshot", "first")
    made.tag = taken.stdout.strip()
    places = ("--input", f"s3://{bucket}/in", "--input", f"s3://{made.plain}/in", "--output", f"s3://{bucket}/out")
    done = clone.rvexp("submit", "--wait", *places, "--", "sh", "code/step.sh")
    assert done.returncode == 0, done.stderr
    return made


def put(lab: Lab, key: str, text: str, bucket: str = "") -> None:
    """Write an object with the aws CLI."""
    file = lab.clone.path.parent / "object"
    file.write_text(text)
    lab.stack.aws("s3api", "put-object", "--bucket", bucket or lab.bucket, "--key", key, "--body", str(file))


NAMES = ["tag", "signature", "remote", "record", "image", "image tag", "plan", "definition", "job", "inputs", "outputs"]


def test_everything_as_recorded(lab: Lab) -> None:
    """Exit 0 and yes; with --deep also the archive, the layers and the code in them."""
    code, states, repeatable = lab.states()
    assert (code, repeatable, list(states)) == (0, "yes", NAMES)
    assert set(states.values()) == {"ok"}
    code, states, repeatable = lab.states("--deep")
    assert (code, repeatable, set(states.values())) == (0, "yes", {"ok"})
    assert states.keys() - NAMES == {"archive", "layers", "code"}
    said = lab.clone.rvexp("verify", "--all").stdout.splitlines()
    assert said[-1] == "1 of 1 repeatable now"
    assert all(line[:1] in "✓! " for line in said[1:-1] if not line.startswith("run ")), said


def test_tag_moved_on_the_forge_fails(lab: Lab) -> None:
    """Somebody deletes the tag there and pushes another under its name."""
    other = lab.clone.path.parent / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    theirs = Clone(other)
    theirs.write("x", "y")
    theirs.commit("other")
    theirs.git("tag", "-a", "-m", "moved", lab.tag)
    theirs.git("push", "-q", "--force", lab.forge.secret_url, f"refs/tags/{lab.tag}")
    assert lab.odd() == (1, {"remote": "changed"}, "no")


def test_edited_image_reference_in_the_record_fails(lab: Lab) -> None:
    """The line is found to be another; the image that is looked at is the one that was written first."""
    text = lab.clone.git("notes", "show", lab.tag)
    lab.clone.git("notes", "add", "-f", "-m", text.replace(lab.digest, "sha256:" + "0" * 64), lab.tag)
    assert lab.odd() == (1, {"record": "changed"}, "no")


def test_overwritten_image_tag_fails_and_stops_no_repeat(lab: Lab) -> None:
    """Runs go by the digest."""
    other = json.dumps({**lab.manifest(), "annotations": {"a": "b"}}).encode()
    lab.request("PUT", f"manifests/{lab.tag.replace('/', '_')}", other)
    assert lab.odd() == (1, {"image tag": "changed"}, "yes")


def test_deleted_image_fails(lab: Lab) -> None:
    """Without its manifest nothing else of it is asked for."""
    lab.request("DELETE", f"manifests/{lab.digest}")
    code, states, repeatable = lab.states()
    assert (code, repeatable, states.pop("image")) == (1, "no", "changed")
    assert set(states.values()) == {"ok"}


def test_flipped_bit_in_a_layer_fails_only_deep(lab: Lab) -> None:
    """HEAD and manifest say nothing of it; reading does. The blob is this test's own: it holds a fresh UUID."""
    digest = lab.manifest()["layers"][-1]["digest"].removeprefix("sha256:")
    data = STORAGE / "blobs" / "sha256" / digest[:2] / digest / "data"
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    assert lab.odd() == (0, {}, "yes")
    code, odd, repeatable = lab.odd("--deep")
    assert (code, odd, repeatable) == (1, {"layers": "changed"}, "no")


def test_removed_layer_fails_only_deep(lab: Lab) -> None:
    """The same for a layer that is gone."""
    digest = lab.manifest()["layers"][-1]["digest"]
    lab.request("DELETE", f"blobs/{digest}")
    assert lab.odd() == (0, {}, "yes")
    assert lab.odd("--deep") == (1, {"layers": "changed"}, "no")


def test_deregistered_definition_fails_and_stops_no_repeat(lab: Lab) -> None:
    """Its recorded body can be registered again."""
    arn = lab.recorded("definition", "arn")
    lab.stack.aws("batch", "deregister-job-definition", "--job-definition", arn)
    assert lab.odd() == (1, {"definition": "changed"}, "yes")


def test_changed_input_and_output_fail(lab: Lab) -> None:
    """Each on its own line, with versions and without; an output does not stand in the way. Put back, all is well."""
    put(lab, "out/result.txt", "4\n")
    assert lab.odd() == (1, {"outputs": "changed"}, "yes")
    put(lab, "out/result.txt", "3\n")
    put(lab, "in/more.csv", "5,7\n", lab.plain)
    assert lab.odd() == (1, {"inputs": "changed"}, "no")
    put(lab, "in/more.csv", "5,6\n", lab.plain)
    assert lab.odd() == (0, {}, "yes")
    put(lab, "in/data.csv", "1,3\n")
    assert lab.odd() == (1, {"inputs": "changed"}, "no")


def test_forge_and_registry_out_of_reach_cannot_be_told(lab: Lab) -> None:
    """Nobody answers: exit 8, and nothing is called gone."""
    lab.clone.git("config", "remote.experiments.url", "http://127.0.0.1:9/away.git")
    lab.clone.git("config", "rvexp.experiments-remote", "http://127.0.0.1:9/away.git")
    assert lab.odd() == (8, {"remote": "cannot tell"}, "cannot tell")


def test_aws_out_of_reach_cannot_be_told(lab: Lab) -> None:
    """Definition, job, inputs and outputs are unknown together, since one service tells of all."""
    lab.clone.git("config", "rvexp.aws.endpoint-url", "http://127.0.0.1:9")
    code, odd, repeatable = lab.odd()
    assert (code, set(odd), set(odd.values()), repeatable) == (
        8,
        {"definition", "job", "inputs", "outputs"},
        {"cannot tell"},
        "cannot tell",
    )


@pytest.fixture
def here(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The same on this machine alone: its engine, its embedded remote, a path as output."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    clone = Clone(tmp_path / "study")
    clone.path.mkdir()
    clone.git("init", "-q")
    clone.write("Dockerfile", DOCKERFILE.format(base=stack.tiny_image))
    clone.write("code/step.sh", f"echo {uuid.uuid4()} > out.txt\n")
    clone.write("data/in.csv", "1,2\n")
    clone.commit("first")
    made = Lab(clone, stack, "", ForgeRepo("", "", ""), "")
    made.tag = clone.rvexp("snapshot", "first").stdout.strip()
    done = clone.rvexp("submit", "--wait", "--input", "data", "--output", "out.txt", "--", "sh", "code/step.sh")
    assert done.returncode == 0, done.stderr
    return made


def test_on_this_machine(here: Lab) -> None:
    """As recorded; then an input changes; then container and image are removed from the only engine that had them."""
    assert here.odd("--deep") == (0, {}, "yes")
    here.clone.write("data/in.csv", "1,3\n")
    assert here.odd() == (1, {"inputs": "changed"}, "no")
    here.clone.write("data/in.csv", "1,2\n")
    here.stack.run("docker", "rm", here.recorded("submitted", "job"))
    assert here.odd() == (8, {"job": "cannot tell", "outputs": "cannot tell"}, "yes")
    here.stack.run("docker", "rmi", "--force", here.recorded("image", "ref"))
    code, odd, repeatable = here.odd()
    assert (code, odd.pop("image"), repeatable) == (1, "changed", "no")
    shutil.rmtree(here.clone.path / "data")
    assert here.odd()[1]["inputs"] == "changed"


def test_a_declared_output_that_was_not_written_is_told(here: Lab) -> None:
    """When the run ends, and by verify: a slip in its name would show in the first repeat only."""
    words = ("--wait", "--output", "typo/out", "--output", "out.txt", "--", "sh", "code/step.sh")
    done = here.clone.rvexp("submit", *words)
    assert done.returncode == 0
    run = done.stdout.strip()
    warned = [line for line in done.stderr.splitlines() if line.startswith("warning:")]
    assert len(warned) == 1
    assert f"run {run} wrote nothing to its declared output typo/out" in warned[0]
    told = here.clone.rvexp("verify", run)
    assert told.returncode == 0
    assert "! outputs    1 file(s) are as the run left them; it wrote nothing to typo/out" in told.stdout
