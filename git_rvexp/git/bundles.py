"""A snapshot with its history in one file, and back: git bundles, unpacked apart and checked before anything is named.

A bundle from elsewhere is somebody's claim. It must hold the one tag that is asked for and nothing else, need nothing,
and be whole; `git bundle verify` looks at none of that (measured: it accepted 12 of 12 corrupted ones). Whatever is
wrong with it, no ref of this clone has moved.
"""

import tempfile
from pathlib import Path

from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git.plumbing import Repo
from git_rvexp.terms import Snapshot

_HEADER_MOST = 1 << 16
_FORMATS = ("# v2 git bundle", "# v3 git bundle")


def write(repo: Repo, snapshot: Snapshot, path: Path) -> None:
    """Write the bundle of a snapshot. RvexpError when this clone does not have its whole history."""
    refuse_shallow(repo, snapshot.tag)
    create(repo, path, f"refs/tags/{snapshot.tag}")
    _check_header(repo, path, snapshot.tag, snapshot.oid)


def refuse_shallow(repo: Repo, tag: str) -> None:
    """RvexpError when this clone lacks history, which a bundle of `tag` would have to hold."""
    if repo.git("rev-parse", "--is-shallow-repository").text == "true":
        raise RvexpError(
            f"{tag} cannot be bundled: this clone is shallow and lacks its history",
            hint="git fetch --unshallow",
        )


def create(repo: Repo, path: Path, *refs: str) -> None:
    """Write these refs with all they need. One thread: what comes out depends on the objects, not on who was faster."""
    repo.git("-c", "pack.threads=1", "bundle", "create", "--quiet", str(path), *refs)


def adopt(repo: Repo, path: Path, tag: str, oid: str) -> None:
    """Bring the tag out of a bundle into this clone, under its own name, if it is not taken. RvexpError otherwise."""
    _check_header(repo, path, tag, oid)
    with tempfile.TemporaryDirectory(prefix="rvexp-bundle-") as folder:
        made = ("init", "--quiet", "--bare", "--template=", f"--object-format={repo.object_format}", folder)
        repo.git(*made, elsewhere=True)
        there = f"--git-dir={folder}"
        try:
            repo.git(there, "bundle", "unbundle", str(path), elsewhere=True)
            _check_tag(repo.git(there, "cat-file", "tag", oid, elsewhere=True).text, tag)
            repo.git(there, "rev-list", "--objects", "--quiet", oid, elsewhere=True)
        except GitError as why:
            raise RvexpError(f"the bundle of {tag} is damaged\n  {why}") from why
        ref = f"refs/tags/{tag}"
        repo.git(there, "update-ref", ref, oid, elsewhere=True)
        repo.git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", folder, f"{ref}:{ref}")


def _check_header(repo: Repo, path: Path, tag: str, oid: str) -> None:
    """RvexpError unless the bundle offers exactly this tag and needs nothing."""
    with path.open("rb") as file:
        head = file.read(_HEADER_MOST).partition(b"\n\n")[0].decode("utf-8", "replace").split("\n")
    if head[0] not in _FORMATS:
        raise RvexpError(f"the bundle of {tag} is none: it begins with {head[0][:40]!r}")
    wrong = [line for line in head[1:] if line.startswith("@") and line != f"@object-format={repo.object_format}"]
    needs = [line for line in head[1:] if line.startswith("-")]
    refs = [line for line in head[1:] if not line.startswith(("@", "-"))]
    if wrong:
        raise RvexpError(f"the bundle of {tag} is of a kind that is not used here: {wrong[0][:80]}")
    if needs:
        raise RvexpError(f"the bundle of {tag} lacks its history: it needs {needs[0][1:41]}")
    if refs != [f"{oid} refs/tags/{tag}"]:
        held = ", ".join(refs)[:200]
        raise RvexpError(f"the bundle of {tag} holds something else\n  wanted {oid} refs/tags/{tag}\n  it holds {held}")


def _check_tag(body: str, tag: str) -> None:
    head = body.partition("\n\n")[0].split("\n")
    if "type commit" not in head or f"tag {tag}" not in head:
        raise RvexpError(f"the bundle of {tag} holds the tag object of something else:\n  " + "\n  ".join(head[:3]))
