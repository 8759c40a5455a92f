"""Clients of AWS services as the settings say, and the account and region they speak for.

Retries are decided here: a read may be repeated, but a call that makes something new and has no client token
must go out once, since botocore's own retries made two jobs from one lost reply (measured).
"""

import functools
import os
import threading
from typing import TYPE_CHECKING, Any

from git_rvexp import __version__
from git_rvexp.aws.bounds import bind
from git_rvexp.aws.faults import SET_REGION, UnreachableError, calling, refusals
from git_rvexp.errors import UsageError
from git_rvexp.settings import Settings

if TYPE_CHECKING:
    from botocore.loaders import Loader

CONNECT_SECONDS = 10
READ_SECONDS = 60
_MAKING = threading.Lock()  # clients may be shared between threads, but not made in several at once (boto3's guide)


def client(service: str, settings: Settings, *, once: bool = False, read_seconds: float = READ_SECONDS) -> Any:
    """A botocore client of `service`, which threads may share; with `once` no call is ever repeated.

    Other calls follow botocore's standard retries, which the user's own AWS settings may widen. UsageError when the
    profile or the region is missing.
    """
    with _MAKING, calling(f"use AWS {service}"):
        return _client(service, _Owner(settings), _situation(), once=once, read_seconds=read_seconds)


class _Owner:
    """Whose clients they are: those of equal settings elsewhere have connections of their own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Owner) and other.settings is self.settings

    def __hash__(self) -> int:
        return id(self.settings)


def _situation() -> tuple[object, ...]:
    """What decides about credentials: the environment, and how often they were refused.

    As long as both are the same, clients and sessions are shared. A session holds the role that was assumed: a second
    one would ask for an MFA code again, and AWS takes none twice. After a refusal the user may log in, which a session
    that has read the old login does not notice.
    """
    named = (item for item in os.environ.items() if item[0].startswith("AWS_") or item[0] == "HOME")
    return refusals(), *sorted(named)


@functools.lru_cache(maxsize=16)
def _client(service: str, owner: _Owner, situation: tuple[object, ...], *, once: bool, read_seconds: float) -> Any:
    from botocore.config import Config  # noqa: PLC0415  botocore is slow to load

    settings = owner.settings
    session = _session(settings.aws_profile, situation)
    config = Config(
        # An explicit number also beats AWS_MAX_ATTEMPTS in the environment.
        retries={"total_max_attempts": 1} if once else {"mode": "standard"},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        user_agent_extra=f"git-rvexp/{__version__}",
    )
    region = settings.aws_region or session.get_config_variable("region")
    if not region:
        raise UsageError("no AWS region is set", hint=SET_REGION)
    endpoint = settings.aws_endpoint_url or None
    try:
        made = session.create_client(service, region_name=region, endpoint_url=endpoint, config=config)
    except ValueError as why:  # botocore's word for an endpoint that is no URL
        raise UsageError(f"cannot use AWS {service}: {why}", hint="git rvexp config list --show-origin") from why
    bind(made)
    return made


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
    """The service models, read once by a process: each takes tens of milliseconds, and a session would read its own."""
    from botocore.loaders import create_loader  # noqa: PLC0415  as above

    found = create_loader(data_path)
    # To see that a name is not misspelt, it would open the folders of all services, twice for a client: 20 ms.
    found.list_available_services = lambda _type: _Every()
    return found


class _Every:
    """All the names of services there are: one that is none has no model, which is told too."""

    def __contains__(self, _name: object) -> bool:
        return True


@functools.lru_cache(maxsize=2)
def _session(profile: str, _situation: tuple[object, ...]) -> Any:
    import botocore.session  # noqa: PLC0415  as above

    session = botocore.session.get_session()
    if profile:
        session.set_config_variable("profile", profile)
    session.register_component("data_loader", models(session.get_config_variable("data_path")))
    return session
