"""A little randomness for pauses and names, from the system's source: the `random` module takes 4 ms to load."""

import os


def jitter(least: float, most: float) -> float:
    """A number between the two, so that writers who collided once do not collide again."""
    return least + (most - least) * int.from_bytes(os.urandom(2), "big") / 0xFFFF


def token() -> str:
    """Eight hexadecimal digits that nobody else has."""
    return os.urandom(4).hex()
