"""The question to the experiments remote: what it has now, beside what this clone knew of it before it asked.

Only what was known before must be in the answer. Another command of this clone may push and remember more while the
answer is on its way; to compare with that would tell of a deletion that never was.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from git_rvexp.git import notes, remote
from git_rvexp.git.notes import Tip
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.tags import HERE, standing

SEEN = "refs/rvexp/seen/notes"
"""The notes commit the remote showed last."""


@dataclass(frozen=True)
class Answer:
    """What the remote has (`refs`: ref -> object), and what stood in this clone before the question was asked.

    `here`: our tags with a snapshot's name, `published`: those that the remote had shown, both tag -> object; `seen`:
    the notes commit that it had shown, empty when there was none.
    """

    refs: Mapping[str, str]
    here: Mapping[str, str]
    published: Mapping[str, str]
    seen: Tip

    @property
    def record(self) -> str:
        """The remote's notes commit, "" when it has none."""
        return self.refs.get(notes.REF, "")


def ask(repo: Repo, tags: Iterable[str] | None = None) -> Answer:
    """Ask for the record and all tags, or only for those called `tags`. GitError when the remote cannot be reached."""
    names = None if tags is None else list(tags)
    here, published = ({}, {}) if names == [] else standing(repo, [HERE, remote.PUBLISHED], names or ())
    seen = notes.tip(repo, SEEN)
    refs = remote.ids(repo, () if names is None else [*(f"refs/tags/{name}" for name in names), notes.REF])
    return Answer(refs, here, published, seen)
