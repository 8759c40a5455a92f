"""The man page git-rvexp(1), which `git rvexp --help` shows: groff text, made from the verbs."""

from collections.abc import Iterator

from git_rvexp.commands.config import EPILOG as SETTINGS
from git_rvexp.commands.manual.verbs import EVERYWHERE, Verb, synopsis, verbs
from git_rvexp.errors import (
    AMBIGUOUS,
    BUG,
    CANNOT_TELL,
    CREDENTIALS,
    DONE,
    GIT_FAILED,
    INTERRUPTED,
    NO,
    PENDING,
    UNREAD,
    USAGE,
)

CODES = {
    DONE: "done",
    NO: "the answer is no, or the job failed (with --wait); run passes on the container's own code",
    USAGE: "the command line or the configuration is wrong; nothing was done",
    CANNOT_TELL: "whether a repeat showed the same cannot be told: what ran is not comparable",
    CREDENTIALS: "credentials are missing, expired or refused",
    AMBIGUOUS: "a job may or may not exist; the command that finds out is printed",
    PENDING: "it is recorded here, but a push or a job is still outstanding",
    BUG: "a bug; a report without secrets is kept in the git directory",
    GIT_FAILED: "git failed",
    INTERRUPTED: "interrupted",
    UNREAD: "nobody reads the results any more (| head)",
}
ENVIRONMENT = {
    "RVEXP_PROFILE": "the profile of the settings files, as --profile",
    "RVEXP_...": "any setting: RVEXP_BATCH_QUEUE is batch_queue, RVEXP_JOB_MEMORY job.memory",
    "RVEXP_ARCHIVE_TOKEN": "a token, or USER:PASSWORD, for what archive_url names; sent over https or to this machine",
    "RVEXP_DEBUG": "1 shows the traceback of an error",
    "DOCKER_HOST": "the engine (with DOCKER_TLS_VERIFY, DOCKER_CERT_PATH); contexts of docker are not looked at",
    "DOCKER_CONFIG": "the folder with the logins of docker login; default: ~/.docker",
    "AWS_PROFILE, AWS_DEFAULT_REGION, AWS_...": "what AWS's own tools go by, where no setting says otherwise",
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY": "proxies for registries and archives; this machine is asked directly",
    "NO_COLOR": "no colours, where --color does not say otherwise; so does TERM=dumb",
    "COLUMNS": "how wide the terminal is, for help and tables",
    "XDG_CONFIG_HOME": "where git-rvexp/config.toml, your own settings, are; default: ~/.config",
    "XDG_DATA_HOME": "where doctor --fix links the manual and the completions; default: ~/.local/share",
}
"""The variables that we go by, and for what."""
_FILES = {
    ".rvexp.toml": "the settings of a repository, shared by all who clone it",
    "$XDG_CONFIG_HOME/git-rvexp/config.toml": "your own settings, for all repositories",
    "refs/notes/rvexp": "the record: a note on every snapshot's tag, shown by git notes show TAG",
}
ABOUT = """\
Records an experiment as it is run: the work tree becomes an annotated tag, the tag becomes an image, the image runs on
this machine or on AWS Batch, and everything that happened is kept in a git note on the tag.

TAG is a full tag, a nickname, a unique part of it, or @ (your newest). RUN is a run id, the beginning of one, a
job's id, or 8 or more characters that begin one. Results go to stdout, one line that scripts can use; the story goes
to stderr."""


def text() -> str:
    """The whole page."""
    lines = ['.TH "GIT\\-RVEXP" "1" "" "git rvexp" "Git Manual"', ".nh", ".ad l"]
    lines += [".SH NAME", "git\\-rvexp \\- repeatable containerised experiments, kept in git"]
    lines += [".SH SYNOPSIS", ".B git rvexp", ".I VERB", "[options]"]
    lines += [".SH DESCRIPTION", *_prose(ABOUT)]
    lines += [".SH VERBS"]
    for verb in verbs():
        lines += _verb(verb)
    lines += [".SH SETTINGS", *_settings()]
    lines += [".SH ENVIRONMENT", *_listed(ENVIRONMENT)]
    lines += [".SH FILES", *_listed(_FILES)]
    lines += [".SH EXIT STATUS", *_listed({str(code): about for code, about in CODES.items()})]
    lines += [".SH SEE ALSO", *_prose("git(1), git-notes(1), git-tag(1), docker(1)")]
    return "\n".join(lines) + "\n"


def _verb(verb: Verb) -> Iterator[str]:
    yield f".SS {_safe(synopsis(verb))}"
    yield from _prose(verb.about)
    for argument in (*verb.words, *verb.options):
        if argument.about and argument.flags not in EVERYWHERE:
            flags = ", ".join(argument.flags)
            yield from (".TP", f".B {_safe(f'{flags} {argument.value}'.strip())}", _safe(argument.about))


def _settings() -> Iterator[str]:
    for line in SETTINGS.splitlines()[1:]:
        if line.startswith("      "):
            yield _safe(line.strip())
        elif line.startswith("  "):
            yield from (".TP", f".B {_safe(line.strip())}")
        else:
            yield _safe(line) if line else ".PP"


def _listed(pairs: dict[str, str]) -> Iterator[str]:
    for name, about in pairs.items():
        yield from (".TP", f".B {_safe(name)}", _safe(about))


def _prose(about: str) -> Iterator[str]:
    for number, paragraph in enumerate(about.strip("\n").split("\n\n")):
        if number:
            yield ".PP"
        shown = paragraph.startswith(" ")  # lines that stay lines
        yield from ([".nf"] if shown else [])
        yield from (_safe(line if shown else line.strip()) for line in paragraph.splitlines())
        yield from ([".fi"] if shown else [])


def _safe(line: str) -> str:
    """A line that groff shows as it stands: no escape, no request, minus signs that can be copied."""
    line = line.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return f"\\&{line}" if line.startswith((".", "'")) else line
