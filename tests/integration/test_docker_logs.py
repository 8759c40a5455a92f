"""Parts of logs on a real engine: since a moment, and one child of an array."""

import time
from collections.abc import Iterator

import pytest

from git_rvexp.errors import RvexpError
from tests.integration.docker_lab import Lab, opened
from tests.integration.parts import Stack


@pytest.fixture
def lab(stack: Stack) -> Iterator[Lab]:
    """An executor on the stack's engine; arrays are removed in the end."""
    with opened(stack) as made:
        yield made
        for plan in made.made:
            label = {"label": f"io.git-rvexp.array={plan.job_name}"}
            for container in made.engine.containers.list(all=True, filters=label):
                container.remove(force=True)


def test_only_what_came_since(lab: Lab) -> None:
    """By the engine's clock."""
    job = lab.executor.submit(lab.plan("sh", "-c", "echo early; sleep 4; echo late"))
    time.sleep(2)
    middle = time.time()
    lab.until(job)
    assert list(lab.executor.logs(job, since=middle)) == ["late"]
    assert list(lab.executor.logs(job)) == ["early", "late"]


def test_one_child_of_an_array(lab: Lab) -> None:
    """`JOB:N`, without the index before each line; there are no others and no second attempt."""
    job = lab.executor.submit(lab.plan("sh", "-c", "echo I am $AWS_BATCH_JOB_ARRAY_INDEX", array=2))
    lab.until(job)
    assert list(lab.executor.logs(f"{job}:1")) == ["I am 1"]
    assert list(lab.executor.logs(job)) == ["[0] I am 0", "[1] I am 1"]
    with pytest.raises(RvexpError, match="they are 0 to 1"):
        list(lab.executor.logs(f"{job}:2"))
    with pytest.raises(RvexpError, match="one attempt"):
        list(lab.executor.logs(job, attempt=2))
