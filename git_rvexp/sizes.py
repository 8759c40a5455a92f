"""Sizes in bytes as people write and read them.

"10 MB" is 10,000,000 (as disks count), "10 MiB" 10 * 2**20, and so is "10m", as git and Docker take it.
"""

import re

MIB = 1024**2
_UNITS = {"": 1, "B": 1, **{f"{p}B": 1000**n for n, p in enumerate("KMGT", 1)}}
_UNITS |= {f"{p}{ending}": 1024**n for n, p in enumerate("KMGT", 1) for ending in ("IB", "")}
_WRITTEN = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([A-Za-z]{0,3})")


def parsed(text: str) -> int:
    """Bytes that `text` names ("10 MB", "512KiB", "4g", "0"); ValueError when it is no size."""
    found = _WRITTEN.fullmatch(text.strip())
    if not found or found[2].upper() not in _UNITS:
        raise ValueError(text)
    return int(float(found[1]) * _UNITS[found[2].upper()])


def shown(size: int) -> str:
    """`size` in the largest unit that leaves a number of at least 1: 999 B, 1.2 kB, 10 MB."""
    for unit, factor in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            amount = size / factor
            return f"{amount:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} B"
