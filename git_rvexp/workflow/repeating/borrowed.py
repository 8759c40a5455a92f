"""Running what somebody else recorded: their plan says where the run goes and which of our secrets it gets.

Whoever may push the record may write a plan, so a plan counts as ours only when this clone remembers having made it, or
having been told to run it. Any other gets those of our secrets that the user names; images and queues that our settings
do not name need a word.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass

from git_rvexp.errors import UsageError
from git_rvexp.git.plumbing import Repo
from git_rvexp.model import Plan
from git_rvexp.settings import Settings

_DECIDES = ("run", "executor", "image", "command", "env", "queue", "definition", "account", "region", "secret_env")


def remember(repo: Repo, plan: Plan) -> None:
    """Keep in mind that this clone made `plan`, or was told to run it; else, or where that fails, the user is asked."""
    with suppress(OSError):
        repo.state_dir.mkdir(parents=True, exist_ok=True)
        with (repo.state_dir / "planned").open("a", encoding="ascii") as known:
            known.write(f"{_fingerprint(plan)}\n")


@dataclass(frozen=True)
class Leave:
    """What the user lets a plan of somebody else have.

    `secrets` by name; `trusted`: images, queues and roles that our settings do not name; `queue`: the one that the user
    chose instead of the plan's.
    """

    secrets: tuple[str, ...] = ()
    trusted: bool = False
    queue: str = ""


def check(repo: Repo, settings: Settings, plan: Plan, executor: str, leave: Leave, *, again: str) -> None:
    """UsageError unless `plan` is ours or may have what it asks for.

    `executor` is where it would run now, `again` the command that the user gave.
    """
    if ours(repo, plan):
        return
    asked = [name for name in plan.secret_env if name not in leave.secrets] if executor == "docker" else []
    if asked:
        flags = " ".join(f"--secret-env {name}" for name in asked)
        raise UsageError(
            f"run {plan.run} was recorded elsewhere and asks for variables of yours: {', '.join(asked)}\n"
            f"  its image is {plan.image}, its command {list(plan.command)}",
            hint=f"{again} {flags}, if they may have them",
        )
    places = [] if leave.trusted else _elsewhere(settings, plan, executor, leave.queue)
    if places:
        raise _goes_elsewhere(plan, places, again)


def check_image(repo: Repo, settings: Settings, plan: Plan, ref: str) -> None:
    """UsageError unless `plan` is ours, or `ref`, where its image is to come from, is of the registry we use."""
    place = _image_elsewhere(settings, ref)
    if place and not ours(repo, plan):
        raise _goes_elsewhere(plan, [place], f"git rvexp repeat {plan.run}")


def _goes_elsewhere(plan: Plan, places: list[str], again: str) -> UsageError:
    return UsageError(
        f"run {plan.run} was recorded elsewhere, and goes where your settings do not\n" + "\n".join(places),
        hint=f"{again} --trust-record, if you know who recorded it",
    )


def _image_elsewhere(settings: Settings, ref: str) -> str:
    repository, at, _ = ref.partition("@")
    if not at or repository == settings.ecr_repo:
        return ""
    return f"  image {ref}   (ecr_repo: {settings.ecr_repo or 'not set'})"


def _elsewhere(settings: Settings, plan: Plan, executor: str, queue: str) -> list[str]:
    image = _image_elsewhere(settings, plan.image)
    told = [image] if image else []
    if executor == "batch" and plan.queue and not queue and plan.queue != settings.batch_queue:
        told.append(f"  queue {plan.queue}   (batch_queue: {settings.batch_queue or 'not set'})")
    return told


def ours(repo: Repo, plan: Plan) -> bool:
    """Whether this clone made `plan`, word for word in what decides."""
    try:
        return _fingerprint(plan) in (repo.state_dir / "planned").read_text("ascii").split()
    except (OSError, UnicodeDecodeError):
        return False


def _fingerprint(plan: Plan) -> str:
    whole = plan.whole()
    return hashlib.sha256(json.dumps([whole[key] for key in _DECIDES], sort_keys=True).encode()).hexdigest()
