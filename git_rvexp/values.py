"""One setting's value: from whatever a file, a variable or git said to its type, and back to text."""

import re
from collections.abc import Mapping
from typing import Any

from git_rvexp.settings import Key

_KINDS = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a table of strings",
    tuple: "a list of strings",
}


class WrongValueError(ValueError):
    """How the value must be instead; the caller knows the key and the place."""


def typed(key: Key, raw: Any) -> Any:
    """`raw` (a TOML value, or text) as the type of `key` and by its rule; WrongValueError otherwise."""
    value = _converted(key, raw)
    texts = _texts(value)
    if not all(c.isprintable() or (c in "\n\t" and key.kind is dict) for text in texts for c in text):
        raise WrongValueError("must not hold control characters")
    wrong = key.rule(value)
    if wrong:
        raise WrongValueError(wrong)
    return value


def written(value: Any) -> str:
    """A value as text that `typed` takes back, as far as there is such a text: K=V,K=V for tables, A,B for lists."""
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, Mapping):
        return ",".join(f"{k}={v}" for k, v in value.items())
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def shown(value: Any) -> str:
    """A value, or any text, for the screen: addresses in it lose their passwords."""
    return re.sub(r"(?<=://)([^/@:\s]*):[^/@\s]*@", r"\1:***@", written(value))


def _converted(key: Key, raw: Any) -> Any:
    wrong = WrongValueError(f"must be {_KINDS[key.kind]}")
    if key.kind is dict:
        pairs = raw if isinstance(raw, dict) else _pairs(raw) if isinstance(raw, str) else None
        if pairs is None or not all(isinstance(v, str) for v in pairs.values()):
            raise wrong
        return pairs
    if key.kind is tuple:
        texts = [t.strip() for t in raw.split(",") if t.strip()] if isinstance(raw, str) else raw
        if not isinstance(texts, list | tuple) or not all(isinstance(t, str) for t in texts):
            raise wrong
        return tuple(texts)
    if isinstance(raw, str) and key.kind is not str:
        return _from_text(key.kind, raw, wrong)
    if key.kind is float and isinstance(raw, int) and not isinstance(raw, bool):
        return float(raw)
    if type(raw) is not key.kind:
        raise wrong
    return raw


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return [value] if isinstance(value, str) else list(value) if isinstance(value, tuple) else []


def _from_text(kind: type, raw: str, wrong: WrongValueError) -> Any:
    if kind is bool:
        if raw.lower() in ("true", "1", "yes", "on", "false", "0", "no", "off"):
            return raw.lower() in ("true", "1", "yes", "on")
        raise wrong
    try:
        return kind(raw)
    except ValueError:
        raise wrong from None


def _pairs(raw: str) -> dict[str, str] | None:
    parts = [p.partition("=") for p in raw.split(",") if p]
    return {k: v for k, _, v in parts} if all(eq for _, eq, _ in parts) else None
