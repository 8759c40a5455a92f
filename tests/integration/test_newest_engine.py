"""Debian's newest engine, whose images are in containerd's store: built, pushed, pulled by digest, run and repeated."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.integration.imageworld import raw_manifest
from tests.integration.parts import Stack


@dataclass(frozen=True)
class Study:
    """A clone with a Dockerfile, whose commands use that engine."""

    clone: Clone
    stack: Stack

    def said(self, *words: str, code: int = 0) -> str:
        """What a command of ours prints."""
        done = self.clone.rvexp(*words)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout.strip()

    def docker(self, *words: str) -> str:
        """What the docker command prints of that engine."""
        return self.stack.run("docker", "--host", self.stack.newest_engine, *words).stdout.strip()

    def forget(self, label: str) -> None:
        """Remove the images that carry the label from the engine."""
        for image in set(self.docker("images", "-q", "--no-trunc", "--filter", f"label={label}").split()):
            self.stack.run("docker", "--host", self.stack.newest_engine, "rmi", "--force", image, ok=False)


COPIED = ("--output", "/tmp/out", "--", "sh", "-c", "cat /src/train.py | tee /tmp/out")


@pytest.fixture
def study(clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Study]:
    """What is made in the engine is removed again."""
    one = uuid.uuid4().hex[:12]
    monkeypatch.setenv("DOCKER_HOST", stack.newest_engine)
    monkeypatch.setenv("RVEXP_PROJECT", f"p{one}")
    clone.write("Dockerfile", f"FROM {stack.tiny_image}\nCOPY . /src\nLABEL test={one}\n")
    clone.commit()
    made = Study(clone, stack)
    yield made
    made.forget(f"test={one}")


def test_it_is_the_newest_with_containerds_store(study: Study) -> None:
    """What the other tests here are worth: the engine is another one, and its store is not the one of old."""
    told = json.loads(study.docker("info", "--format", "{{json .}}"))
    assert ["driver-type", "io.containerd.snapshotter.v1"] in told["DriverStatus"]
    ours = study.stack.run("docker", "version", "--format", "{{.Server.APIVersion}}").stdout.strip()
    newest = study.docker("version", "--format", "{{.Server.APIVersion}}")
    assert [int(n) for n in newest.split(".")] > [int(n) for n in ours.split(".")]


def test_without_a_registry(study: Study, tmp_path: Path) -> None:
    """Build, run, repeat and verify by the image's id, which no other engine would give it: no bundle carries it."""
    study.said("snapshot", "one")
    run = study.said("submit", "--wait", "--", "sh", "-c", "cat /src/train.py; exit 3", code=1).split()[0]
    assert study.said("logs", run) == "print('hello')"
    study.said("submit", "--wait", *COPIED)
    assert "identical" in study.said("repeat", "--wait")
    assert study.said("run", "--", "cat", "/src/train.py") == "print('hello')"
    study.said("verify")
    bundle = tmp_path / "one.rvexp"
    done = study.clone.rvexp("export", "one", "--format", "bundle", "-o", str(bundle))
    assert done.returncode == 1
    assert "names images by their manifests" in done.stderr
    assert not bundle.exists()


@pytest.mark.parametrize("code", ["", ".=/src"], ids=["whole", "laid over an environment"])
def test_with_a_registry(study: Study, registry_repo: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The push's digest is found, is the registry's own, and is enough to run the image where it is not yet."""
    monkeypatch.setenv("RVEXP_ECR_REPO", registry_repo)
    monkeypatch.setenv("RVEXP_IMAGE_CODE", code)
    study.said("snapshot", "one")
    first = study.said("publish")
    study.clone.write("train.py", "print('changed')\n")
    tag = study.said("snapshot", "two")
    ref = study.said("publish", tag)
    assert ref != first
    assert study.said("publish", tag) == ref
    tagged = f"{registry_repo}:{tag.replace('/', '_')}"
    assert raw_manifest(study.stack, ref) == raw_manifest(study.stack, tagged)
    if code:
        assert study.said("build", "--reproduce", tag) == ref.partition("@")[2]
    study.forget(f"io.git-rvexp.tag={tag}")
    run = study.said("submit", "--wait", tag, *COPIED).split()[0]
    assert study.said("logs", run) == "print('changed')"
    assert study.docker("images", "--digests", "--format", "{{.Digest}}", registry_repo).count(ref.partition("@")[2])
    assert "identical" in study.said("repeat", "--wait", run)
    study.said("verify", tag)


def fresh(folder: Path) -> Clone:
    """A new clone that knows of nothing."""
    folder.mkdir()
    made = Clone(folder)
    made.git("init", "-q")
    return made


def test_a_bundle_of_a_published_image(study: Study, registry_repo: str, tmp_path: Path) -> None:
    """The engine names it by the manifest that the record names, so that the repeat finds it and pulls nothing."""
    study.clone.git("config", "rvexp.ecr-repo", registry_repo)
    tag = study.said("snapshot", "one")
    study.said("submit", "--wait", *COPIED)
    bundle = tmp_path / "one.rvexp"
    study.said("export", "one", "--format", "bundle", "-o", str(bundle))
    digest = study.clone.git("notes", "show", tag).split(f'"{registry_repo}@')[1].split('"')[0]
    for container in study.docker("ps", "-aq", "--filter", f"ancestor={digest}").split():
        study.docker("rm", "-f", container)
    study.forget(f"io.git-rvexp.tag={tag}")
    other = Study(fresh(tmp_path / "fresh"), study.stack)
    assert other.said("import", str(bundle)) == tag
    assert study.docker("image", "inspect", "--format", "{{.Id}} {{len .RepoTags}}", digest) == f"{digest} 0"
    assert "were here already" in other.clone.rvexp("import", str(bundle)).stderr
    assert "identical" in other.said("repeat", "one", "--wait", "--trust-record")
    assert f'image_id="{digest}"' in other.clone.git("notes", "show", tag)
    assert study.docker("images", "-q", registry_repo) == ""


def test_a_bundle_of_an_image_that_was_never_published(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would get another id than the recorded one: refused before anything is loaded, and told."""
    monkeypatch.setenv("DOCKER_HOST", study.stack.docker_host)
    tag = study.said("snapshot", "one")
    image = study.said("build", "one")
    bundle = tmp_path / "one.rvexp"
    study.said("export", "one", "--format", "bundle", "-o", str(bundle))
    study.stack.run("docker", "rmi", "--force", image)
    monkeypatch.setenv("DOCKER_HOST", study.stack.newest_engine)
    other = fresh(tmp_path / "fresh")
    done = other.rvexp("import", str(bundle))
    assert (done.returncode, done.stdout, other.git("for-each-ref")) == (1, "", "")
    assert f"git rvexp import --no-image {bundle}" in done.stderr
    assert study.docker("images", "-q", "--filter", f"label=io.git-rvexp.tag={tag}") == ""
    assert other.rvexp("import", "--no-image", str(bundle)).stdout.strip() == tag
