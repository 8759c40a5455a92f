"""What this botocore knows of a service, and what in a body it does not know.

botocore drops what its model does not know without a word, so copying a described thing with an old botocore would
lose settings. Only the raw reply shows that (`bounds.raw_replies`).
"""

from collections.abc import Iterator
from typing import Any

from git_rvexp.aws.session import models
from git_rvexp.model import Json


def unknown_members(service: str, operation: str, body: Json) -> list[str]:
    """Paths (`containerProperties.newThing`) in `body` that the input of `operation` has no member for."""
    from botocore.model import ServiceModel  # noqa: PLC0415  botocore is slow to load

    known = ServiceModel(models().load_service_model(service, "service-2"), service_name=service)
    shape = known.operation_model(operation).input_shape
    return sorted(set(_unknown(shape, body, "")))


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
