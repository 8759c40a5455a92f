"""Clients of AWS services as the settings say, and the account and region they speak for.

Retries are decided here: a read may be repeated, but a call that makes something new and has no client token
must go out once, since boto3's own retries made two jobs from one lost reply (measured).
"""

import json
from typing import Any

from git_rvexp import __version__
from git_rvexp.aws.faults import SET_REGION, UnreachableError, calling
from git_rvexp.errors import UsageError
from git_rvexp.settings import Settings

CONNECT_SECONDS = 10
READ_SECONDS = 60


def client(service: str, settings: Settings, *, once: bool = False, read_seconds: float = READ_SECONDS) -> Any:
    """A boto3 client of `service`; with `once` no call is ever repeated.

    Other calls follow botocore's standard retries, which the user's own AWS settings may widen. UsageError when the
    profile or the region is missing.
    """
    from botocore.config import Config  # noqa: PLC0415  botocore is slow to load

    with calling(f"use AWS {service}"):
        session = _session(settings)
        config = Config(
            # An explicit number also beats AWS_MAX_ATTEMPTS in the environment.
            retries={"total_max_attempts": 1} if once else {"mode": "standard"},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            user_agent_extra=f"git-rvexp/{__version__}",
        )
        made = session.client(service, endpoint_url=settings.aws_endpoint_url or None, config=config)
    if made.meta.service_model.metadata.get("protocol") in ("json", "rest-json"):
        made.meta.events.register("before-parse", _refuse_no_json)
    return made


def identity(settings: Settings) -> tuple[str, str]:
    """The account number that the credentials belong to, and the region that calls go to."""
    sts = client("sts", settings)
    with calling("ask AWS who we are"):
        return str(sts.get_caller_identity()["Account"]), str(sts.meta.region_name)


def _refuse_no_json(*, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """UnreachableError for a body that botocore would take for an empty answer (cut off), or stumble over.

    An empty answer to a look-up means "not there"; half an answer must not.
    """
    body = response_dict["body"]
    if operation_model.has_streaming_output or not body:
        return
    try:
        sound = isinstance(json.loads(body), dict)
    except ValueError:
        sound = response_dict["status_code"] >= 300  # a proxy's error page: its status says enough
    if not sound:
        raise UnreachableError(f"the answer of AWS to {operation_model.name} is cut off or not one of AWS's")


def _session(settings: Settings) -> Any:
    import boto3  # noqa: PLC0415  as above

    session = boto3.session.Session(profile_name=settings.aws_profile or None, region_name=settings.aws_region or None)
    if not session.region_name:
        raise UsageError("no AWS region is set", hint=SET_REGION)
    return session
