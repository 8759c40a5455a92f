"""A fault proxy for a real HTTP server: forwards everything unchanged until a rule says otherwise.

    with FaultProxy(moto_url) as proxy:
        proxy.on("POST", "/v1/submitjob$", drop_reply(), count=1)
        … use proxy.url in place of moto_url …
        assert proxy.log[-1].server_status == 200 and proxy.log[-1].status is None

It speaks plain HTTP/1.1 on 127.0.0.1 and a free port, a thread for each connection; no TLS, no protocol upgrades.
"""

from __future__ import annotations

import contextlib
import io
import re
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit
from weakref import WeakSet

from tests.faults.exchange import ClosedError, Exchange, Seen, Wire
from tests.faults.http1 import Body, Head, read_head, request_framing

if TYPE_CHECKING:
    from tests.faults.actions import Action

# Query-protocol requests name their operation in a small form; anything larger is streamed unread.
_FORM_LIMIT = 64 * 1024


@dataclass
class Rule:
    """Which requests get which actions; `hits` counts the ones that did."""

    method: str
    path: re.Pattern[str]
    target: re.Pattern[str]
    actions: tuple[Action, ...]
    count: int | None
    skip: int
    hits: int = field(default=0)

    def claims(self, seen: Seen) -> bool:
        """True when this rule is to act on the request; a match that is still to be skipped is used up by asking."""
        matches = self.method in ("*", seen.method) and self.path.search(seen.path) and self.target.search(seen.target)
        if not matches or (self.count is not None and self.hits >= self.count):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.hits += 1
        return True


class FaultProxy:
    """A context manager; `log` has an entry for each request from the moment its head was read, oldest first."""

    def __init__(self, upstream: str) -> None:
        where = urlsplit(upstream)
        self._upstream = (where.hostname or "127.0.0.1", where.port or 80)
        self.log: list[Seen] = []
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._open: WeakSet[Wire] = WeakSet()
        self._stopping = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a trailing slash."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        # Closing a socket does not wake a thread that accepts on it; a connection does.
        with contextlib.suppress(OSError), socket.create_connection(self._listener.getsockname()):
            self._thread.join()
        self._listener.close()
        with self._lock:
            still_open = list(self._open)
        for wire in still_open:
            wire.close()

    def on(
        self,
        method: str,
        path: str,
        *actions: Action,
        target: str = "",
        count: int | None = None,
        skip: int = 0,
    ) -> Rule:
        """From now on do these actions to requests of this method ("*": any) whose path and query match.

        `target` is searched in X-Amz-Target, or in the Action of a query-protocol request. The first `skip` matches are
        left to other rules, then `count` get the actions (None: all). Of several rules the first that claims a request
        acts alone; a rule without actions lets what it claims pass.
        """
        rule = Rule(method, re.compile(path), re.compile(target), actions, count, skip)
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forget all rules; exchanges under way keep theirs."""
        with self._lock:
            self._rules.clear()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._stopping.is_set():
                connection.close()
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        client = self._track(Wire(connection))
        # A peer that leaves, or a wire closed under a reading thread (ValueError), ends this connection only.
        with contextlib.suppress(OSError, ValueError):
            while (head := read_head(client.stream)) is not None and self._pass_on(client, head):
                pass
        client.close()

    def _pass_on(self, client: Wire, head: Head) -> bool:
        body, target = _peek(client, head)
        seen = Seen(head.method, head.path, target)
        with self._lock:
            self.log.append(seen)
            rule = next((rule for rule in self._rules if rule.claims(seen)), None)
        exchange = Exchange(client, head, body, actions=rule.actions if rule else (), seen=seen, sleep=self._sleep)
        return exchange.run(self._dial)

    def _dial(self) -> Wire:
        return self._track(Wire(socket.create_connection(self._upstream)))

    def _sleep(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise ClosedError("the proxy is stopping")

    def _track(self, wire: Wire) -> Wire:
        with self._lock:
            self._open.add(wire)
        return wire


def _peek(client: Wire, head: Head) -> tuple[Body, str]:
    """The request's body, still to be read, and the operation it names."""
    framing = request_framing(head)
    form = head.get("content-type").startswith("application/x-www-form-urlencoded") and not head.get("expect")
    action = parse_qs(urlsplit(head.path).query).get("Action", [""])[0]
    target = head.get("x-amz-target") or action
    if not form or framing != "length" or int(head.get("content-length")) > _FORM_LIMIT:
        return Body(client.stream, head, framing), target
    text = b"".join(Body(client.stream, head, framing))
    again = io.BytesIO(text)
    return Body(again, head, framing), target or parse_qs(text.decode("latin-1")).get("Action", [""])[0]
