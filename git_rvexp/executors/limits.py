"""The limits of AWS Batch, measured before anything is sent, because Batch finds some of them too late.

Overrides that are too long are accepted and the job fails; a name filter that ignores case finds the wrong job.
Sources: the service model's texts, the user guide's quotas, and reports of users for the overrides.
Pure functions; each raises UsageError with what was measured and what is allowed.
"""

import json
import re
from collections.abc import Mapping

from git_rvexp.errors import UsageError
from git_rvexp.model import Json, Plan

OVERRIDES_CHARACTERS = 8192
REQUEST_BYTES = 30 * 1024
DEFINITION_BYTES = 24 * 1024
IMAGE_CHARACTERS = 255
MAX_TAGS = 50
MAX_PARENTS = 20
ARRAY = (2, 10_000)
ATTEMPTS = (1, 10)
SHORTEST_TIMEOUT = 60
_JOB_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,127}")
_DEFINITION_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


def check_plan(plan: Plan) -> None:
    """Refuse what Batch would refuse of the plan itself."""
    if not _JOB_NAME.fullmatch(plan.job_name):
        raise UsageError(
            f"the job name {plan.job_name!r} does not fit Batch\n"
            "  allowed: 1 to 128 of a-z, 0-9, '-' and '_', starting with a letter or digit"
        )
    _check_command(plan.command)
    _check_environment(plan.env)
    if plan.array:
        check_array(plan.array)
    if not ATTEMPTS[0] <= plan.attempts <= ATTEMPTS[1]:
        raise UsageError(f"a job has 1 to 10 attempts, not {plan.attempts}")
    if plan.timeout and plan.timeout < SHORTEST_TIMEOUT:
        raise UsageError(f"the shortest timeout of Batch is 60 seconds, not {plan.timeout}")
    if not plan.array and (plan.sequential or plan.after_each):
        raise UsageError("only an array's children can wait for one another (sequential, after_each)")
    if len(plan.parents) + plan.sequential > MAX_PARENTS:
        raise UsageError(
            f"a job can wait for at most 20 others, not {len(plan.parents) + plan.sequential}",
            hint="join them in a step between, or make them one array",
        )


def check_tries(timeout: int, attempts: int) -> None:
    """Refuse a time limit (seconds) or attempts that no job can have, 0 being "not asked for"; as on Batch, so here."""
    if timeout < 0:
        raise UsageError(f"a time limit is a number of seconds, not {timeout}")
    if attempts and not ATTEMPTS[0] <= attempts <= ATTEMPTS[1]:
        raise UsageError(f"a job has 1 to 10 attempts, not {attempts}")


def check_array(size: int) -> None:
    """Refuse an array that is none, or too large; docker keeps to what Batch takes."""
    if not ARRAY[0] <= size <= ARRAY[1]:
        raise UsageError(f"an array has 2 to 10,000 jobs, not {size:,}", hint="leave --array out for one job")


def check_request(request: Mapping[str, Json]) -> None:
    """Refuse a SubmitJob request (its members by the service's names) that is too big."""
    overrides = {k: v for k, v in request.items() if k in _OVERRIDES}
    for given in overrides.values():
        length = len(json.dumps(given, separators=(",", ":"), ensure_ascii=False))
        if length > OVERRIDES_CHARACTERS:
            raise UsageError(
                f"command and environment take {length:,} characters as JSON; Batch accepts jobs with more than "
                f"{OVERRIDES_CHARACTERS:,} and then fails them",
                hint="put long commands and values into a file of the snapshot",
            )
    _check_tags(request.get("tags", {}))
    size = len(json.dumps(request).encode())
    if size >= REQUEST_BYTES:
        raise UsageError(f"the request to Batch takes {size:,} bytes; it must be below {REQUEST_BYTES:,}")


def check_definition(name: str, body: Mapping[str, Json], images: list[str]) -> None:
    """Refuse a job definition that is too big or misnamed; `images` are those it names."""
    if not _DEFINITION_NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a job definition\n  allowed: 1 to 128 of A-Z, a-z, 0-9, '-' and '_'")
    for image in images:
        if len(image) > IMAGE_CHARACTERS:
            raise UsageError(f"the image reference has {len(image)} characters, Batch takes 255\n  {image}")
    _check_tags(body.get("tags", {}))
    size = len(json.dumps({"jobDefinitionName": name, **body}).encode())
    if size > DEFINITION_BYTES:
        raise UsageError(f"the job definition takes {size:,} bytes; Batch takes {DEFINITION_BYTES:,}")


_OVERRIDES = ("containerOverrides", "ecsPropertiesOverride", "eksPropertiesOverride", "nodeOverrides")


def _check_command(command: tuple[str, ...]) -> None:
    if not command:
        raise UsageError("there is no command to run", hint="git rvexp submit -- python train.py")
    for position, word in enumerate(command, start=1):
        if not word:
            raise UsageError(f"word {position} of the command is empty; Batch refuses empty words")


def _check_environment(env: Mapping[str, str]) -> None:
    for name in env:
        if not name or "=" in name or "\0" in name:
            raise UsageError(f"{name!r} cannot be the name of an environment variable")
        if name.upper().startswith("AWS_BATCH"):
            raise UsageError(f"the environment variable {name} cannot be set: names AWS_BATCH… belong to Batch itself")


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > MAX_TAGS:
        raise UsageError(f"there are {len(tags)} tags; AWS takes {MAX_TAGS}")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise UsageError(
                f"the tag {key[:60]!r} has a key of {len(key)} and a value of {len(value)} characters; "
                "AWS takes 128 and 256"
            )
        if key.lower().startswith("aws:"):
            raise UsageError(f"the tag {key!r} cannot be set: aws: belongs to AWS itself")
