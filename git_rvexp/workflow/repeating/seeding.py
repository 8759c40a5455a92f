"""The switches that libraries read from the environment to be deterministic; docs/repeat.md gives each one's source.

They stand in every plan, and a variable that the user sets has its value instead. What they cannot do: choose a seed
for code that draws one from the system (`seed.inject` does that), and make every operation of a GPU deterministic.
"""

from collections.abc import Mapping

from git_rvexp.errors import UsageError

SEEDS = 2**32
"""Seeds fit 32 bits without a sign: what NumPy, PyTorch, Python's hashes and the C library all take."""
_HASHES = "PYTHONHASHSEED"


def check_seed(seed: int | None, at: str) -> None:
    """UsageError, naming the place `at`, for a seed that not every library takes."""
    if seed is not None and not 0 <= seed < SEEDS:
        raise UsageError(f"{at} must be from 0 to {SEEDS - 1}, not {seed}: NumPy and others take no other")


def switches(seed: int, *, injected: bool) -> dict[str, str]:
    """Variable -> value of a run with this seed; `injected`: its image holds the hook that seeds what it imports."""
    always = {
        _HASHES: _hashes(seed),
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "TF_CUDNN_DETERMINISTIC": "1",
    }
    # With this one TensorFlow refuses to draw from a generator that nobody has seeded.
    return {**always, "TF_DETERMINISTIC_OPS": "1"} if injected else always


def follows(env: Mapping[str, object], seed: object) -> tuple[str, ...]:
    """The variables of `env` whose values say the seed over again."""
    return (_HASHES,) if isinstance(seed, int) and env.get(_HASHES) == _hashes(seed) else ()


def _hashes(seed: int) -> str:
    return str(seed % SEEDS)  # records have larger seeds, and negative ones, from when they were allowed
