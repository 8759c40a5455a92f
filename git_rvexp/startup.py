"""`inspect` is loaded when it is first used: a tenth of what `git rvexp list` costs.

`dataclasses` imports it, and with it Python's compiler modules, to write docstrings for classes without one; ours
have theirs. Until somebody asks it for something, an empty module stands in for it. importlib's LazyLoader does not
do: before Python 3.12 a second `import` of the name loads it. To be imported before any module of ours.
"""

import importlib
import sys
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
    sys.modules[_NAME] = module


if _NAME not in sys.modules:
    _stand_in()
