"""The question to the experiments remote: what it has now, beside what this clone knew of it before it asked.

Only what was known before must be in the answer. Another command of this clone may push and remember more while the
answer is on its way; to compare with that would tell of a deletion that never was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

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

    def only(self, tag: str) -> "Answer":
        """The same of the record and this one tag."""
        wanted = (f"refs/tags/{tag}", notes.REF)
        refs = {ref: self.refs[ref] for ref in wanted if ref in self.refs}
        here, published = ({tag: known[tag]} if tag in known else {} for known in (self.here, self.published))
        return Answer(refs, here, published, self.seen)


class Question:
    """The question on its way, where nobody can be asked for a password; left by `with` unanswered, it is dropped."""

    def __init__(self, repo: Repo, tags: Sequence[str] | None) -> None:
        """Ask for the record and all tags, or only for those called `tags`, which may have git's `*` in them."""
        self._repo, self._known = repo, _known(repo, tags)
        self._git = remote.asked(repo, _wanted(tags))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *why: object) -> None:
        self._git.__exit__(*why)

    def answer(self) -> Answer:
        """What the remote says; asked for once. GitError when it cannot be reached so."""
        return self._known(remote.told(self._repo, self._git.result()))


def ask(repo: Repo, tags: Sequence[str] | None = None) -> Answer:
    """Ask for the record and all tags, or only for those called `tags`. GitError when the remote cannot be reached."""
    known = _known(repo, tags)
    return known(remote.ids(repo, _wanted(tags)))


def _known(repo: Repo, tags: Sequence[str] | None) -> Callable[[Mapping[str, str]], Answer]:
    """What stands in this clone now, to be held against what the remote will say."""
    here, published = ({}, {}) if tags == [] else standing(repo, [HERE, remote.PUBLISHED], tags or ())
    return partial(Answer, here=here, published=published, seen=notes.tip(repo, SEEN))


def _wanted(tags: Sequence[str] | None) -> list[str]:
    return [] if tags is None else [*(f"refs/tags/{name}" for name in tags), notes.REF]
