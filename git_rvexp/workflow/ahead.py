"""The question to the experiments remote, asked while the rest of the command is loaded and the snapshot is looked for.

The remote's answer is what a submission waits for longest. It changes nothing and depends on little, so it is asked for
by the name that was typed, or for all snapshots where none was; what it says is looked at where it is wanted. Nobody is
asked for a password meanwhile: where one is needed, or anything else failed, the question is asked again in its turn.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from git_rvexp.errors import GitError, RvexpError
from git_rvexp.git import remote
from git_rvexp.grammar import PART, is_tag_name
from git_rvexp.record.asking import Answer, Question, ask
from git_rvexp.workflow.context import Context

_ANY = "*/*/*/"  # of initials, project and date


class Ahead:
    """The question with the names that it covers, as git's patterns; None: all."""

    def __init__(self, context: Context, names: Sequence[str] | None) -> None:
        self._context, self._names = context, names
        self.question = Question(context.repo, names)

    def about(self, tag: str) -> Answer:
        """What the remote says of the record and of this snapshot. GitError when it cannot be reached."""
        if self._names is None or {tag, _ANY + tag.rpartition("/")[2]} & set(self._names):
            with suppress(GitError):
                return self.question.answer().only(tag)
        return ask(self._context.repo, [tag])


@contextmanager
def asked(context: Context, text: str, *, wanted: bool) -> Iterator[Ahead | None]:
    """Ask of what somebody called `text`; None where it is not `wanted`, or cannot be asked of yet."""
    if not wanted or not _at_hand(context):
        yield None
        return
    ahead = Ahead(context, _names(text))
    with ahead.question:
        yield ahead


def _names(text: str) -> list[str] | None:
    if is_tag_name(text):
        return [text]
    return [_ANY + text] if PART.fullmatch(text) else None


def _at_hand(context: Context) -> bool:
    """Whether the remote is set up here as the settings say; where it is not, or may not be, is told in its turn."""
    try:
        return context.repo.setting(remote.URL) == context.wanted_remote().url
    except RvexpError:
        return False
