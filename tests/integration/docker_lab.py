"""What the tests of the docker executor share: an executor on the stack's engine, plans, and cleaning up."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import docker

from git_rvexp.executors.docker import DockerExecutor
from git_rvexp.model import JobState, Plan
from git_rvexp.names import RunId
from tests.integration.parts import Stack

HANG = 120  # seconds; only so that a test that would never end does
NOBODY = "0" * 64
KILLED = 128 + 9


class Lab:
    """One test's engine, executor and plans. The environment holds one secret, API_KEY."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.environ = {"DOCKER_HOST": stack.docker_host, "API_KEY": "hunter2"}
        self.engine: Any = docker.DockerClient(base_url=stack.docker_host)
        self.made: list[Plan] = []

    @cached_property
    def executor(self) -> DockerExecutor:
        """The executor under test."""
        return DockerExecutor(self.environ)

    @cached_property
    def image(self) -> str:
        """The id of an image with a shell."""
        return str(self.engine.images.get(self.stack.tiny_image).id)

    def plan(self, *command: str, **fields: Any) -> Plan:
        """A new plan; its container is removed in the end."""
        run = RunId.new()
        sound = {
            "run": run,
            "executor": "docker",
            "job_name": run.job_name("demo"),
            "image": self.image,
            "command": command,
            "env": {"RVEXP_RUN": str(run)},
        }
        self.made.append(Plan(**{**sound, **fields}))
        return self.made[-1]

    def cli(self, *words: str) -> str:
        """What the docker CLI, which shares no code with us, says."""
        return self.stack.run("docker", *words).stdout.strip()

    def let_end(self, job: str, path: str) -> None:
        """Make the file that a container waits for to end; its end may take the command that makes it with it."""
        done = self.stack.run("docker", "exec", job, "touch", path, ok=False)
        assert done.returncode in (0, KILLED), done.stderr

    def until(self, job: str, executor: DockerExecutor | None = None) -> JobState:
        """The state of a job once it is over; the last one seen if that takes too long."""
        asked = executor or self.executor
        state = asked.states([job])[job]
        for _ in range(HANG * 10):
            if state.phase.over:
                break
            time.sleep(0.1)
            state = asked.states([job])[job]
        return state


@contextmanager
def opened(stack: Stack) -> Iterator[Lab]:
    """A lab that leaves nothing behind."""
    lab = Lab(stack)
    try:
        yield lab
    finally:
        for plan in lab.made:
            for container in lab.engine.containers.list(all=True, filters={"name": f"^/{plan.job_name}$"}):
                container.remove(force=True)
        lab.engine.close()
