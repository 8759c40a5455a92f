"""Amazon ECR: a login that stays in memory, and whether a repository exists and protects its tags.

A repository is never created here: one that appears by a typing error has nobody's lifecycle and mutability rules.
Pushing and resolving images is the registry's business, not this module's.
"""

import base64
import binascii
import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from git_rvexp.aws.faults import DeniedError, ServiceError, UnreachableError, calling
from git_rvexp.aws.session import client
from git_rvexp.ecrhosts import ECR_HOST
from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.model import Json
from git_rvexp.settings import Settings


@dataclass(frozen=True)
class Repository:
    """An ECR repository. `mutability` is ECR's word: MUTABLE, IMMUTABLE or one of them WITH_EXCLUSION."""

    name: str
    account: str
    region: str
    mutability: str

    @property
    def immutable(self) -> bool:
        """Whether no tag can be moved to another image (tags can be deleted all the same)."""
        return self.mutability == "IMMUTABLE"


@dataclass(frozen=True)
class Stored:
    """An image as ECR keeps it. `status` is ECR's word: ACTIVE, ARCHIVED or ACTIVATING; `pushed` in epoch seconds."""

    status: str
    tags: tuple[str, ...]
    pushed: float | None


def ecr_auth(settings: Settings, registry: str) -> tuple[str, str]:
    """User and password for the ECR host `registry`, good for 12 hours; keep them in memory only."""
    _, region = _parts(registry)
    ecr = client("ecr", dataclasses.replace(settings, aws_region=region))
    with calling(f"get a login for {registry}"):
        answers = ecr.get_authorization_token().get("authorizationData", [])
    try:
        user, _, password = base64.b64decode(answers[0]["authorizationToken"], validate=True).decode().partition(":")
    except (IndexError, KeyError, binascii.Error, UnicodeDecodeError):
        raise UnreachableError(f"cannot get a login for {registry}: the reply holds no token") from None
    return user, password


def ecr_repository(settings: Settings, ref: str) -> Repository:
    """The ECR repository that the image reference `ref` lives in.

    RvexpError when it does not exist, DeniedError when that cannot be told.
    """
    registry, _, path = ref.partition("/")
    account, region = _parts(registry)
    name = re.split(r"[:@]", path)[0]
    ecr = client("ecr", dataclasses.replace(settings, aws_region=region))
    try:
        with calling(f"look at the ECR repository {name}"):
            found = ecr.describe_repositories(registryId=account, repositoryNames=[name])["repositories"]
    except DeniedError:
        raise
    except ServiceError as why:
        if why.name != "RepositoryNotFoundException":
            raise
        raise RvexpError(
            f"there is no ECR repository {name} in account {account}, {region}",
            hint=f"aws ecr create-repository --region {region} --repository-name {name} "
            "--image-tag-mutability IMMUTABLE",
        ) from why
    return Repository(name, account, region, str(found[0].get("imageTagMutability", "MUTABLE")))


def ecr_image(settings: Settings, ref: str) -> Stored | None:
    """The image `repository@digest` in whatever state it is, archived too; None when ECR has no such image.

    DeniedError when that cannot be told.
    """
    place, digest = _place(ref)
    ecr = client("ecr", dataclasses.replace(settings, aws_region=place.pop("region")))
    # Without the filter archived images are left out, and would look deleted.
    everything = {"imageStatus": "ANY"} if _knows_status(ecr) else {}
    try:
        with calling(f"look at the image {ref}"):
            found = ecr.describe_images(**place, imageIds=[{"imageDigest": digest}], filter=everything)["imageDetails"]
    except DeniedError:
        raise
    except ServiceError as why:
        if why.name not in ("ImageNotFoundException", "RepositoryNotFoundException"):
            raise
        return None
    if not found:
        return None
    when = found[0].get("imagePushedAt")
    tags = tuple(found[0].get("imageTags") or ())
    return Stored(str(found[0].get("imageStatus", "ACTIVE")), tags, when.timestamp() if when else None)


def ecr_lifecycle(settings: Settings, ref: str) -> list[Mapping[str, Json]]:
    """The lifecycle rules of the repository in `ref`; none when it has no policy. DeniedError when that is not told."""
    place, _ = _place(ref)
    ecr = client("ecr", dataclasses.replace(settings, aws_region=place.pop("region")))
    try:
        with calling(f"look at the lifecycle rules of {place['repositoryName']}"):
            text = ecr.get_lifecycle_policy(**place)["lifecyclePolicyText"]
    except DeniedError:
        raise
    except ServiceError as why:
        if why.name != "LifecyclePolicyNotFoundException":
            raise
        return []
    try:
        return list(json.loads(text)["rules"])
    except (ValueError, LookupError, TypeError) as why:
        raise UnreachableError(f"cannot read the lifecycle rules of {place['repositoryName']}: {why}") from why


def _knows_status(ecr: Any) -> bool:
    """Whether this botocore is young enough to know of archived images."""
    shape = ecr.meta.service_model.operation_model("DescribeImages").input_shape
    return "imageStatus" in shape.members["filter"].members


def _place(ref: str) -> tuple[dict[str, str], str]:
    registry, _, path = ref.partition("/")
    account, region = _parts(registry)
    name, _, digest = path.partition("@")
    return {"registryId": account, "repositoryName": name.partition(":")[0], "region": region}, digest


def _parts(registry: str) -> tuple[str, str]:
    host = ECR_HOST.fullmatch(registry)
    if not host:
        raise UsageError(
            f"{registry!r} is not an ECR registry\n  expected <account>.dkr.ecr.<region>.amazonaws.com",
        )
    return host[1], host[2]
