"""Checks values against botocore's own service models: unknown members, types, required, min, max, pattern, enum.

botocore's client checks types and required members before it sends; the rest is for the server to enforce, and this
is the server. Limits that stand only in a model's prose are not here but in `rules`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from botocore.loaders import Loader
from botocore.model import ServiceModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The model's prose says that retry actions are not case sensitive, against its own enum.
_CASE_FREE_ENUMS = {"RetryAction"}

_TYPES: dict[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31,
    "long": lambda value: isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63,
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "double": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
    "structure": lambda value: isinstance(value, dict),
}


@cache
def service(name: str) -> Any:
    """The installed botocore's model of a service (`batch`, `logs`)."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), service_name=name)


@cache
def _routes(name: str) -> list[tuple[str, re.Pattern[str], str]]:
    model = service(name)
    routes = []
    for operation in model.operation_names:
        http = model.operation_model(operation).http
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(http["requestUri"]))
        routes.append((http["method"], re.compile(pattern), operation))
    return routes


def route(name: str, method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """The operation that the model puts at this method and path, with the members carried in the path."""
    for verb, pattern, operation in _routes(name):
        found = pattern.fullmatch(path.partition("?")[0])
        if verb == method and found:
            return operation, {key: unquote(value) for key, value in found.groupdict().items()}
    return None


def input_faults(name: str, operation: str, params: object) -> list[str]:
    """What is wrong with a request's parameters, as `path: what`; empty when nothing is."""
    shape = service(name).operation_model(operation).input_shape
    return list(_faults(shape, params, operation, strict=True))


def output_faults(name: str, operation: str, payload: object) -> list[str]:
    """Unknown members and wrong types in an answer; Batch itself is lax about what its model requires."""
    shape = service(name).operation_model(operation).output_shape
    return list(_faults(shape, payload, operation, strict=False)) if shape else []


def _faults(shape: Any, value: Any, where: str, *, strict: bool) -> Iterator[str]:
    if not _TYPES[shape.type_name](value):
        yield f"{where}: {type(value).__name__} is not a {shape.type_name}"
        return
    if strict:
        yield from _limits(shape, value, where)
    if shape.type_name == "structure":
        yield from (f"{where}: unknown member {key}" for key in value if key not in shape.members)
        yield from (f"{where}: {key} is required" for key in shape.required_members if strict and key not in value)
        for key in value.keys() & shape.members.keys():
            yield from _faults(shape.members[key], value[key], f"{where}.{key}", strict=strict)
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from _faults(shape.member, item, f"{where}[{index}]", strict=strict)
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _faults(shape.key, key, f"{where} key {key!r}", strict=strict)
            yield from _faults(shape.value, item, f"{where}.{key}", strict=strict)


def _limits(shape: Any, value: Any, where: str) -> Iterator[str]:
    limits = shape.metadata
    size = value if shape.type_name in ("integer", "long", "float", "double") else None
    size = len(value) if isinstance(value, str | list | dict) else size
    if size is not None and size < limits.get("min", size):
        yield f"{where}: {size} is below the minimum of {limits['min']}"
    if size is not None and size > limits.get("max", size):
        yield f"{where}: {size} is above the maximum of {limits['max']}"
    if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
        yield f"{where}: {value!r} does not match {limits['pattern']}"
    allowed = limits.get("enum")
    if allowed and (value.upper() if shape.name in _CASE_FREE_ENUMS else value) not in allowed:
        yield f"{where}: {value!r} is not one of {', '.join(allowed)}"
