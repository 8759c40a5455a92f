"""What Amazon ECR alone can tell of an image: archived rather than gone, and what its lifecycle rules will do."""

import datetime as dt

from git_rvexp import aws
from git_rvexp.ecrhosts import is_ecr
from git_rvexp.errors import RvexpError
from git_rvexp.workflow.verifying.expiry import fate
from git_rvexp.workflow.verifying.link import Link, changed, hazard, ok, one_line, unknown
from git_rvexp.workflow.verifying.outside import Outside

REBUILD = "git rvexp repeat --rebuild makes another image from the tag, and says so"


def absent(outside: Outside, ref: str) -> Link:
    """An image that the registry does not give out: gone, or in ECR perhaps only archived."""
    if not is_ecr(ref.partition("/")[0]):
        return changed("image", f"{ref} is gone from the registry", REBUILD)
    try:
        stored = aws.ecr_image(outside.context.trusted(), ref)
    except RvexpError as why:
        return unknown("image", f"{ref} cannot be pulled, and whether it was archived cannot be told: {one_line(why)}")
    if stored and stored.status != "ACTIVE":
        repository, _, digest = ref.partition("/")[2].partition("@")
        restore = f"--repository-name {repository} --image-id imageDigest={digest} --target-storage-class STANDARD"
        return changed("image", f"{ref} is {stored.status} in ECR", f"aws ecr update-image-storage-class {restore}")
    return changed("image", f"{ref} is gone from the registry", REBUILD)


def lasting(outside: Outside, ref: str) -> list[Link]:
    """What ECR's lifecycle rules are going to do with it; no link for other registries, which do not tell."""
    if not is_ecr(ref.partition("/")[0]):
        return []
    settings = outside.context.trusted()
    try:
        rules, stored = aws.ecr_lifecycle(settings, ref), aws.ecr_image(settings, ref)
    except RvexpError as why:
        return [unknown("lifecycle", why, needed=False)]
    if stored is None:
        return [unknown("lifecycle", "ECR does not describe the image", needed=False)]
    coming = fate(rules, stored.tags, stored.pushed, outside.context.ledger.now().astimezone(dt.UTC))
    if coming:
        return [hazard("lifecycle", coming, "exclude it in the repository's lifecycle policy, or copy it elsewhere")]
    return [ok("lifecycle", "no rule of the repository will expire or archive it")]
