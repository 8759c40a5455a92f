"""Where settings come from, what is said when one is wrong, and changing one without touching the rest."""

import json
from pathlib import Path

import pytest

from git_rvexp.config import Config, fingerprint, load
from git_rvexp.errors import UsageError
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
    assert clone.rvexp("config", "get", "--show-origin", "job.memory").stdout == f"512\t{clone.path}/.rvexp.toml:4\n"
    assert clone.rvexp("config", "get", "job.memory").stdout == "512\n"


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
    words = f"{fingerprint('batch_queue', 'a')} {fingerprint('batch_queue', 'b')}"
    assert one.unconfirmed(words) == two.unconfirmed(words) == {}
    assert two.unconfirmed(fingerprint("batch_queue", "a")) == {"batch_queue": "b"}
