"""What is set before anything of ours is loaded: how the process looks for cycles, and that `inspect` waits.

A command lives a blink and makes few cycles; looking for them costs a list of thousands a tenth of its time. What is
left ends with the process: to look through it once more costs as much as reading records.

`inspect` is loaded when it is first used: a tenth of what `git rvexp show` costs. `dataclasses` imports it, and with
it Python's compiler modules, to write docstrings for classes without one; ours have theirs. Until somebody asks it for
something, a nearly empty module stands in for it. importlib's LazyLoader does not do: before Python 3.12 a second
`import` of the name loads it. To be imported before any module of ours.
"""

import atexit
import gc
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


gc.set_threshold(100_000)
atexit.register(gc.freeze)
if _NAME not in sys.modules:
    _stand_in()
