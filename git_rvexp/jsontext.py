"""JSON documents as text: quick to write, easy to search, and nothing in them that a terminal obeys."""

import json
from collections.abc import Mapping

from git_rvexp.terms import Json


def document(content: Mapping[str, Json]) -> str:
    """`content` as one document, without a last newline.

    A list at the top has one element a line: thousands of them are quick to write, and grep finds them.
    """
    members = [f"  {json.dumps(key)}: {_member(value)}" for key, value in content.items()]
    return "{\n" + ",\n".join(members) + "\n}"


def _member(value: Json) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join("    " + _json(json.dumps(v, ensure_ascii=False)) for v in value) + "\n  ]"
    return _json(json.dumps(value, ensure_ascii=False, indent=2)).replace("\n", "\n  ")


def _json(text: str) -> str:
    """JSON with what a terminal obeys or hides escaped; the lines between values stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
