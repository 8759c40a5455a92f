"""Pages with opaque tokens, shared by every listing of the double.

A token holds what was left when it was made and belongs to the query that got it: no row is repeated or skipped when
jobs arrive meanwhile, and a token used with other parameters is refused.
"""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import uuid4

from tests.doubles.rules import demand

Row = TypeVar("Row")


class Pager:
    """Cuts rows into pages; `limit` caps every page below what the caller asks for, so that tests need few rows."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._left: dict[str, tuple[str, list[Any]]] = {}

    def page(self, rows: list[Row], params: dict[str, Any], at_most: int) -> tuple[list[Row], dict[str, str]]:
        """The rows of this page, and `{"nextToken": …}` when there are more."""
        query = repr(sorted((key, value) for key, value in params.items() if key != "nextToken"))
        size = min(params.get("maxResults", at_most), at_most, self.limit or at_most)
        demand(size >= 1, "maxResults must be at least 1")
        if "nextToken" in params:
            asked, rows = self._left.get(params["nextToken"], ("", []))
            demand(asked == query, "nextToken is invalid for this request")
        if len(rows) <= size:
            return rows, {}
        token = uuid4().hex
        self._left[token] = (query, rows[size:])
        return rows[:size], {"nextToken": token}
