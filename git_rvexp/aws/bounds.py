"""What an answer of AWS may be: so long and no longer, JSON where the service speaks JSON, and of the model's shape.

botocore reads an answer whole into memory, whatever its length, and takes it apart unseen: a proxy, a wrong endpoint or
a service that is none could fill the memory, or end in a traceback. Content that is streamed (an S3 object) is the
business of those who read it.

What passes can be had as it came over the wire: botocore drops what its model does not know.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from git_rvexp.aws.faults import UnreachableError
from git_rvexp.model import Json

LONGEST = 32 << 20
"""Bytes of an answer. The longest that are asked for, a hundred jobs or a thousand keys, stay under 8 MB."""

_NUMBER = ((int, float), "a number")
# What botocore takes unseen; times it reads with care, and what is true or false it passes on.
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "structure": ((dict,), "an object"),
    "map": ((dict,), "an object"),
    "list": ((list,), "a list"),
    "string": ((str,), "a text"),
    **dict.fromkeys(("integer", "long", "float", "double"), _NUMBER),
}


_HEARD: ContextVar[tuple[str, list[Json]] | None] = ContextVar("heard", default=None)


@contextmanager
def raw_replies(operation: str) -> Iterator[list[Json]]:
    """The JSON replies that `operation` gets in this thread during the block, whichever client asks."""
    replies: list[Json] = []
    before = _HEARD.set((operation, replies))
    try:
        yield replies
    finally:
        _HEARD.reset(before)


def bind(client: Any) -> None:
    """Let `client` refuse, with UnreachableError, answers that are too long or of another shape."""
    # botocore offers no hook between the socket and the whole body, and no way but this to its session.
    session = client._endpoint.http_session  # noqa: SLF001  see above

    def send(*, request: Any, event_name: str, **_: Any) -> Any:
        streamed, request.stream_output = request.stream_output, True
        response = session.send(request)
        if not streamed or response.status_code >= 300:
            response.raw = _Bounded(response.raw, request, ".".join(event_name.split(".")[1:3]))
            _ = response.content  # read here, where a broken connection is a reason to ask again
        return response

    client.meta.events.register_last("before-send", send)
    if client.meta.service_model.metadata.get("protocol") in ("json", "rest-json"):
        client.meta.events.register("before-parse", _check)


class _Bounded:
    """The body of an answer, as botocore reads it."""

    def __init__(self, raw: Any, request: Any, what: str) -> None:
        self._raw, self._request, self._what = raw, request, what

    def stream(self) -> Iterator[bytes]:
        """Its pieces; the errors are those that botocore's own reading has."""
        from botocore.exceptions import ConnectionClosedError, ReadTimeoutError  # noqa: PLC0415  slow to load
        from urllib3.exceptions import HTTPError, TimeoutError  # noqa: A004, PLC0415  as above

        length, url = 0, self._request.url
        try:
            for piece in self._raw.stream(1 << 16):
                length += len(piece)
                if length > LONGEST:
                    self._raw.close()
                    told = f"the answer of AWS to {self._what} has more than {LONGEST >> 20} MB"
                    raise UnreachableError(told, hint="git rvexp doctor")
                yield piece
        except TimeoutError as why:
            raise ReadTimeoutError(endpoint_url=url, error=why) from why
        except HTTPError as why:
            raise ConnectionClosedError(error=why, request=self._request, endpoint_url=url) from why


def _check(*, operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """UnreachableError for a body that botocore would take for an empty answer (cut off), or stumble over.

    An empty answer to a look-up means "not there"; half an answer must not.
    """
    body, failed = response_dict["body"], response_dict["status_code"] >= 300
    if operation_model.has_streaming_output or not body:
        return
    what = f"{operation_model.service_model.service_id} {operation_model.name}"
    try:
        content = json.loads(body)
    except RecursionError:
        raise UnreachableError(f"the answer of AWS to {what} is not one of AWS's: nested too deeply") from None
    except ValueError:
        if failed:
            return  # a proxy's error page: its status says enough
        content = None
    if not isinstance(content, dict):
        raise UnreachableError(f"the answer of AWS to {what} is cut off or not one of AWS's")
    wrong = next(_error_misfits(content) if failed else misfits(operation_model.output_shape, content), "")
    if wrong:
        raise UnreachableError(f"the answer of AWS to {what} is not one of AWS's: {wrong}")
    heard = _HEARD.get()
    if heard and heard[0] == operation_model.name and not failed:
        heard[1].append(content)


def misfits(shape: Any, value: Json, path: str = "it") -> Iterator[str]:
    """What in `value` is not as botocore's `shape` has it, in words. Members that neither knows of are left alone."""
    kind = _KINDS.get(shape.type_name) if shape is not None else None
    if value is None or kind is None or getattr(shape, "is_document_type", False):
        return
    types, wanted = kind
    if not isinstance(value, types) or isinstance(value, bool):
        yield _told(path, value, wanted)
        return
    for place, member, inner in _inside(shape, value):
        yield from misfits(member, inner, path + place)


def _inside(shape: Any, value: Json) -> Iterator[tuple[str, Any, Json]]:
    """Where, of which shape and what the things in `value` are; none in what holds none."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield f".{name}", member, value.get(member.serialization.get("name", name))
    elif shape.type_name == "map":
        yield from ((f".{key[:40]}", shape.value, inner) for key, inner in value.items())
    elif shape.type_name == "list":
        yield from ((f"[{number}]", shape.member, inner) for number, inner in enumerate(value))


def _error_misfits(content: dict[str, Json]) -> Iterator[str]:
    """The members of an error that botocore takes for texts."""
    for name in ("__type", "code", "message", "Message"):
        if not isinstance(content.get(name, ""), str):
            yield _told(name, content[name], "a text")


def _told(path: str, value: Json, wanted: str) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return f"{path.removeprefix('it.')} is {kinds.get(type(value), 'a number')}, not {wanted}"
