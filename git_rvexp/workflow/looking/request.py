"""What a plan asks for: the fields that `show` tells and `diff` compares, in the order in which people read them.

What names the run itself (its id, its job, its snapshot) and what it reads and writes is told apart.
"""

FIELDS = (
    "executor",
    "command",
    "env",
    "secret_env",
    "seed",
    "vcpus",
    "memory",
    "gpus",
    "queue",
    "account",
    "region",
    "engine",
    "timeout",
    "attempts",
    "array",
    "after",
    "after_each",
    "sequential",
)
WAITS = ("after", "after_each")
"""Those of them that name other runs."""
