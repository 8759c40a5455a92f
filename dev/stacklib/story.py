"""What a development command says while it works: on stderr, so that stdout holds only the result."""

import sys


def say(text: str) -> None:
    """Print one line of the story."""
    print(text, file=sys.stderr, flush=True)
