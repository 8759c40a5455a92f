"""Changing one setting without touching the rest: in the tracked file, the user's own, or git's configuration."""

import shlex
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_rvexp.errors import UsageError
from git_rvexp.settings import Settings
from git_rvexp.tomledit import assigned, removed
from git_rvexp.tomltext import leaves
from git_rvexp.workflow.building.basing import checked
from tests.conftest import Clone

FILE = """\
# of the team: do not sort

initials = "al"   # mine # really
image.context = 'src'
[job]
vcpus = 2
env = { A = "1#2" } # what jobs see
#timeout = 0
memory = 5

[profile.cheap]
batch_queue = "spot"
"""


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("initials", 'b"#l', 'initials = "b\\"#l"   # mine # really'),
        ("image.context", ".", 'image.context = "."'),
        ("job.env", {"B": "2"}, 'env = { B = "2" } # what jobs see'),
        ("job.timeout", 60, "timeout = 60"),
        ("image.target", "gpu", 'image.target = "gpu"'),
        ("aws.region", "us-east-1", 'aws.region = "us-east-1"'),
        ("batch_queue", "gpu", 'batch_queue = "gpu"'),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_an_edit_changes_one_line(key: str, value: object, line: str, ending: str) -> None:
    """Every other line, comments and line ends included, stays as it was."""
    before = FILE.replace("\n", ending)
    after = assigned(before, tuple(key.split(".")), value, "f")
    new = set(after.split(ending)) - set(before.split(ending))
    gone = set(before.split(ending)) - set(after.split(ending))
    assert new == {line}
    assert len(gone) <= 1
    assert all(old.partition("=")[0] == line.partition("=")[0] for old in gone)
    assert "\n" not in after.replace(ending, "") or ending == "\n"


def test_a_line_goes_below_the_comment_that_shows_its_key() -> None:
    """As in the file that init writes."""
    after = assigned(FILE, ("job", "timeout"), 60, "f").splitlines()
    assert after[after.index("#timeout = 0") + 1] == "timeout = 60"


def test_a_key_inside_an_inline_table_is_not_edited() -> None:
    """It is told with its line instead."""
    with pytest.raises(UsageError, match="cannot be set") as told:
        assigned('a = 1\nimage = { context = "x" }\n', ("image", "context"), "y", "f")
    assert "line 2" in str(told.value.hint)


def test_the_hint_of_a_base_without_a_place_for_the_code_is_a_command(clone: Clone) -> None:
    """What it says can be typed as it stands, and sets what was missing."""
    with pytest.raises(UsageError, match=r"image\.code does not say") as told:
        checked(Settings(image_base="example.org/x@sha256:" + "0" * 64), full=False)
    git, rvexp, *words = shlex.split(str(told.value.hint))
    assert (git, rvexp) == ("git", "rvexp")
    done = clone.rvexp(*words)
    assert done.returncode == 0, done.stderr
    assert tomllib.loads((clone.path / ".rvexp.toml").read_text())["image"]["code"] == {".": "/opt/src"}


_words = st.text(alphabet="abc#\"'=[]{}\\ \n\té", max_size=12)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "t.x", "t.y", "u.z"]), _words),
    st.sampled_from(["a", "t.x", "u.z"]),
    _words,
)
def test_an_edited_file_says_the_new_value_and_nothing_else_changed(old: dict[str, str], key: str, value: str) -> None:
    """Whatever the values look like: built by edits alone, the file means what was set."""
    text = "# head\n"
    for name, content in old.items():
        text = assigned(text, tuple(name.split(".")), content, "f")
    text = assigned(text, tuple(key.split(".")), value, "f")
    wanted: dict[str, object] = {}
    for name, content in {**old, key: value}.items():
        table, _, leaf = name.rpartition(".")
        place = wanted.setdefault(table, {}) if table else wanted
        assert isinstance(place, dict)
        place[leaf] = content
    assert tomllib.loads(text) == wanted
    assert text.startswith("# head\n")


@pytest.mark.parametrize("key", ["initials", "image.context", "job.vcpus", "job.env", "job.memory"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_removal_takes_one_line(key: str, ending: str) -> None:
    """Every other line, comments and line ends included, stays as it was; what the profile says is not touched."""
    before = FILE.replace("\n", ending)
    after = removed(before, tuple(key.split(".")), "f")
    (gone,) = set(before.split(ending)) - set(after.split(ending))
    assert gone.startswith((key.rpartition(".")[2], key))
    assert after == before.replace(gone + ending, "")


def test_a_value_over_several_lines_goes_whole() -> None:
    """With what stands in it."""
    assert removed('a = 1\nb = [\n  "x", # y\n]\nc = 2\n', ("b",), "f") == "a = 1\nc = 2\n"


@pytest.mark.parametrize("text", ['image = { context = "x", target = "y" }\n', "[profile.a]\nb = 1\n[image]\n"])
def test_what_is_no_line_of_its_own_is_not_taken_out(text: str) -> None:
    """A part of an inline table, or what is not there."""
    with pytest.raises(UsageError, match="cannot be taken out"):
        removed(text, ("image", "context"), "f")


@given(st.dictionaries(st.sampled_from(["a", "b", "t.x", "t.y", "u.z"]), _words, min_size=1), st.data())
def test_what_was_set_and_taken_out_leaves_the_rest(old: dict[str, str], data: st.DataObject) -> None:
    """Whatever the values look like."""
    text = "# head\n"
    for name, content in old.items():
        text = assigned(text, tuple(name.split(".")), content, "f")
    key = data.draw(st.sampled_from(sorted(old)))
    left = removed(text, tuple(key.split(".")), "f")
    assert left.startswith("# head\n")
    assert set(leaves(tomllib.loads(left))) - {("t",), ("u",)} == {tuple(n.split(".")) for n in old if n != key}


def test_unset_gives_way_to_what_comes_next(clone: Clone, sealed: Path) -> None:
    """Each place by itself, told with what is in force then; a second time there is nothing to do."""
    for place, value in (((), "team"), (("--user",), "mine"), (("--local",), "here")):
        assert clone.rvexp("config", "set", *place, "batch_queue", value).returncode == 0
    clone.git("config", "--local", "--add", "rvexp.batch-queue", "again")
    for place, left in ((("--local",), "team"), ((), "mine"), (("--user",), "")):
        done = clone.rvexp("config", "unset", *place, "batch_queue")
        assert done.returncode == 0, done.stderr
        assert place == ("--user",) or f"batch_queue is now {left} (" in done.stderr
        assert clone.rvexp("config", "get", "batch_queue").stdout == f"{left}\n"
        again = clone.rvexp("config", "unset", *place, "batch_queue")
        assert (again.returncode, "no change" in again.stderr) == (0, True)
    assert clone.git("config", "--local", "--get-regexp", "queue", check=False) == ""
    assert clone.rvexp("config", "unset").returncode == 2
    assert "did you mean batch_queue?" in clone.rvexp("config", "unset", "batch_queu").stderr


def test_unset_of_a_setting_that_is_part_of_a_table_says_where(clone: Clone) -> None:
    """The file stays as it was."""
    text = 'image = { context = ".", target = "gpu" }\n'
    clone.write(".rvexp.toml", text)
    done = clone.rvexp("config", "unset", "image.target")
    assert done.returncode == 2
    assert "hint: edit line 1 of the file yourself" in done.stderr
    assert (clone.path / ".rvexp.toml").read_text() == text


def test_set_writes_where_it_is_told(clone: Clone, sealed: Path) -> None:
    """The tracked file by default, the user's own file, or git's configuration."""
    assert clone.rvexp("config", "set", "batch_queue", "gpu").returncode == 0
    assert clone.rvexp("config", "set", "--user", "initials", "al").returncode == 0
    assert clone.rvexp("config", "set", "--local", "job.role_arn", "arn:x").returncode == 0
    assert tomllib.loads((clone.path / ".rvexp.toml").read_text())["batch_queue"] == "gpu"
    assert tomllib.loads((sealed / ".config/git-rvexp/config.toml").read_text())["initials"] == "al"
    assert clone.git("config", "--local", "rvexp.job.roleArn") == "arn:x"
    got = [clone.rvexp("config", "get", k).stdout for k in ("batch_queue", "initials", "job.role_arn")]
    assert got == ["gpu\n", "al\n", "arn:x\n"]


def test_what_the_user_sets_needs_no_other_confirmation_and_covers_nothing_else(clone: Clone) -> None:
    """Setting a queue does not confirm another person's remote."""
    clone.rvexp("config", "set", "batch_queue", "gpu")
    assert clone.rvexp("snapshot", "one").returncode == 0
    clone.write(".rvexp.toml", 'ecr_repo = "evil.example/x"\n')
    clone.rvexp("config", "set", "batch_queue", "cpu")
    refused = clone.rvexp("snapshot", "two")
    assert refused.returncode == 2
    assert "evil.example/x" in refused.stderr


def test_set_refuses_what_it_would_have_to_read_back_as_an_error(clone: Clone) -> None:
    """Unknown key, wrong type, a broken file: nothing is written."""
    for words in (["batch_que", "x"], ["job.vcpus", "two"], ["image.dockerfile", "../D"]):
        assert clone.rvexp("config", "set", *words).returncode == 2
    assert not (clone.path / ".rvexp.toml").exists()
    clone.write(".rvexp.toml", "batch_queue = \n")
    assert clone.rvexp("config", "set", "batch_queue", "x").returncode == 2
    assert (clone.path / ".rvexp.toml").read_text() == "batch_queue = \n"


def test_set_says_what_becomes_of_the_snapshot(clone: Clone, sealed: Path) -> None:
    """Of the file of the repository, when it was changed; not of git's configuration."""
    told = ".rvexp.toml is in the work tree, so the next submit wants a new snapshot"
    assert told in clone.rvexp("config", "set", "job.vcpus", "2").stderr
    for words in (("job.vcpus", "2"), ("job.vcpus", "3", "--local"), ("job.vcpus", "3", "--user")):
        assert told not in clone.rvexp("config", "set", *words).stderr


def test_set_does_not_follow_a_tracked_link(clone: Clone, sealed: Path) -> None:
    """A link in the tree leads where another person wanted, for instance to a shell's start file."""
    target = sealed / ".profile"
    target.write_text("# mine\n")
    (clone.path / ".rvexp.toml").symlink_to(target)
    done = clone.rvexp("config", "set", "batch_queue", "gpu")
    assert done.returncode == 2
    assert target.read_text() == "# mine\n"


def test_a_value_that_a_higher_layer_overrules_is_told(clone: Clone) -> None:
    """Setting it has no effect now, and the origin of the one in force is named."""
    done = clone.rvexp("config", "set", "batch_queue", "gpu", env={"RVEXP_BATCH_QUEUE": "cpu"})
    assert "overruled by environment RVEXP_BATCH_QUEUE" in done.stderr


def test_path_lists_the_files(clone: Clone, sealed: Path) -> None:
    """Read or absent, one line each."""
    clone.write(".rvexp.toml", "")
    assert clone.rvexp("config", "path").stdout.splitlines() == [
        f"{clone.path}/.rvexp.toml\trepository\tread",
        f"{sealed}/.config/git-rvexp/config.toml\tuser\tabsent",
    ]


def test_a_config_command_with_the_wrong_words_is_refused(clone: Clone) -> None:
    """Too few, too many, or none of its verbs."""
    for words in (["get"], ["set", "batch_queue"], ["list", "x"], ["path", "x"], ["drop"]):
        assert clone.rvexp("config", *words).returncode == 2
    assert clone.git("status", "--porcelain") == ""


@pytest.mark.parametrize("words", [("path",), ("set", "job.vcpus", "3")])
def test_json_is_refused_where_there_is_no_document(clone: Clone, words: tuple[str, ...]) -> None:
    """It would be ignored; nothing is set."""
    done = clone.rvexp("config", *words, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"--json goes with list and get, not with {words[0]}" in done.stderr
    assert not (clone.path / ".rvexp.toml").exists()


def test_a_misspelt_variable_is_warned_of(clone: Clone) -> None:
    """With the setting that was meant; what is nobody's slip, ours or others', passes without a word."""
    strange = {"RVEXP_JOB_MEMROY": "99", "RVEXP_RUN": "x", "RVEXP_DEBUG": "", "RVEXP_FLEET": "3"}
    done = clone.rvexp("config", "get", "job.memory", env=strange)
    assert (done.returncode, done.stdout) == (0, "0\n")
    told = "RVEXP_JOB_MEMROY is no setting, so it is ignored: did you mean RVEXP_JOB_MEMORY?"
    assert done.stderr == f"warning: {told}\n"
