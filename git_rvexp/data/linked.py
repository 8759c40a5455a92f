"""Symbolic links in a manifest: where one points, and whether what is there is in the manifest too."""

import posixpath

INSIDE, OUTSIDE = "link", "outside"
"""Kinds of digests: of a link whose target is in the manifest too, and of one whose target nobody has looked at."""


def digest(target: str, at: str, top: str) -> str:
    """The digest of the link `at` to `target`, in a manifest of what is at or below `top`; absolute paths.

    Links on the way are not followed: each that leads out of `top` is itself in the manifest, as one that does.
    """
    where = posixpath.normpath(posixpath.join(posixpath.dirname(at), target))
    return pointing(target, INSIDE if f"{where}/".startswith(f"{top.rstrip('/')}/") else OUTSIDE)


def pointing(target: str, kind: str = INSIDE) -> str:
    """The digest of a link of this kind; a line of a manifest has no room for tabs and newlines of its own."""
    return f"{kind}:{target}".replace("\t", " ").replace("\n", " ")
