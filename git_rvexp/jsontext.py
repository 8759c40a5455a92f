"""JSON documents as text: quick to write, easy to search, and nothing in them that a terminal obeys."""

import json
import re
from collections.abc import Mapping

from git_rvexp.terms import Json

_HALF = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")  # what lies between stands for bytes of file names and arguments


def read(text: str) -> Json:
    """The value of a document; ValueError for what is none, and where a text of it holds half of a character."""
    value = json.loads(text)
    refuse_half(text, value)
    return value


def refuse_half(text: str, value: Json) -> None:
    r"""ValueError where `value`, read from `text`, holds half of a character (\ud800): nothing can encode it."""
    if "\\u" not in text:  # only an escape makes one
        return
    found = _HALF.search(json.dumps(value, ensure_ascii=False))
    if found:
        raise ValueError(f"a text in it holds half of a character, {json.dumps(found[0])[1:-1]}")


def document(content: Mapping[str, Json]) -> str:
    """`content` as one document, without a last newline.

    A list at the top has one element a line: thousands of them are quick to write, and grep finds them.
    """
    members = [f"  {json.dumps(key)}: {_member(value)}" for key, value in content.items()]
    return "{\n" + ",\n".join(members) + "\n}"


def _member(value: Json) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join("    " + escaped(json.dumps(v, ensure_ascii=False)) for v in value) + "\n  ]"
    return escaped(json.dumps(value, ensure_ascii=False, indent=2)).replace("\n", "\n  ")


def escaped(text: str) -> str:
    """JSON with what a terminal obeys or hides escaped; the lines between values stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
