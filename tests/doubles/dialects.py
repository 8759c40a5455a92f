"""The three wire protocols of AWS that the doubles speak: REST-JSON (Batch), JSON 1.1 (Logs) and Query (STS).

A dialect turns a request into an operation with parameters, and an answer or a refusal into a reply in its own form.
What the operations mean is not here. Signatures are looked at (is the credential scope right?) but not verified.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from tests.doubles import shapes
from tests.doubles.server import Reply, Request

Json = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - it is an answer of the service, not a fault of the double
    """The service says no: an AWS error code, its text, and the HTTP status it travels with."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class Dialect(Protocol):
    """How one service reads and writes HTTP."""

    @property
    def service(self) -> str:
        """The name that requests are signed for."""

    def read(self, request: Request) -> tuple[str, Json]:
        """The operation and its parameters, not yet checked against the model; raises Refusal."""

    def answer(self, payload: Json) -> Reply:
        """A successful reply."""

    def refuse(self, refusal: Refusal) -> Reply:
        """An error reply."""


def request_id() -> dict[str, str]:
    """The header by which every AWS reply can be traced."""
    return {"x-amzn-RequestId": str(uuid.uuid4())}


def check_scope(request: Request, service: str, region: str) -> None:
    """Refuse a request that is unsigned, or signed for another service or region, as AWS does."""
    signed = re.match(
        r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request",
        request.headers.get("authorization", ""),
    )
    if signed is None:
        raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    if signed.groups() != (region, service):
        text = f"Credential should be scoped to region '{region}' and service '{service}'."
        raise Refusal("InvalidSignatureException", text, 403)


def _json_body(request: Request) -> Json:
    try:
        params = json.loads(request.body or b"{}")
    except ValueError as error:
        raise Refusal("SerializationException", f"the body is not JSON: {error}") from error
    if not isinstance(params, dict):
        raise Refusal("SerializationException", "the body is not a JSON object")
    return params


@dataclass(frozen=True)
class RestJson:
    """Operation by method and path, error code in a header."""

    service: str

    def read(self, request: Request) -> tuple[str, Json]:
        """See Dialect."""
        found = shapes.route(self.service, request.method, request.path)
        if found is None:
            raise Refusal("UnknownOperationException", f"{request.method} {request.path}", 404)
        operation, from_path = found
        return operation, {**_json_body(request), **from_path}

    def answer(self, payload: Json) -> Reply:
        """See Dialect."""
        return Reply(200, json.dumps(payload).encode(), request_id())

    def refuse(self, refusal: Refusal) -> Reply:
        """See Dialect."""
        headers = {**request_id(), "x-amzn-ErrorType": refusal.code}
        return Reply(refusal.status, json.dumps({"message": refusal.message}).encode(), headers)


@dataclass(frozen=True)
class Json11:
    """Operation by the X-Amz-Target header, error code in the body."""

    service: str

    def read(self, request: Request) -> tuple[str, Json]:
        """See Dialect."""
        operation = request.headers["x-amz-target"].rpartition(".")[2]
        if operation not in shapes.service(self.service).operation_names:
            raise Refusal("UnknownOperationException", operation)
        return operation, _json_body(request)

    def answer(self, payload: Json) -> Reply:
        """See Dialect."""
        headers = {**request_id(), "Content-Type": "application/x-amz-json-1.1"}
        return Reply(200, json.dumps(payload).encode(), headers)

    def refuse(self, refusal: Refusal) -> Reply:
        """See Dialect."""
        body = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
        return Reply(refusal.status, body, {**request_id(), "Content-Type": "application/x-amz-json-1.1"})


@dataclass(frozen=True)
class Query:
    """Operation by the `Action` form field, everything answered in XML; flat string answers only."""

    service: str
    namespace: str

    def read(self, request: Request) -> tuple[str, Json]:
        """See Dialect."""
        form: Json = dict(parse_qsl(request.body.decode()))
        form.pop("Version", None)
        return form.pop("Action", ""), form

    def answer(self, payload: Json) -> Reply:
        """See Dialect."""
        (operation, fields), ids = next(iter(payload.items())), request_id()
        inner = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in fields.items())
        meta = f"<ResponseMetadata><RequestId>{ids['x-amzn-RequestId']}</RequestId></ResponseMetadata>"
        result = f"<{operation}Result>{inner}</{operation}Result>{meta}"
        body = f'<{operation}Response xmlns="{self.namespace}">{result}</{operation}Response>'
        return Reply(200, body.encode(), {**ids, "Content-Type": "text/xml"})

    def refuse(self, refusal: Refusal) -> Reply:
        """See Dialect."""
        code = refusal.code.removesuffix("Exception")
        error = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(refusal.message)}</Message>"
        body = f'<ErrorResponse xmlns="{self.namespace}"><Error>{error}</Error></ErrorResponse>'
        return Reply(refusal.status, body.encode(), {**request_id(), "Content-Type": "text/xml"})
