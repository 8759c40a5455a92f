"""`inspect` is loaded when it is first used: a tenth of what `git rvexp show` costs.

`dataclasses` imports it, and with it Python's compiler modules, to write docstrings for classes without one; ours
have theirs. Until somebody asks it for something, a nearly empty module stands in for it. importlib's LazyLoader does
not do: before Python 3.12 a second `import` of the name loads it. To be imported before any module of ours.
"""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType

_NAME = "inspect"


def _stand_in() -> None:
    module = ModuleType(_NAME)

    def load(attribute: str) -> object:
        if sys.modules.get(_NAME) is module:
            del sys.modules[_NAME]
        whole = importlib.import_module(_NAME)
        vars(module).update(vars(whole))
        return getattr(whole, attribute)

    vars(module)["__getattr__"] = load
    vars(module)["get_annotations"] = _annotations(load)
    sys.modules[_NAME] = module


def _annotations(load: Callable[[str], object]) -> Callable[..., object]:
    """What Python 3.12 and 3.13 ask of every dataclass; anything but that is left to the real one."""

    def get_annotations(thing: object, **options: object) -> object:
        if isinstance(thing, type) and not options and sys.version_info < (3, 14):
            return dict(vars(thing).get("__annotations__") or {})
        real = load("get_annotations")
        assert callable(real)
        return real(thing, **options)

    return get_annotations


if _NAME not in sys.modules:
    _stand_in()
