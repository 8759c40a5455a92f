"""Clients of AWS services as the settings say, and the account and region they speak for.

Retries are decided here: a read may be repeated, but a call that makes something new and has no client token
must go out once, since boto3's own retries made two jobs from one lost reply (measured).
"""

import functools
import threading
from typing import TYPE_CHECKING, Any

from git_rvexp import __version__
from git_rvexp.aws.bounds import bind
from git_rvexp.aws.faults import SET_REGION, UnreachableError, calling
from git_rvexp.errors import UsageError
from git_rvexp.settings import Settings

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.loaders import Loader

CONNECT_SECONDS = 10
READ_SECONDS = 60
_MAKING = threading.Lock()  # boto3 says that clients may be shared between threads, but not made in several at once


def client(service: str, settings: Settings, *, once: bool = False, read_seconds: float = READ_SECONDS) -> Any:
    """A boto3 client of `service`; with `once` no call is ever repeated.

    Other calls follow botocore's standard retries, which the user's own AWS settings may widen. UsageError when the
    profile or the region is missing.
    """
    from botocore.config import Config  # noqa: PLC0415  botocore is slow to load

    with _MAKING, calling(f"use AWS {service}"):
        session = _session(settings)
        config = Config(
            # An explicit number also beats AWS_MAX_ATTEMPTS in the environment.
            retries={"total_max_attempts": 1} if once else {"mode": "standard"},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=read_seconds,
            user_agent_extra=f"git-rvexp/{__version__}",
        )
        made = _made(session, service, settings, config)
    bind(made)
    return made


def _made(session: Any, service: str, settings: Settings, config: "Config") -> Any:
    try:
        return session.client(service, endpoint_url=settings.aws_endpoint_url or None, config=config)
    except ValueError as why:  # botocore's word for an endpoint that is no URL
        raise UsageError(f"cannot use AWS {service}: {why}", hint="git rvexp config list --show-origin") from why


def identity(settings: Settings) -> tuple[str, str]:
    """The account number that the credentials belong to, and the region that calls go to."""
    sts = client("sts", settings)
    with calling("ask AWS who we are"):
        account = str(sts.get_caller_identity().get("Account", ""))
    if not account.isdigit():
        raise UnreachableError("cannot ask AWS who we are: the reply names no account")
    return account, str(sts.meta.region_name)


@functools.cache
def models(data_path: str | None = None) -> "Loader":
    """The service models, read once by a process: each takes tens of milliseconds, and a session would read its own.

    Only these are shared: credentials are looked for anew by every client, since a user may log in meanwhile.
    """
    from botocore.loaders import create_loader  # noqa: PLC0415  as above

    found = create_loader(data_path)
    # To see that a name is not misspelt, it would open the folders of all services, twice for a client: 20 ms.
    found.list_available_services = lambda _type: _Every()
    return found


class _Every:
    """All the names of services there are: one that is none has no model, which is told too."""

    def __contains__(self, _name: object) -> bool:
        return True


def _session(settings: Settings) -> Any:
    import boto3  # noqa: PLC0415  as above
    import botocore.session  # noqa: PLC0415  as above

    bare = botocore.session.get_session()
    if settings.aws_profile:
        bare.set_config_variable("profile", settings.aws_profile)
    known = models(bare.get_config_variable("data_path"))
    bare.register_component("data_loader", known)
    session = boto3.session.Session(region_name=settings.aws_region or None, botocore_session=bare)
    known.search_paths[:] = dict.fromkeys(known.search_paths)  # every session of boto3's adds its own folder
    if not session.region_name:
        raise UsageError("no AWS region is set", hint=SET_REGION)
    return session
