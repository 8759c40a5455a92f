"""Addresses as they may be shown: what is secret in them is left out. Costs nothing to load."""


def redacted(url: str) -> str:
    """`url` without user, password, query and fragment: fit to be shown and recorded."""
    scheme, separator, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    if not separator:
        return url
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path.partition('?')[0].partition('#')[0]}"
