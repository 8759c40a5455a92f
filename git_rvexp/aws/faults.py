"""What botocore's errors mean to us: credentials, denied, throttled, unreachable, or the service's own no.

"Denied" and "throttled" are answers about us, never about what was asked for: nothing may be called absent because
of them. Texts are cut to their first line and credentials in addresses are hidden, because AWS quotes the signed
request, session token included, when a signature is wrong.
"""

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from git_rvexp.errors import CredentialsError, RvexpError, UsageError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

LOG_IN = "aws sso login   (or: aws configure)"
SET_REGION = "git config rvexp.aws.region us-east-1   (or: aws configure)"
# AWS accepts signatures that are five minutes off.
SKEW = dt.timedelta(minutes=5)

_REFUSED: list[None] = []  # one for each time


class ServiceError(RvexpError):
    """AWS answered with an error. `status` is HTTP's, `name` the service's word for it."""

    def __init__(self, message: str, *, status: int, name: str, hint: str | None = None) -> None:
        """Keep what a caller may decide by."""
        super().__init__(message, hint=hint)
        self.status = status
        self.name = name


class DeniedError(ServiceError):
    """These credentials may not ask that: whether the thing exists cannot be told."""


class ThrottledError(ServiceError):
    """AWS asks for fewer calls, and still did after the retries."""


class UnreachableError(RvexpError):
    """No answer, or one that makes no sense: what was asked may have been done or not."""


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Turn botocore's errors inside the block (or decorated function) into ours; `what` completes "cannot …"."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  botocore is slow to load
    from botocore.parsers import ResponseParserError  # noqa: PLC0415  as above

    try:
        yield
    except ClientError as why:
        raise _counted(error := _answered(what, why)) from (None if isinstance(error, CredentialsError) else why)
    except (ResponseParserError, ValueError) as why:  # botocore makes numbers and times of XML unseen
        raise UnreachableError(f"cannot {what}: the reply is not one of AWS's\n  {_safe(str(why))}") from why
    except KeyError as why:  # what every such reply has
        raise UnreachableError(f"cannot {what}: the reply is not one of AWS's\n  it has no {why}") from why
    except BotoCoreError as why:
        raise _counted(error := _unanswered(what, why)) from (None if isinstance(error, CredentialsError) else why)


def refusals() -> int:
    """How often credentials were refused, or none were found, in this process."""
    return len(_REFUSED)


def _counted(error: RvexpError) -> RvexpError:
    if isinstance(error, CredentialsError):
        _REFUSED.append(None)
    return error


def _answered(what: str, why: "ClientError") -> RvexpError:
    error = why.response.get("Error", {})
    meta = why.response.get("ResponseMetadata", {})
    name, status = str(error.get("Code", "")), int(meta.get("HTTPStatusCode", 0))
    text = _safe(str(error.get("Message", ""))) or name
    if _CREDENTIALS.fullmatch(name) or _SKEWED.search(text):
        return _credentials(what, name, text, meta.get("HTTPHeaders", {}))
    if _DENIED.fullmatch(name) and status in (400, 401, 403):
        return DeniedError(f"cannot {what}: AWS denies it to these credentials\n  {text}", status=status, name=name)
    if _THROTTLED.fullmatch(name) or status == 429:
        return ThrottledError(f"cannot {what}: AWS asks us to slow down ({text})", status=status, name=name)
    return ServiceError(f"cannot {what}: {text}", status=status, name=name)


def _credentials(what: str, name: str, text: str, headers: dict[str, Any]) -> CredentialsError:
    server, here = _date(str(headers.get("date", ""))), dt.datetime.now(dt.UTC)
    if server and abs(server - here) > SKEW:
        return CredentialsError(
            f"cannot {what}: this machine's clock is wrong\n"
            f"  here it is {here:%Y-%m-%d %H:%M:%S} UTC, at AWS {server:%Y-%m-%d %H:%M:%S} UTC; signatures are valid "
            "for 5 minutes",
            hint="set the clock, then try again",
        )
    return CredentialsError(f"cannot {what}: AWS does not accept the credentials ({name})\n  {text}", hint=LOG_IN)


def _unanswered(what: str, why: Exception) -> RvexpError:
    from botocore import exceptions  # noqa: PLC0415  as above

    text = _without_passwords("\n  ".join(str(why).splitlines()))
    for names, kind, says, hint in _UNANSWERED:
        # Some of the classes are younger than the oldest botocore we take.
        kinds = tuple(getattr(exceptions, name) for name in names.split() if hasattr(exceptions, name))
        if isinstance(why, kinds):
            return kind(f"cannot {what}: {says or text}" + (f"\n  {text}" if says else ""), hint=hint)
    return UnreachableError(f"cannot {what}: no answer from AWS\n  {text}")


def _safe(text: str) -> str:
    return _without_passwords(text.strip().partition("\n")[0])[:500]


def _without_passwords(text: str) -> str:
    return re.sub(r"//[^/@\s]+@", "//", text)


def _date(text: str) -> dt.datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(dt.UTC)
    except ValueError:
        return None


# Services differ in whether they end these names in "Exception".
_CREDENTIALS = re.compile(
    r"(Expired|Invalid|MissingAuthentication)Token(Exception)?|TokenRefreshRequired|RequestExpired|AuthFailure"
    r"|UnrecognizedClient(Exception)?|InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch"
    r"|(Invalid|Incomplete)Signature(Exception)?|RequestTimeTooSkewed"
)
_SKEWED = re.compile(r"[Ss]ignature (expired|not yet current)")
_DENIED = re.compile(r"AccessDenied(Exception)?|Unauthorized(Operation|Exception|Access)|ForbiddenException|403|")
_THROTTLED = re.compile(
    r"Throttl(ing|ed)(Exception)?|(RequestThrottled|TooManyRequests|EC2Throttled)(Exception)?"
    r"|RequestLimitExceeded|SlowDown|BandwidthLimitExceeded"
)
_UNANSWERED: tuple[tuple[str, type[RvexpError], str, str | None], ...] = (
    ("NoCredentialsError NoAuthTokenError", CredentialsError, "no AWS credentials were found", LOG_IN),
    (
        "PartialCredentialsError CredentialRetrievalError TokenRetrievalError MetadataRetrievalError",
        CredentialsError,
        "the AWS credentials cannot be used",
        LOG_IN,
    ),
    (
        "SSOError LoginError UnknownCredentialError UnknownTokenProviderError",
        CredentialsError,
        "the AWS login has ended",
        LOG_IN,
    ),
    ("NoRegionError", UsageError, "no AWS region is set", SET_REGION),
    ("ProfileNotFound", UsageError, "", "aws configure list-profiles"),
    (
        "ParamValidationError ValidationError InvalidConfigError ConfigParseError ConfigNotFound EndpointProviderError",
        UsageError,
        "",
        None,
    ),
)
