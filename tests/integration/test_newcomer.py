"""The newcomers' path: two settings, no snapshot, no remote; what ran is on record all the same."""

import json

import pytest

from tests.conftest import Clone
from tests.integration.parts import BatchWorld, Stack, configure, reach_aws


@pytest.fixture
def newcomer(
    clone: Clone, stack: Stack, registry_repo: str, batch_world: BatchWorld, monkeypatch: pytest.MonkeyPatch
) -> Clone:
    """A clone with a queue and a definition that names a public image by a tag that can move."""
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", stack.aws_access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", stack.aws_secret_access_key)
    image = f"{registry_repo}:latest"
    stack.run("docker", "tag", stack.tiny_image, image)
    stack.run("docker", "push", "-q", image)
    name = f"{batch_world.job_definition}-public"
    wanted = {"image": image, "command": ["true"], "vcpus": 1, "memory": 128}
    told = ["--job-definition-name", name, "--type", "container", "--container-properties", json.dumps(wanted)]
    stack.aws("batch", "register-job-definition", *told)
    reach_aws(clone, stack)
    configure(clone, {"batch-queue": batch_world.queue, "batch-job-def-name": name})
    return clone


def test_two_settings_are_enough(newcomer: Clone, stack: Stack, registry_repo: str) -> None:
    """The definition runs as it is; the record stands on the commit, names the digest, and says "not a snapshot"."""
    done = newcomer.rvexp("submit", "--wait", "--", "echo", "hello")
    assert done.returncode == 0, done.stderr
    assert "is not a snapshot" in done.stderr
    assert f"{registry_repo}:latest is a tag that can move" in done.stderr
    assert newcomer.git("tag") == ""
    note = newcomer.git("notes", "--ref=rvexp", "show", "HEAD").splitlines()
    assert [line.split(" ")[1] for line in note] == ["definition", "planned", "submitted", "ended"]
    digest = json.loads(
        stack.run("skopeo", "inspect", "--tls-verify=false", f"docker://{registry_repo}:latest").stdout
    )["Digest"]
    assert f'image="{registry_repo}@{digest}"' in note[0]
    assert all("not_a_snapshot=true" in line for line in note[:2])
    assert newcomer.rvexp("logs", done.stdout.strip()).stdout == "hello\n"
    assert newcomer.rvexp("logs").stdout == "hello\n", "the newest run, where there is no snapshot"
    seen = newcomer.rvexp("verify", done.stdout.strip())
    assert seen.returncode == 8, "what a plain definition ran has no snapshot, so its code cannot be told"
    assert f"names {registry_repo}:latest, a tag that can move" in seen.stdout


def test_with_a_snapshot_of_this_tree_the_snapshot_runs(newcomer: Clone, stack: Stack) -> None:
    """As soon as the work tree has a snapshot, that is what runs: here it is refused, since there is no registry."""
    newcomer.write("Dockerfile", f"FROM {stack.tiny_image}\nCOPY . /src\n")
    tag = newcomer.rvexp("snapshot", "mine").stdout.strip()
    done = newcomer.rvexp("submit", "--", "true")
    assert done.returncode == 2, done.stderr
    assert "only in this engine" in done.stderr
    assert "planned" not in newcomer.git("notes", "show", tag)
