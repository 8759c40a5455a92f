"""`--format`: a line made of `%(name)` fields, `%%` and `%xx` bytes, the way git's for-each-ref has it."""

import difflib
import re
from collections.abc import Callable, Collection, Mapping

from git_rvexp.errors import UsageError

_PART = re.compile(r"%(?:\(([^)]*)\)|(%)|([0-9a-fA-F]{2}))")


def template(text: str, names: Collection[str]) -> Callable[[Mapping[str, str]], str]:
    """A function that fills `text` in; UsageError now for a name that is not in `names`."""
    for found in _PART.finditer(text):
        name = found[1]
        if name is not None and name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean %({near[0]})?" if near else "known are " + " ".join(f"%({n})" for n in names)
            raise UsageError(f"--format does not know %({name})", hint=hint)
    return lambda values: _PART.sub(lambda found: _filled(found, values), text)


def _filled(found: re.Match[str], values: Mapping[str, str]) -> str:
    if found[2]:
        return "%"
    return chr(int(found[3], 16)) if found[3] else values[found[1]]
