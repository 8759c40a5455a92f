"""Seeds what a job imports: random, NumPy, PyTorch, TensorFlow, when and only when it imports them.

This file is put into images by `seed.inject = true` and runs inside jobs, with whatever Python 3 they have; the
program that put it there never imports it. It stands first on PYTHONPATH under the name that every Python looks for at
its start, does its work, and then runs the `sitecustomize` that it hides, if there is one. Nothing happens where
RVEXP_SEED is not set. A library that cannot be seeded says so on stderr, and the job goes on.

JAX has no generator of its own to seed: its keys are always made from a seed by the code itself.
"""

import importlib.machinery
import importlib.util
import os
import sys
import types


def _seed() -> "int | None":
    """The run's seed; each child of an array has its own, derived from the run's and its index."""
    text = os.environ.get("RVEXP_SEED", "")
    if not text.isdigit():
        return None
    index = os.environ.get("AWS_BATCH_JOB_ARRAY_INDEX", "")
    if index:
        import hashlib  # noqa: PLC0415  only where it is needed: this runs at every start of a Python

        text = str(int.from_bytes(hashlib.sha256((text + ":" + index).encode()).digest()[:4], "big"))
    return int(text) % 2**32


def _random(module: types.ModuleType, seed: int) -> None:
    module.seed(seed)


def _numpy(module: types.ModuleType, seed: int) -> None:
    """The old global generator, and the new ones that are made without a seed: each gets the next of a sequence."""
    module.seed(seed)
    made, sequence = module.default_rng, module.SeedSequence(seed)

    def default_rng(seed: object = None) -> object:
        return made(sequence.spawn(1)[0] if seed is None else seed)

    default_rng.__doc__ = made.__doc__
    setattr(module, "default_rng", default_rng)  # noqa: B010  the type checker knows no such attribute


def _torch(module: types.ModuleType, seed: int) -> None:
    module.manual_seed(seed)


def _tensorflow(module: types.ModuleType, seed: int) -> None:
    module.random.set_seed(seed)


_SEEDERS = {"random": _random, "numpy.random": _numpy, "torch": _torch, "tensorflow": _tensorflow}


def _sow(name: str, module: types.ModuleType, seed: int) -> None:
    try:
        _SEEDERS[name](module, seed)
    except Exception as why:  # noqa: BLE001  whatever a library of the job's does, the job goes on
        sys.stderr.write("rvexp: {} was not seeded: {!r}\n".format(name, why))  # noqa: UP032  any Python 3


class _Finder:
    """Lets Python find the modules as it would without us, and seeds each right after it was loaded."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.busy = set()  # type: set[str]

    def find_spec(
        self,
        name: str,
        path: object = None,  # noqa: ARG002  Python's protocol
        target: object = None,  # noqa: ARG002  as above
    ) -> "importlib.machinery.ModuleSpec | None":
        if name not in _SEEDERS or name in self.busy:
            return None
        self.busy.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.busy.discard(name)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            setattr(spec, "loader", _Loader(spec.loader, self.seed))  # noqa: B010  no subclass of Loader: none is needed
        return spec


class _Loader:
    """The module's own loader, with the seeding after it."""

    def __init__(self, loader: object, seed: int) -> None:
        self.loader = loader
        self.seed = seed

    def __getattr__(self, name: str) -> object:
        return getattr(self.loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> "types.ModuleType | None":
        return self.loader.create_module(spec)  # type: ignore[attr-defined,no-any-return]

    def exec_module(self, module: types.ModuleType) -> None:
        # Libraries look at their own spec: they must find their own loader.
        spec = module.__spec__
        setattr(spec, "loader", self.loader)  # noqa: B010  as above
        module.__loader__ = self.loader  # type: ignore[assignment]
        self.loader.exec_module(module)  # type: ignore[attr-defined]
        _sow(module.__name__, module, self.seed)


def _install() -> None:
    seed = _seed()
    if seed is None:
        return
    for name in _SEEDERS:
        if name in sys.modules:
            _sow(name, sys.modules[name], seed)
    sys.meta_path.insert(0, _Finder(seed))


def _run_hidden() -> None:
    """The sitecustomize that stands behind this one on the path."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  nothing more is loaded than is needed
    rest = [place for place in sys.path if os.path.abspath(place or ".") != here]  # noqa: PTH100  as above
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


_install()
_run_hidden()
