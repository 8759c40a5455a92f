"""What the development stack offers a test, as plain values. How it is started is in dev/stack."""

import json
import os
import shutil
import subprocess
import urllib.parse
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Clone

PROJECT = Path(__file__).resolve().parents[2]
STACK = PROJECT / "dev" / "stack"
AWS = "/usr/bin/aws"  # Debian's: an independent client, whatever else is called aws on this machine


class StackMissingError(RuntimeError):
    """A part of the stack is missing; the message says which and what dev/stack had to say."""


@dataclass(frozen=True)
class Stack:
    """Addresses and passwords of the running parts; every server is on 127.0.0.1."""

    docker_host: str
    registry: str
    registry_auth: str
    registry_user: str
    registry_password: str
    aws_endpoint: str
    aws_region: str
    aws_access_key_id: str
    aws_secret_access_key: str
    forge: str
    forge_user: str
    forge_password: str
    base_image: str
    tiny_image: str
    learning_image: str
    second_engine: str
    newest_engine: str
    rastervision_image: str
    rastervision_bin: str

    def environment(self) -> dict[str, str]:
        """Variables that point docker and boto3 at the stack."""
        return {
            "DOCKER_HOST": self.docker_host,
            "AWS_ENDPOINT_URL": self.aws_endpoint,
            "AWS_DEFAULT_REGION": self.aws_region,
            "AWS_ACCESS_KEY_ID": self.aws_access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.aws_secret_access_key,
        }

    @property
    def git_helper(self) -> str:
        """What `credential.FORGE.helper` is set to, for a git that logs in to the forge."""
        return f"!f() {{ echo username={self.forge_user}; echo password={self.forge_password}; }}; f"

    def run(self, *command: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another program against the stack; with `ok`, its failure fails the test with what it said."""
        env = {**os.environ, **self.environment()}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert not ok or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done

    def aws(self, *arguments: str) -> Any:
        """What the aws CLI answers, as JSON. Debian's, 2.9, knows no AWS_ENDPOINT_URL yet."""
        told = self.run(AWS, f"--endpoint-url={self.aws_endpoint}", "--output=json", *arguments).stdout
        return json.loads(told) if told.strip() else None


@dataclass(frozen=True)
class ForgeRepo:
    """A bare repository on the forge. `url` holds no password, `secret_url` does."""

    name: str
    url: str
    secret_url: str

    def archive(self, commit: str) -> str:
        """The address of a commit's archive (cgit). `h` is needed where there are tags and no branch."""
        base = self.url.removesuffix(f"/{self.name}.git")
        return f"{base}/cgit/{self.name}/snapshot/{self.name}-{commit}.tar.gz?h={commit}"


@dataclass(frozen=True)
class BatchWorld:
    """A queue and a base job definition in Batch that no other test uses."""

    queue: str
    queue_arn: str
    job_definition: str
    job_definition_arn: str
    compute_environment_arn: str
    role_arn: str


def dev_stack(*arguments: str) -> str:
    """The output of dev/stack; StackMissingError with its own words when it fails."""
    done = subprocess.run([str(STACK), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackMissingError(f"dev/stack {' '.join(arguments)}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def find_stack() -> Stack:
    """The running stack, started when parts of it are down. StackMissingError when parts stay missing."""
    values = _values()
    if set(FIELDS.values()) - values.keys():
        dev_stack("up")
        values = _values()
    if missing := sorted(set(FIELDS.values()) - values.keys()):
        raise StackMissingError(f"dev/stack up left these undefined: {', '.join(missing)}")
    # dev/matrix docker runs the same tests with another engine
    host = (
        os.environ.get("RVEXP_DEV_OTHER_ENGINE")
        or values.get("DOCKER_HOST")
        or os.environ.get("DOCKER_HOST")
        or "unix:///var/run/docker.sock"
    )
    return Stack(docker_host=host, **{field: values[variable] for field, variable in FIELDS.items()})


FIELDS: Mapping[str, str] = {
    field: f"RVEXP_DEV_{field.upper()}" for field in Stack.__dataclass_fields__ if field != "docker_host"
}


def _values() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dev_stack("env", "--json"))
    return found


def make_forge_repo(stack: Stack, name: str) -> ForgeRepo:
    """A new bare repository on the forge."""
    url = dev_stack("repo", name).strip()
    user, word = (urllib.parse.quote(text, safe="") for text in (stack.forge_user, stack.forge_password))
    return ForgeRepo(name, url, url.replace("://", f"://{user}:{word}@"))


def make_batch_world(name: str) -> BatchWorld:
    """A new queue with a compute environment and a base job definition."""
    return BatchWorld(**json.loads(dev_stack("batch", name)))


def make_digits(stack: Stack, folder: Path) -> Clone:
    """The example in a repository of its own, unlike any other test's: an equal image would be found and used."""
    ignored = shutil.ignore_patterns("__pycache__", "out", "shared")
    shutil.copytree(PROJECT / "examples" / "digits", folder, ignore=ignored)
    clone = Clone(folder)
    clone.git("init", "-q")
    clone.git("config", "rvexp.image.buildArgs", f"BASE={stack.base_image}")
    clone.write("unique.txt", uuid.uuid4().hex)
    clone.commit("the example")
    return clone


def reach(clone: Clone, stack: Stack, url: str) -> None:
    """What a user says of how the experiments remote and AWS are reached."""
    configure(clone, {"experiments-remote": url})
    clone.git("config", f"credential.{stack.forge}.helper", stack.git_helper)
    reach_aws(clone, stack)


def reach_aws(clone: Clone, stack: Stack) -> None:
    """Where AWS answers."""
    configure(clone, {"aws.endpoint-url": stack.aws_endpoint, "aws.region": stack.aws_region})


def use_batch(clone: Clone, world: BatchWorld, repository: str) -> None:
    """Where images and jobs go: this test's own repository, queue and base definition."""
    named = {"batch-queue": world.queue, "batch-job-def-name": world.job_definition}
    configure(clone, {"ecr-repo": repository, **named})


def configure(clone: Clone, settings: Mapping[str, str]) -> None:
    """Write settings into the clone's own git config."""
    for key, value in settings.items():
        clone.git("config", f"rvexp.{key}", value)
