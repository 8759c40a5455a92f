"""The one door to the template engine: values in, a page out.

Every value that a template prints is made visible and harmless in two steps that no template can forget: control and
bidirectional characters become escapes, then HTML is escaped. The page's own style and script are named by their hashes
in its content security policy; nothing else in it may act, and nothing may be loaded.
"""

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from git_rvexp.output import printable
from git_rvexp.terms import Json

if TYPE_CHECKING:
    from jinja2 import Environment

_STYLE, _SCRIPT = "style.css", "filter.js"
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}


def page(name: str, values: Mapping[str, object], source: Mapping[str, Json]) -> str:
    """The page that the template `name` makes of `values`, carrying `source` as JSON."""
    from markupsafe import Markup  # noqa: PLC0415  only reports need it

    carried = Markup(embedded(source))  # noqa: S704  ASCII without <, > and &
    return _environment().get_template(name).render(**values, source=carried)


def embedded(source: Mapping[str, Json]) -> str:
    """JSON that stands in a script element unharmed and does no harm: pure ASCII, no markup."""
    return json.dumps(source, ensure_ascii=True, separators=(",", ":")).translate(_ESCAPES)


@functools.cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  only reports need it
    from markupsafe import Markup  # noqa: PLC0415  as above

    made = Environment(
        loader=PackageLoader("git_rvexp", "_report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else printable(str(value)),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    assert made.loader is not None
    for key, name in (("style", _STYLE), ("script", _SCRIPT)):
        text = made.loader.get_source(made, name)[0].strip()
        made.globals[key] = Markup(text)  # noqa: S704  our own file
        made.globals[f"{key}_hash"] = _hash(text)
    return made


def _hash(text: str) -> str:
    """As a content security policy names an inline element."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
