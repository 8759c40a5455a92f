"""The settings that decide a snapshot's image: its own file's, wherever the work tree has gone since."""

import dataclasses
import os

import pytest

from git_rvexp.config import load
from git_rvexp.errors import UsageError
from git_rvexp.git.plumbing import Repo
from git_rvexp.git.tags import snapshots
from git_rvexp.imagesettings import chosen, differing
from git_rvexp.layers import FILE, LARGEST
from git_rvexp.record.ledger import Ledger
from git_rvexp.settings import Settings
from git_rvexp.workflow.asof import acting, as_of
from git_rvexp.workflow.context import Context
from tests.conftest import Clone

THEN = '[image]\ntarget = "then"\ncontext = "a"\n[seed]\ninject = true\n[job]\nvcpus = 2.0\n'
NOW = '[image]\ntarget = "now"\n[job]\nvcpus = 4.0\n'


def context_of(clone: Clone, **environ: str) -> tuple[Context, list[str]]:
    """What a workflow is given here, and the story that it tells."""
    repo, story = Repo.discover(clone.path, os.environ), list[str]()
    entries = [(k.removeprefix("rvexp."), v[-1]) for k, v in repo.config.items() if k.startswith("rvexp.")]
    config = load({}, {**os.environ, **environ}, entries, clone.path / FILE)
    return Context(repo, config, Ledger(repo), os.environ, story.append, story.append), story


def settings_then(clone: Clone, **environ: str) -> Settings:
    """The settings as of the one snapshot."""
    context, _ = context_of(clone, **environ)
    (snapshot,) = snapshots(context.repo)
    return as_of(context, snapshot).settings


@pytest.fixture
def moved_on(clone: Clone) -> Clone:
    """A snapshot whose settings file was changed afterwards."""
    clone.write(FILE, THEN)
    assert clone.rvexp("snapshot", "one").returncode == 0
    clone.write(FILE, NOW)
    return clone


def test_what_decides_the_image_is_the_snapshots_own_and_nothing_else(moved_on: Clone) -> None:
    settings = settings_then(moved_on)
    assert (settings.image_target, settings.image_context, settings.seed_inject) == ("then", "a", True)
    assert settings.job_vcpus == 4.0


def test_a_variable_and_gits_configuration_still_go_before_it(moved_on: Clone) -> None:
    assert settings_then(moved_on, RVEXP_IMAGE_TARGET="mine").image_target == "mine"
    moved_on.git("config", "rvexp.image.context", "b")
    settings = settings_then(moved_on)
    assert (settings.image_target, settings.image_context) == ("then", "b")


def test_the_profile_in_force_is_looked_up_in_the_snapshots_file(clone: Clone) -> None:
    clone.write(FILE, '[profile.gpu.image]\ntarget = "then"\n')
    assert clone.rvexp("snapshot", "one").returncode == 0
    clone.write(FILE, '[profile.gpu.image]\ntarget = "now"\nplatform = "linux/arm64"\n[profile.gpu.job]\nvcpus = 8.0\n')
    settings = settings_then(clone, RVEXP_PROFILE="gpu")
    assert (settings.image_target, settings.image_platform, settings.job_vcpus) == ("then", "linux/amd64", 8.0)


def test_without_a_file_of_its_own_todays_counts(clone: Clone) -> None:
    assert clone.rvexp("snapshot", "one").returncode == 0
    clone.write(FILE, NOW)
    assert settings_then(clone).image_target == "now"


def test_a_link_in_its_place_is_no_file(clone: Clone) -> None:
    clone.write("shared.toml", THEN)
    (clone.path / FILE).symlink_to("shared.toml")
    assert clone.rvexp("snapshot", "one").returncode == 0
    (clone.path / FILE).unlink()
    clone.write(FILE, NOW)
    assert settings_then(clone).image_target == "now"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[image]\ntarget = 3\n", "/one:.rvexp.toml:2", id="a wrong value"),
        pytest.param("[image\n", "/one:.rvexp.toml", id="no TOML"),
        pytest.param("#" * (LARGEST + 1), "/one:.rvexp.toml is no settings file", id="too large"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_the_snapshots_name(clone: Clone, text: str, said: str) -> None:
    assert clone.rvexp("snapshot", "fine").returncode == 0  # sets the clone up
    clone.write(FILE, text)
    clone.git("add", "-A")
    clone.git("commit", "-qm", "wrong")
    clone.git("tag", "-a", "-m", "wrong", "al/p/2026-01-02/one")
    (clone.path / FILE).unlink()
    context, _ = context_of(clone)
    (snapshot,) = snapshots(context.repo, ["al/p/2026-01-02/one"])
    with pytest.raises(UsageError) as told:
        as_of(context, snapshot)
    assert said in str(told.value)


def test_what_is_not_todays_is_said_once_for_each_setting(moved_on: Clone) -> None:
    context, story = context_of(moved_on)
    (snapshot,) = snapshots(context.repo)
    acting(context, snapshot)
    (said,) = story
    assert said.splitlines() == [
        "the image is made with the snapshot's own settings",
        "  image.context = a, and . today",
        "  image.target = then, and now today",
        "  seed.inject = true, and false today",
    ]
    moved_on.write(FILE, THEN)
    context, story = context_of(moved_on)
    acting(context, snapshot)
    assert story == []


def test_arguments_that_send_traffic_elsewhere_need_the_users_word(clone: Clone) -> None:
    """A snapshot may be anybody's: what today's file would have to be confirmed for, its file has to be too."""
    clone.write(FILE, '[image.build_args]\nHTTPS_PROXY = "http://elsewhere.example"\nVERSION = "1"\n')
    clone.git("add", "-A")
    clone.git("commit", "-qm", "theirs")
    clone.git("tag", "-a", "-m", "theirs", "al/p/2026-01-02/theirs")
    clone.write(FILE, "")
    context, _ = context_of(clone)
    (snapshot,) = snapshots(context.repo)
    with pytest.raises(UsageError) as told:
        acting(context, snapshot)
    assert "HTTPS_PROXY" in str(told.value)
    assert as_of(context, snapshot).settings.image_build_args["VERSION"] == "1"  # to look at it is no harm
    clone.git("config", "rvexp.image.buildArgs", "HTTPS_PROXY=http://elsewhere.example,VERSION=1")
    context, _ = context_of(clone)
    assert acting(context, snapshot).settings.image_build_args["VERSION"] == "1"


def test_defaults_are_not_recorded_and_every_other_value_is() -> None:
    assert chosen(Settings()) == {}
    some = dataclasses.replace(Settings(), image_code={".": "/opt"}, image_environment=("a",), job_vcpus=2.0)
    assert chosen(some) == {"image.code": {".": "/opt"}, "image.environment": ["a"]}
    assert differing({"image.target": "a"}, {}) == ['image.target = a, and "" today']
