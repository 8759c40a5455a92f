"""The checks of what is elsewhere: AWS, the job queue and definition, the registry.

Only what is configured is asked, and only what the user has confirmed is gone to.
"""

import itertools
from collections.abc import Iterator

from git_rvexp import aws
from git_rvexp.settings import Settings
from git_rvexp.workflow.preparing.checkup import Check, Scene


def identity(scene: Scene) -> Iterator[Check]:
    """Whether AWS knows us, in which account and region; a wrong clock shows here too."""
    if _on_aws(scene.settings):
        account, region = aws.identity(_trusted(scene))
        where = f" at {scene.settings.aws_endpoint_url}" if scene.settings.aws_endpoint_url else ""
        yield Check("aws", "ok", f"account {account} in {region}{where}")


def store(scene: Scene) -> Iterator[Check]:
    """Whether the store's bucket can be listed; whether we may write shows when a snapshot goes there."""
    where = scene.settings.store
    if not where:
        return
    from git_rvexp.data.store import Store  # noqa: PLC0415  loads what other checks do not need

    count = sum(1 for _ in itertools.islice(Store(_trusted(scene)).names(where), 1))
    yield Check("store", "ok", f"{where} answers" + ("" if count else "; nothing is in it yet"))


def queue(scene: Scene) -> Iterator[Check]:
    """Whether the job queue takes jobs."""
    name = scene.settings.batch_queue
    if scene.settings.executor == "batch" and not name:
        yield Check("queue", "bad", "the executor is batch, and batch_queue is not set", "git rvexp init --queue NAME")
    if not name:
        return
    client = aws.client("batch", _trusted(scene))
    with aws.calling(f"look at the job queue {name}"):
        found = client.describe_job_queues(jobQueues=[name])["jobQueues"]
    if not found:
        yield Check("queue", "bad", f"there is no job queue {name}", "aws batch describe-job-queues")
        return
    state, status = found[0].get("state"), found[0].get("status")
    why = f": {found[0]['statusReason']}" if found[0].get("statusReason") and status != "VALID" else ""
    fine = state == "ENABLED" and status == "VALID"
    remedy = "" if fine else f"aws batch describe-job-queues --job-queues {name}"
    yield Check("queue", "ok" if fine else "bad", f"{name} is {state} and {status}{why}", remedy)


def definition(scene: Scene) -> Iterator[Check]:
    """Whether the base definition is there and can be copied."""
    name = scene.settings.batch_job_def_name
    if name:
        from git_rvexp.workflow.defining import describe  # noqa: PLC0415  loads what other checks do not need

        yield Check("definition", "ok", describe(_trusted(scene), name).arn)


def registry(scene: Scene) -> Iterator[Check]:
    """Whether the image repository answers to our login and, on ECR, is there and protects its tags."""
    text = scene.settings.ecr_repo
    if not text:
        yield from _without_registry(scene.settings)
        return
    from git_rvexp.images.credentials import login  # noqa: PLC0415  loads what other checks do not need
    from git_rvexp.images.reference import Repository  # noqa: PLC0415  as above
    from git_rvexp.images.registry import Registry  # noqa: PLC0415  as above

    settings = _trusted(scene)
    repository = Repository.parse(text)
    if repository.is_ecr and not aws.ecr_repository(settings, text).immutable:
        yield Check(
            "registry",
            "warn",
            f"tags of {text} can be moved (jobs use digests all the same)",
            f"aws ecr put-image-tag-mutability --repository-name {repository.name} --image-tag-mutability IMMUTABLE",
        )
    Registry(repository, login(repository, settings, scene.environ)).ping()
    yield Check("registry", "ok", f"{repository.host} answers")


def _without_registry(settings: Settings) -> Iterator[Check]:
    from git_rvexp.workflow.planning import runs_plain  # noqa: PLC0415  as above

    remedy = "git rvexp init --ecr-repo REGISTRY/REPOSITORY"
    if runs_plain(settings):
        text = f"ecr_repo is not set: submit runs {settings.batch_job_def_name} as it is, and no snapshot"
        yield Check("registry", "warn", text, remedy)
    elif settings.on_batch:
        yield Check("registry", "bad", "ecr_repo is not set, and AWS Batch runs no image of this engine", remedy)


def _on_aws(settings: Settings) -> bool:
    return settings.on_batch or bool(settings.store) or ".dkr.ecr." in settings.ecr_repo


def _trusted(scene: Scene) -> Settings:
    """The settings to ask AWS by: what a tracked file chose is not asked before it is confirmed."""
    return scene.context.trusted() if scene.context else scene.settings
