"""What this botocore knows of a service: unknown members of a body, and replies as they came over the wire.

botocore drops what its model does not know without a word, so copying a described thing with an old botocore would
lose settings. Only the raw reply shows that.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from git_rvexp.aws.session import models
from git_rvexp.model import Json


def unknown_members(service: str, operation: str, body: Json) -> list[str]:
    """Paths (`containerProperties.newThing`) in `body` that the input of `operation` has no member for."""
    from botocore.model import ServiceModel  # noqa: PLC0415  botocore is slow to load

    known = ServiceModel(models().load_service_model(service, "service-2"), service_name=service)
    shape = known.operation_model(operation).input_shape
    return sorted(set(_unknown(shape, body, "")))


@contextmanager
def raw_replies(client: Any, operation: str) -> Iterator[list[Json]]:
    """The JSON replies that `operation` on this client gets in the block, as they came over the wire."""
    replies: list[Json] = []

    def keep(*, response_dict: dict[str, Any], **_: Any) -> None:
        if response_dict["status_code"] < 300:
            replies.append(json.loads(response_dict["body"]))

    event = f"before-parse.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    client.meta.events.register(event, keep)
    try:
        yield replies
    finally:
        client.meta.events.unregister(event, keep)


def _unknown(shape: Any, value: Json, path: str) -> Iterator[str]:
    if shape.type_name == "structure" and isinstance(value, dict):
        for key, inner in value.items():
            where = f"{path}.{key}" if path else key
            if key not in shape.members:
                yield where
            else:
                yield from _unknown(shape.members[key], inner, where)
    elif shape.type_name == "list" and isinstance(value, list):
        for inner in value:
            yield from _unknown(shape.member, inner, f"{path}[]")
    elif shape.type_name == "map" and isinstance(value, dict):
        for key, inner in value.items():
            yield from _unknown(shape.value, inner, f"{path}.{key}")
