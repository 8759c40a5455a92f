"""Where requests come in: which service is meant, is the request sound, is it to fail, what is answered.

The one lock of the double is here: an operation sees and leaves a consistent state, whoever else is calling.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.doubles import shapes
from tests.doubles.dialects import Dialect, Json11, Query, Refusal, RestJson, check_scope
from tests.doubles.failures import Plan
from tests.doubles.rules import refuse

if TYPE_CHECKING:
    from tests.doubles.operations import Operations
    from tests.doubles.server import Reply, Request

Json = dict[str, Any]

_BATCH = RestJson("batch")
_LOGS = Json11("logs")
_STS = Query("sts", "https://sts.amazonaws.com/doc/2011-06-15/")


class Call(NamedTuple):
    """One request that reached the double."""

    operation: str
    params: Json


class Front:
    """Answers requests for one set of services; `calls` is what was asked, `failures` what is to go wrong."""

    def __init__(self, services: Operations, region: str) -> None:
        self.calls: list[Call] = []
        self.failures = Plan()
        self.lock = threading.RLock()
        self._services, self._region = services, region
        self._table = services.table()

    def respond(self, request: Request) -> Reply:
        """The reply to one HTTP request."""
        dialect = _dialect(request)
        try:
            check_scope(request, dialect.service, self._region)
            operation, params = dialect.read(request)
        except Refusal as refusal:
            return dialect.refuse(refusal)
        self.calls.append(Call(operation, params))
        work = partial(self._work, dialect, operation, params, len(request.body))
        return self.failures.perform(operation, dialect, self._services.user, work)

    def _work(self, dialect: Dialect, operation: str, params: Json, size: int) -> Reply:
        try:
            if operation not in self._table:
                return dialect.refuse(Refusal("UnknownOperationException", f"{operation} is not available", 404))
            _check_input(dialect, operation, params)
            with self.lock:
                payload = self._table[operation](params, size)
        except Refusal as refusal:
            return dialect.refuse(refusal)
        if dialect is _STS:
            return dialect.answer({operation: payload})
        wrong = shapes.output_faults(dialect.service, operation, payload)
        assert not wrong, f"the double answered {operation} outside the model: {wrong}"
        return dialect.answer(payload)


def _dialect(request: Request) -> Dialect:
    if "x-amz-target" in request.headers:
        return _LOGS
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return _STS if form else _BATCH


def _check_input(dialect: Dialect, operation: str, params: Json) -> None:
    faults = [] if dialect is _STS else shapes.input_faults(dialect.service, operation, params)
    if faults and dialect is _BATCH:
        raise refuse("; ".join(faults))
    if faults:
        raise Refusal("InvalidParameterException", "; ".join(faults))
