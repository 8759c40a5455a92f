"""Addresses as they may be shown: what is secret in them is left out. Costs nothing to load."""


def redacted(url: str) -> str:
    """`url` without user, password, query and fragment: fit to be shown and recorded."""
    scheme, separator, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    if not separator:
        return url
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path.partition('?')[0].partition('#')[0]}"


def for_others(url: str) -> str:
    """A git remote's `url` as an address for others, with nothing secret; "" when it is a folder of this machine.

    The short form of ssh (`git@host:path`) becomes a URL, which readers of labels and of provenance expect.
    """
    if "://" in url:
        return "" if url.startswith("file:") else redacted(url)
    place, colon, path = url.partition(":")
    return f"ssh://{place}/{path.lstrip('/')}" if colon and "/" not in place else ""
