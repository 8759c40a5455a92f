"""Whether a queue and a definition, as Batch describes them, will take a plan. Pure."""

from collections.abc import Mapping

from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.executors.definition import places
from git_rvexp.model import Json, Plan
from git_rvexp.names import RunId


def check_queue(plan: Plan, queue: Mapping[str, Json]) -> None:
    """Refuse a queue that takes no jobs, is another account's, or shares in a way the plan does not fit."""
    state, status = queue.get("state"), queue.get("status")
    if state != "ENABLED" or status != "VALID":
        why = f" ({queue['statusReason']})" if queue.get("statusReason") else ""
        raise RvexpError(f"the job queue {plan.queue} takes no jobs: it is {state} and {status}{why}")
    _check_share(plan, fair=bool(queue.get("schedulingPolicyArn")))
    _check_account(plan, str(queue.get("jobQueueArn", "")))


def check_definition(plan: Plan, body: Mapping[str, Json]) -> None:
    """Refuse a definition that does not run the plan's image, or has not the secrets that the plan counts on.

    A definition without any pinned image is the user's own (a run without a snapshot) and is taken as it is.
    """
    images = {place.image for place in places(body)}
    if any("@sha256:" in image for image in images) and plan.image not in images:
        raise RvexpError(
            f"the definition {plan.definition} does not run the image of this run\n"
            f"  the run:        {plan.image}\n  the definition: {', '.join(sorted(images))}",
            hint="git rvexp publish",
        )
    given = {secret.get("name") for place in places(body) for secret in place.holder.get("secrets") or []}
    missing = sorted(set(plan.secret_env) - given)
    if missing:
        raise UsageError(
            f"the definition {plan.definition} has no secret called {', '.join(missing)}\n"
            "  on Batch secrets come from the job definition; a submission cannot add them",
            hint="name them in the secrets of the base definition (batch_job_def_name)",
        )


def check_job(run: str, detail: Mapping[str, Json]) -> None:
    """Refuse a job that is not the run's: a record may name any job, and a job's own name holds its run.

    Of a job that somebody submitted by hand the run follows from the job's id.
    """
    job, name = str(detail.get("jobId", "")), str(detail.get("jobName", ""))
    if not name.startswith(RunId(run).job_name("")) and str(RunId.of(job)) != run:
        raise RvexpError(f"the record says that {job} is the job of run {run}, and Batch calls that job {name}")


def _check_share(plan: Plan, *, fair: bool) -> None:
    given = bool(plan.extra.get("share_identifier"))
    if fair and not given:
        raise UsageError(
            f"the job queue {plan.queue} shares fairly and wants a share identifier",
            hint="--share NAME, or git rvexp config set job.share NAME",
        )
    if given and not fair:
        raise UsageError(f"the job queue {plan.queue} has no scheduling policy and takes no share identifier")


def _check_account(plan: Plan, queue_arn: str) -> None:
    parts = queue_arn.split(":")
    region, account = (parts[3], parts[4]) if len(parts) > 5 else ("", "")
    if (plan.account and account and plan.account != account) or (plan.region and region and plan.region != region):
        raise RvexpError(
            f"the run was planned for account {plan.account} in {plan.region}, "
            f"and the queue {plan.queue} is in account {account} in {region}",
            hint="aws sts get-caller-identity",
        )
