"""Where settings come from, what is said when one is wrong, and changing one without touching the rest."""

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_rvexp.config import Config, fingerprint, load
from git_rvexp.errors import UsageError
from git_rvexp.tomledit import assigned
from tests.conftest import Clone


def configured(tmp_path: Path, text: str, *, user: str = "", profile: str = "") -> Config:
    """The configuration of a clone whose tracked file and user file say this."""
    file = tmp_path / ".rvexp.toml"
    file.write_bytes(text.encode())
    own = tmp_path / "git-rvexp" / "config.toml"
    own.parent.mkdir(exist_ok=True)
    own.write_text(user)
    return load({}, {"XDG_CONFIG_HOME": str(tmp_path), "RVEXP_PROFILE": profile}, [], file)


def test_each_layer_beats_the_one_below(clone: Clone, sealed: Path) -> None:
    """Flag, variable, git's configuration, tracked file, user's file, default: taken away from the top one by one."""
    user = sealed / ".config" / "git-rvexp" / "config.toml"
    user.parent.mkdir(parents=True)
    user.write_text('project = "user"\n')
    clone.write(".rvexp.toml", 'project = "tracked"\n')
    clone.git("config", "rvexp.project", "git")

    def seen(**env: str) -> str:
        return clone.rvexp("config", "get", "project", env=env).stdout.strip()

    drafted = clone.rvexp("snapshot", "-n", "--project", "flag", "x", env={"RVEXP_PROJECT": "variable"}).stdout
    assert "/flag/" in drafted
    found = [seen(RVEXP_PROJECT="variable"), seen()]
    clone.git("config", "--unset", "rvexp.project")
    found.append(seen())
    (clone.path / ".rvexp.toml").unlink()
    found.append(seen())
    user.unlink()
    found.append(seen())
    assert found == ["variable", "git", "tracked", "user", ""]


def test_list_tells_file_and_line_variable_or_git_key(clone: Clone) -> None:
    """--show-origin names what to change."""
    clone.write(".rvexp.toml", "# mine\n\n[job]\nmemory = 512\n")
    clone.git("config", "rvexp.batchQueue", "gpu")
    out = clone.rvexp("config", "list", "--show-origin", env={"RVEXP_JOB_GPUS": "1"}).stdout
    lines = {line.split("\t")[0]: line.split("\t")[1:] for line in out.splitlines()}
    assert lines["job.memory"] == ["512", f"{clone.path}/.rvexp.toml:4"]
    assert lines["batch_queue"] == ["gpu", "git config rvexp.batchqueue"]
    assert lines["job.gpus"] == ["1", "environment RVEXP_JOB_GPUS"]
    assert lines["executor"] == ["auto", "default"]


def test_list_is_one_json_document(clone: Clone) -> None:
    """With its schema's name, typed values, and no password of an address."""
    env = {"RVEXP_EXPERIMENTS_REMOTE": "https://al:hunter2@example.org/x.git"}
    document = json.loads(clone.rvexp("config", "--json", env=env).stdout)
    values = {row["key"]: row["value"] for row in document["settings"]}
    assert document["schema"] == "rvexp.config/1"
    assert values["job.attempts"] == 1
    assert values["experiments_remote"] == "https://al:***@example.org/x.git"


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ('initials = "al"\n[image]\n\ndockerfil = "D"\n', 4, "image.dockerfile"),
        ('[imgae]\ndockerfile = "D"\n', 2, "image.dockerfile"),
        ('bath_queue = """\nq"""\n', 1, "batch_queue"),
        ('\n[profile.cheap]\nbatch_quee = "q"\n', 3, "batch_queue"),
    ],
)
def test_an_unknown_key_is_told_with_line_and_nearest_name(tmp_path: Path, text: str, line: int, hint: str) -> None:
    """In a profile that is not in use as well."""
    with pytest.raises(UsageError, match=rf"unknown setting .*\.rvexp\.toml:{line}") as told:
        configured(tmp_path, text)
    assert hint in str(told.value.hint)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\njob.memory = true\n", 2),
        ('[job]\nvcpus = "two"\n', 2),
        ("\n[job.env]\nA = 1\n", 2),
        ('x = "', 1),
        ("[[job]]\nvcpus = 1\n", 1),
        ("profile = 3\n", 1),
        ("a = " + "[" * 5000, None),
        ("a = " + "1" * 5000, None),
    ],
)
def test_a_wrong_value_is_told_with_its_line(tmp_path: Path, text: str, line: int | None) -> None:
    """One error that a person can act on, also for files made to hurt."""
    with pytest.raises(UsageError, match=rf"\.rvexp\.toml{f':{line}' if line else ''}"):
        configured(tmp_path, text)


def test_a_profile_lies_over_both_files_and_the_tracked_one_first(tmp_path: Path) -> None:
    """The user's profile beats the tracked base; the tracked profile beats the user's."""
    tracked = 'batch_queue = "base"\nproject = "base"\n[profile.cheap]\nproject = "tracked-cheap"\n'
    user = '[profile.cheap]\nbatch_queue = "spot"\nproject = "user-cheap"\n'
    plain = configured(tmp_path, tracked, user=user)
    cheap = configured(tmp_path, tracked, user=user, profile="cheap")
    assert (plain.settings.batch_queue, plain.settings.project) == ("base", "base")
    assert (cheap.settings.batch_queue, cheap.settings.project) == ("spot", "tracked-cheap")
    assert cheap.chosen() == {}


def test_a_profile_of_a_tracked_file_is_as_untrusted_as_the_file(tmp_path: Path) -> None:
    """Its sensitive values are open until confirmed."""
    conf = configured(tmp_path, '[profile.x]\necr_repo = "evil.example/x"\n', profile="x")
    assert conf.unconfirmed("") == {"ecr_repo": "evil.example/x"}


def test_a_profile_is_chosen_by_flag_variable_or_git_and_must_exist(clone: Clone) -> None:
    """An unknown one is an error with the nearest name."""
    clone.write(".rvexp.toml", '[profile.cheap]\nproject = "cheap"\n')
    ask = ["config", "get", "project"]
    assert clone.rvexp(*ask, "--profile", "cheap").stdout == "cheap\n"
    assert clone.rvexp(*ask, env={"RVEXP_PROFILE": "cheap"}).stdout == "cheap\n"
    clone.git("config", "rvexp.profile", "cheap")
    assert clone.rvexp(*ask).stdout == "cheap\n"
    wrong = clone.rvexp(*ask, "--profile", "cheep")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "did you mean cheap?" in wrong.stderr


def test_two_names_for_the_remote_are_an_error_in_one_file_and_the_higher_layer_wins_between_two(
    tmp_path: Path,
) -> None:
    """A user's own choice is not mixed with the repository's."""
    with pytest.raises(UsageError, match="both set"):
        configured(tmp_path, 'experiments_remote = "a"\ngithub_experiment_repo = "a/b"\n')
    conf = configured(tmp_path, 'github_experiment_repo = "a/b"\n', user='experiments_remote = "mine"\n')
    assert (conf.settings.github_experiment_repo, conf.settings.experiments_remote) == ("a/b", "")
    assert conf.chosen() == {"github_experiment_repo": "a/b"}


def test_a_tracked_file_that_says_what_the_user_says_chooses_nothing(tmp_path: Path) -> None:
    """Only what would change because of it needs a confirmation; taking the user's choice away does too."""
    user = 'batch_queue = "gpu"\naws.endpoint_url = "http://127.0.0.1:1"\n'
    assert configured(tmp_path, 'batch_queue = "gpu"\n', user=user).chosen() == {}
    assert configured(tmp_path, 'aws.endpoint_url = ""\n', user=user).chosen() == {"aws.endpoint_url": ""}


def test_a_confirmation_is_for_these_values_and_several_are_kept(tmp_path: Path) -> None:
    """Any change asks again; going back to another branch's confirmed values does not."""
    one = configured(tmp_path, 'batch_queue = "a"\n')
    two = configured(tmp_path, 'batch_queue = "b"\n')
    words = f"{fingerprint(one.chosen())} {fingerprint(two.chosen())}"
    assert one.unconfirmed(words) == two.unconfirmed(words) == {}
    assert two.unconfirmed(fingerprint(one.chosen())) == {"batch_queue": "b"}


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
