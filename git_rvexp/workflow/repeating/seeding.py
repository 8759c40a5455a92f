"""The switches that libraries read from the environment to be deterministic; docs/repeat.md gives each one's source.

They stand in every plan, and a variable that the user sets has its value instead. What they cannot do: choose a seed
for code that draws one from the system (`seed.inject` does that), and make every operation of a GPU deterministic.
"""

from collections.abc import Mapping

_HASHES = "PYTHONHASHSEED"


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
    return str(seed % 2**32)
