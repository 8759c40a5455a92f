"""What the standard library loads and a short command does not use is loaded when it is first used.

`dataclasses` asks for `inspect` (and with it the compiler's modules) for docstrings that our classes have, `pathlib`
for `ipaddress` to read host names, `argparse` for `gettext` to look for translations that nobody has made: together an
eighth of what `git rvexp list` costs. Here a module of their name stands in until somebody asks it for something.
importlib's own LazyLoader does not do for this: before Python 3.12 a second `import` of the name already loads it.
To be imported before any module of ours.
"""

import importlib
import sys
from types import ModuleType

_LATER = ("inspect", "ipaddress", "gettext")
_READY = {
    "gettext": {
        "gettext": lambda message: message,
        "ngettext": lambda one, several, count: one if count == 1 else several,
    }
}


def _stand_in(name: str) -> None:
    module = ModuleType(name)

    def load(attribute: str) -> object:
        if sys.modules.get(name) is module:
            del sys.modules[name]
        whole = importlib.import_module(name)
        vars(module).update(vars(whole))
        return getattr(whole, attribute)

    vars(module).update(_READY.get(name, {}), __getattr__=load)
    sys.modules[name] = module


for _name in _LATER:
    if _name not in sys.modules:
        _stand_in(_name)
