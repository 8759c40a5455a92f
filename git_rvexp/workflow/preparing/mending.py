"""What `doctor --fix` repairs: the links to the man page and the completions, the notes' name, the hooks.

An installer such as pipx links the files of a package where man and the shells look; others leave them in the
environment's own share folder. A file that is there already is left as it is.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from git_rvexp import homes
from git_rvexp.errors import RvexpError
from git_rvexp.git.notes import ensure_notes_ref
from git_rvexp.workflow.context import Context
from git_rvexp.workflow.guard import ensure_guard

SHARED = (
    "man/man1/git-rvexp.1",
    "bash-completion/completions/git-rvexp",
    "zsh/site-functions/_git-rvexp",
    "fish/vendor_completions.d/git-rvexp.fish",
)
"""What the wheel puts below share/, under the names that man and the shells look for."""


def mend(environ: Mapping[str, str], context: Context | None) -> list[str]:
    """Repair what can be; what was done, one line each."""
    done = list(link(Path(sys.prefix) / "share", homes.share(environ)))
    if context:
        if ensure_notes_ref(context.repo):
            done.append("set core.notesRef, so that `git notes show TAG` prints the record")
        ensure_guard(context)
    return done


def link(source: Path, target: Path) -> Iterator[str]:
    """Link the files of `source` below `target`; a link of ours that leads nowhere any more is made anew."""
    for name in SHARED:
        original, place = source / name, target / name
        if original.resolve() == place.resolve() or not original.exists():
            continue
        try:
            if place.is_symlink() and not place.exists():
                place.unlink()
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(original)
                yield f"linked {place}"
        except OSError as why:
            raise RvexpError(f"{place} cannot be linked: {why.strerror}", hint="set XDG_DATA_HOME or HOME") from why
