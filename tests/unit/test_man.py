"""Help in all its forms: -h, help, the man page; and what must not be loaded for it."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from git_rvexp.commands import VERBS
from git_rvexp.commands.manual.made import files
from git_rvexp.commands.manual.page import ENVIRONMENT
from git_rvexp.commands.manual.verbs import verbs
from git_rvexp.errors import UsageError
from git_rvexp.git import archives
from git_rvexp.model import Snapshot
from git_rvexp.settings import keys
from git_rvexp.values import written
from tests.conftest import Clone

ROOT = Path(__file__).parents[2]
_LOADED = """
import sys
from git_rvexp.cli import main
main({words!r})
heavy = ("boto3", "botocore", "docker", "tomli", "requests")
print(",".join(m for m in heavy if m in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("name", sorted(files()))
def test_what_is_made_from_the_verbs_is_up_to_date(name: str) -> None:
    """dev/make_man writes these files."""
    assert (ROOT / name).read_text(encoding="utf-8") == files()[name], "run dev/make_man"


def test_the_page_holds_every_verb_option_and_setting() -> None:
    """Looked for in what groff makes of it, as a reader sees it."""
    made = subprocess.run(
        ["groff", "-man", "-Tascii", "-P-cbou", "-rLL=1000n", "-ww", ROOT / "man/git-rvexp.1"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.strip() for line in made.stdout.splitlines()]
    assert made.stderr == ""
    for verb in verbs():
        assert any(line.startswith(f"{verb.name} [options]") for line in lines), verb.name
        for option in verb.options:
            assert any(option.flags[-1] in line for line in lines) or option.flags[-1] in (
                "--help",
                "--quiet",
                "--color",
                "--profile",
            )
    for key in keys():
        assert any(line.startswith(key.name) for line in lines), key.name


def test_help_of_config_has_every_default_and_form(clone: Clone) -> None:
    """Each key with the default that it really has, what lists and tables look like, and every form of archives."""
    shown = clone.rvexp("help", "config").stdout
    flat = " ".join(shown.split())
    for key in keys():
        told = written(key.default)
        line = next(line for line in shown.splitlines() if line.startswith(f"  {key.name} = "))
        assert told in line or f"default: {told.replace(',', ', ')} " in flat, key.name
    assert "A list is written A,B and a table NAME=VALUE,NAME=VALUE" in shown
    snapshot = Snapshot("al/x/2026-01-02/y", "0" * 40, "0" * 40, "")
    with pytest.raises(UsageError, match="it must be auto, none, ") as why:
        archives.find("https://git.example.org/team/x.git", "nonsense", snapshot)
    forms = str(why.value).partition("it must be auto, none, ")[2].partition(", or")[0].split(", ")
    assert [form for form in forms if f" {form}," not in flat] == []


def test_the_variables_are_in_the_page_and_in_the_documents() -> None:
    """The same ones."""
    text = (ROOT / "docs/configuration.md").read_text()
    names = {name for each in ENVIRONMENT for name in each.split(", ") if not name.endswith("...")}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_help_of_a_verb_is_its_h(clone: Clone, verb: str) -> None:
    """The same text, to stdout, exit code 0."""
    by_flag, by_verb = clone.rvexp(verb, "-h"), clone.rvexp("help", verb)
    assert by_flag.stdout == by_verb.stdout
    assert (by_flag.returncode, by_verb.returncode) == (0, 0)
    assert by_flag.stdout.startswith(f"usage: git rvexp {verb}")


@pytest.mark.parametrize("columns", [60, 80])
def test_help_keeps_to_the_terminal(clone: Clone, columns: int) -> None:
    """Prose is wrapped to the terminal's width, and only there: commands to copy stay whole."""
    for verb in sorted(VERBS):
        lines = clone.rvexp(verb, "-h", env={"COLUMNS": str(columns)}).stdout.splitlines()
        prose = [line for line in lines if not line.startswith(("    ", "usage:")) and "   " not in line.strip()]
        assert [line for line in prose if len(line) > columns] == [], verb
    assert "git rvexp completion zsh > DIR/_git-rvexp, with DIR" in clone.rvexp("completion", "-h").stdout


def test_help_alone_lists_the_verbs_and_a_wrong_one_is_met_with_the_nearest(clone: Clone) -> None:
    """Works outside a repository, too."""
    shown = clone.rvexp("help", cwd=Path("/")).stdout
    assert all(f"  {verb} " in shown for verb in VERBS)
    wrong = clone.rvexp("help", "snapshoot")
    assert (wrong.returncode, "git rvexp help snapshot" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["version"], "error: there is no verb 'version'\nhint: git rvexp --version\n"),
        (["-q", "list"], "error: options come after the verb, not before it: -q\nhint: git rvexp list -q\n"),
        (["--json"], "error: options come after the verb, not before it: --json\nhint: git rvexp -h\n"),
        (["lst"], "error: there is no verb 'lst'\nhint: git rvexp list\n"),
    ],
)
def test_a_slip_before_the_verb_is_met_with_what_was_meant(clone: Clone, words: list[str], told: str) -> None:
    """The hint works as it stands."""
    done = clone.rvexp(*words)
    assert (done.returncode, done.stderr) == (2, told)


@pytest.mark.parametrize(
    ("words", "told", "hint"),
    [
        (
            "submit python3 train.py --epochs 3",
            "the command stands after --; without it 'python3' is taken for a TAG",
            "git rvexp submit -- python3 train.py --epochs 3",
        ),
        (
            "submit --seed 3 sh -c 'sleep 1'",
            "the command stands after --; without it 'sh' is taken for a TAG",
            "git rvexp submit --seed 3 -- sh -c 'sleep 1'",
        ),
        (
            "run ls -l",
            "the command stands after --; without it 'ls' is taken for a TAG",
            "git rvexp run -- ls -l",
        ),
        (
            "submit -v /d:/d -- ls",
            "submit mounts nothing: what a run reads is in its snapshot, in its image or in S3",
            "--input s3://BUCKET/PREFIX; or git rvexp run -v S:D -- CMD, which records nothing",
        ),
        (
            "list first",
            "list takes options only, not 'first'",
            "git rvexp show first, or git rvexp list --grep first",
        ),
        ("list --gerp x", "unrecognized arguments: --gerp x", "git rvexp list -h"),
        ("submit --wiat -- ls", "unrecognized arguments: --wiat", "git rvexp submit -h"),
        ("submit first more -- ls", "unrecognized arguments: more", "git rvexp submit -h"),
    ],
)
def test_words_that_a_verb_does_not_know_are_met_with_what_was_meant(
    clone: Clone, words: str, told: str, hint: str
) -> None:
    """A command without its --, above all; what is no known slip is named as it is."""
    done = clone.rvexp(*shlex.split(words))
    assert (done.returncode, done.stderr) == (2, f"error: {told}\nhint: {hint}\n")


@pytest.mark.parametrize("words", [["-h"], ["help"], ["snapshot", "-h"], ["help", "config"], ["completion", "bash"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    """No boto3, docker or TOML parser for a text."""
    code = _LOADED.format(words=words)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_options_may_stand_between_the_words(clone: Clone) -> None:
    """As with git's own commands."""
    assert clone.rvexp("config", "get", "-q", "executor").stdout == "auto\n"
    assert UsageError.code == clone.rvexp("config", "get", "-q", "executor", "more").returncode
