"""What the AWS account already has, so that `init` can offer it: queues, definitions, repositories.

Only asked where AWS is set up on this machine. Whatever cannot be asked is an empty list: these are suggestions.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from git_rvexp import aws, homes
from git_rvexp.errors import RvexpError
from git_rvexp.settings import Settings

_MOST = 8
_VARIABLES = ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI")


def set_up(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Whether this machine has AWS settings of any kind (looked for in variables and files only)."""
    home = homes.home(environ)
    files = (
        Path(environ.get("AWS_CONFIG_FILE") or home / ".aws" / "config"),
        Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws" / "credentials"),
    )
    chosen = settings.aws_profile or settings.aws_endpoint_url or settings.batch_queue
    return bool(chosen) or any(environ.get(name) for name in _VARIABLES) or any(f.is_file() for f in files)


def queues(settings: Settings) -> list[str]:
    """Names of job queues that take jobs."""
    return _asked(
        "batch",
        settings,
        lambda client: [
            str(q["jobQueueName"])
            for q in client.describe_job_queues()["jobQueues"]
            if q.get("state") == "ENABLED" and q.get("status") == "VALID"
        ],
    )


def definitions(settings: Settings) -> list[str]:
    """Names of ACTIVE job definitions that are not ours."""
    return _asked(
        "batch",
        settings,
        lambda client: [
            str(d["jobDefinitionName"])
            for d in client.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
            if "rvexp:tag" not in d.get("tags", {})
        ],
    )


def repositories(settings: Settings) -> list[str]:
    """Addresses of the ECR repositories."""
    return _asked(
        "ecr",
        settings,
        lambda client: [str(r["repositoryUri"]) for r in client.describe_repositories()["repositories"]],
    )


def _asked(service: str, settings: Settings, ask: Callable[[Any], list[str]]) -> list[str]:
    try:
        client = aws.client(service, settings, read_seconds=10)
        with aws.calling(f"list what {service} has"):
            found = ask(client)
    except RvexpError:
        return []
    return list(dict.fromkeys(found))[:_MOST]
