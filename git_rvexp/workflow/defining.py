"""The job definition of an image: found by content or registered, never twice for the same, never deregistered.

The name holds a hash of the body, so looking it up by name is looking it up by content. The whole body is compared
all the same: somebody may have registered another revision under our name.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from git_rvexp import aws
from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.executors import definition as defs
from git_rvexp.executors import limits
from git_rvexp.executors.batch_definitions import Definitions
from git_rvexp.executors.definition import Definition
from git_rvexp.model import Image, Json, Resources, Snapshot
from git_rvexp.names import TagName
from git_rvexp.settings import Settings

Say = Callable[[str], None]
T = TypeVar("T")
# A definition may take a moment to be seen after it was registered.
_LOOKS = 4


def ensure_definition(
    settings: Settings, tag: TagName, snapshot: Snapshot, image: Image, say: Say, known: Definitions | None = None
) -> Definition:
    """The ACTIVE definition that runs `image`: the base itself, one found by content, or one registered now.

    `known` is what this command has asked, or begun to ask, of definitions.
    UsageError when the image or the base cannot be used, CredentialsError and the errors of `aws` otherwise.
    """
    if "@sha256:" not in image.ref:
        raise UsageError(
            f"AWS Batch cannot run an image that is only in this engine: {image.ref}",
            hint="git config rvexp.ecr-repo REGISTRY/REPOSITORY",
        )
    tags = {"rvexp:tag": str(tag), "rvexp:commit": snapshot.commit, "rvexp:digest": image.ref.partition("@")[2]}
    if not settings.batch_job_def_name:
        roles = {"jobRoleArn": settings.job_role_arn, "executionRoleArn": settings.job_execution_role_arn}
        wanted = Resources(settings.job_vcpus, settings.job_memory, settings.job_gpus)
        body = defs.make(image, tags, wanted, roles)
    else:
        base = describe(settings, settings.batch_job_def_name, known)
        if defs.holds_only(base.body, image.ref):
            say(f"definition {base.name} already runs this image")
            return base
        body = defs.derive(base.body, image, {**tags, "rvexp:base": base.arn})
    for loose in defs.unpinned(body):
        say(f"warning: the definition also runs {loose}, which is not pinned by a digest")
    return ensure_registered(settings, defs.name_for(tag, body), body, say, known=known)


def describe(settings: Settings, reference: str, known: Definitions | None = None) -> Definition:
    """The ACTIVE definition of a name (its newest revision), `name:revision` or ARN, ready to be copied.

    UsageError when there is none; RvexpError when this botocore does not know all of it.
    """
    arn, _, path = reference.rpartition("job-definition/")
    name, _, revision = path.partition(":")
    found = [
        d
        for d in (known or Definitions(settings)).active(name)
        if (not revision or str(d["revision"]) == revision) and str(d["jobDefinitionArn"]).startswith(arn)
    ]
    if not found:
        raise UsageError(
            f"there is no ACTIVE job definition {reference}",
            hint="aws batch describe-job-definitions --status ACTIVE",
        )
    newest = max(found, key=lambda d: int(d["revision"]))
    body = defs.registrable(newest)
    defs.refuse_unknown(aws.unknown_members("batch", "RegisterJobDefinition", body), reference)
    return Definition(str(newest["jobDefinitionArn"]), name, body)


def ensure_registered(
    settings: Settings,
    name: str,
    body: Mapping[str, Json],
    say: Say,
    *,
    known: Definitions | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Definition:
    """The ACTIVE definition called `name` with exactly `body`, registered when there is none.

    The call goes out once; when its reply is lost, what is there decides.
    """
    limits.check_definition(name, body, [place.image for place in defs.places(body)])
    known = known or Definitions(settings)
    found = _equal(known.active(name), body)
    if found:
        say(f"definition {name} is registered already")
        return found
    try:
        arn = _register(settings, name, body)
    except (aws.UnreachableError, aws.ThrottledError, aws.ServiceError) as why:
        if isinstance(why, aws.DeniedError) or (isinstance(why, aws.ServiceError) and 400 <= why.status < 429):
            raise
        adopted = _look_again(lambda: _equal(known.look(name), body), sleep)
        if not adopted:
            raise
        say(f"the reply to registering {name} was lost, but it is there")
        return adopted
    _confirm(aws.client("batch", settings), arn, body, say, sleep)
    say(f"registered definition {name}")
    return Definition(arn, name, body, registered=True)


def _register(settings: Settings, name: str, body: Mapping[str, Json]) -> str:
    once = aws.client("batch", settings, once=True)
    try:
        with aws.calling(f"register the job definition {name}"):
            reply = once.register_job_definition(jobDefinitionName=name, **body)
    except aws.DeniedError as why:
        why.hint = (
            "ask for batch:RegisterJobDefinition and iam:PassRole, or set batch_job_def_name to a definition that "
            "names this image by its digest"
        )
        raise
    arn = reply.get("jobDefinitionArn")
    if not isinstance(arn, str):
        raise aws.UnreachableError(f"cannot register the job definition {name}: the reply names none")
    return arn


def _confirm(client: Any, arn: str, body: Mapping[str, Json], say: Say, sleep: Callable[[float], None]) -> None:
    def look() -> dict[str, Json] | None:
        with aws.calling(f"look at {arn}"):
            found = client.describe_job_definitions(jobDefinitions=[arn])["jobDefinitions"]
        return found[0] if found else None

    kept = _look_again(look, sleep)
    if kept is None:
        raise RvexpError(f"{arn} was registered but cannot be seen yet", hint="the same command again")
    changed, added = defs.differences(body, kept)
    if changed:
        raise RvexpError(f"AWS keeps {arn} otherwise than it was asked to: {', '.join(changed)}")
    if added:
        say(f"AWS has added to the definition: {', '.join(added)}")


def _equal(there: Sequence[Mapping[str, Json]], body: Mapping[str, Json]) -> Definition | None:
    same = [d for d in there if defs.differences(body, d) == ([], [])]
    if not same:
        return None
    newest = max(same, key=lambda d: int(d["revision"]))
    return Definition(str(newest["jobDefinitionArn"]), str(newest["jobDefinitionName"]), body)


def _look_again(look: Callable[[], T | None], sleep: Callable[[float], None]) -> T | None:
    for attempt in range(_LOOKS):
        found = look()
        if found is not None:
            return found
        if attempt < _LOOKS - 1:
            sleep(2.0**attempt)
    return None
