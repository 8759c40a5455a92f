"""Files that git was told not to look at: an edit of one is seen once the mark is cleared, in a copy of the index.

assume-unchanged hides an edit, and so does skip-worktree where the file is there; where it is not, it is left out on
purpose (a sparse checkout).
"""

import os
import re

from git_rvexp.git.scratch import Scratch

# lower case is assume-unchanged, S skip-worktree, M unmerged; H, the rest, is of no interest
_FLAGGED = re.compile(rb"(?:^|\0)([a-zSM]) ([^\0]+)")


def flagged(listed: bytes) -> list[tuple[str, str]]:
    """Flag and path of what `git ls-files -z -v` has listed as anything but a plain file (git-ls-files(1))."""
    if listed.count(b"\0H ") + listed.startswith(b"H ") == listed.count(b"\0"):  # the usual case
        return []
    return [(flag.decode(), os.fsdecode(path)) for flag, path in _FLAGGED.findall(listed)]


def clear(place: Scratch, marked: list[tuple[str, str]]) -> tuple[list[str], int]:
    """Clear the marks in the copied index; the paths that were uncovered, and how many are left out on purpose."""
    skipped = [path for flag, path in marked if flag in "Ss"]
    there = [path for path in skipped if os.path.lexists(place.repo.top / path)]
    hidden = {
        "--no-assume-unchanged": [path for flag, path in marked if flag.islower()],
        "--no-skip-worktree": there,
    }
    for option, paths in hidden.items():
        if paths:
            listed = b"".join(os.fsencode(path) + b"\0" for path in paths)
            place.git("update-index", option, "-z", "--stdin", stdin=listed)
    return [path for paths in hidden.values() for path in paths], len(skipped) - len(there)
