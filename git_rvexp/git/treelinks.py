"""Links among the files of a tree, followed inside it: what stands there under a name that may be a link's."""

import posixpath

from git_rvexp.errors import UsageError
from git_rvexp.git.objects import Objects
from git_rvexp.quoting import quoted
from git_rvexp.tree import SYMLINK, Entry

_MOST = 40  # links on the way, as in Linux


def followed(objects: Objects, tree: str, path: str) -> Entry | None:
    """What `path` leads to in `tree`, under its own path; None for nothing.

    UsageError for a link that leads out of the tree, to nothing, or round and round.
    """
    here, ahead, links = list[str](), _parts(path), 0
    while ahead:
        part = ahead.pop()
        if part == "..":
            if not here:
                raise _astray(path, "out of the snapshot")
            here.pop()
            continue
        found = objects.at(tree, posixpath.join(*here, part))
        if found is None and links:
            raise _astray(path, "to nothing in the snapshot")
        if found is None:
            return None
        if found.mode != SYMLINK:
            here.append(part)
            continue
        target, links = objects.blob(found).decode("utf-8", "surrogateescape"), links + 1
        if target.startswith("/"):
            raise _astray(path, "out of the snapshot")
        if links > _MOST:
            raise _astray(path, "round and round")
        ahead += _parts(target)
    return objects.at(tree, "/".join(here))


def _parts(path: str) -> list[str]:
    """What a path goes through, the last first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _astray(path: str, where: str) -> UsageError:
    told = f"{quoted(posixpath.normpath(path))} is a link that leads {where}"
    return UsageError(told, hint="put a file in its place, then git rvexp snapshot NICKNAME")
