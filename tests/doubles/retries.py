"""Whether Batch tries a failed attempt again: `attempts` and `evaluateOnExit`, truly evaluated.

Rules are read in order and the first whose conditions all match decides; when none matches the job is retried, which
surprises people and is why a list should end with `onReason: * -> EXIT`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def retries(strategy: Mapping[str, Any], attempts_made: int, facts: Mapping[str, str]) -> bool:
    """True to try again; `facts` are `onStatusReason`, `onReason` and `onExitCode` as text, "" when there is none."""
    if attempts_made >= strategy.get("attempts", 1):
        return False
    for rule in strategy.get("evaluateOnExit", []):
        conditions = {key: pattern for key, pattern in rule.items() if key != "action"}
        if all(glob_matches(pattern, facts[key]) for key, pattern in conditions.items()):
            return bool(rule["action"].upper() == "RETRY")
    return True


def glob_matches(pattern: str, text: str) -> bool:
    """Batch's only glob: the whole text, or its beginning when the pattern ends with `*`."""
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern
