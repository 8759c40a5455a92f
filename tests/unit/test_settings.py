"""What a setting may be: its type, its rule, and the example file that lists them all."""

import re
from pathlib import Path

import pytest

from git_rvexp.config import load, merge
from git_rvexp.errors import UsageError
from git_rvexp.layers import Layer, from_file
from git_rvexp.settings import Settings, keys

EXAMPLE = Path(__file__).parents[2] / ".rvexp.toml.example"


def test_the_example_file_holds_every_key_with_its_default() -> None:
    """Loaded, it gives the defaults, and no key is missing."""
    layer = from_file(EXAMPLE, tracked=True)
    assert set(layer.values) == {key.name for key in keys()}
    assert merge([layer]).settings == Settings()


def test_a_copied_example_file_needs_no_confirmation() -> None:
    """Defaults are nobody's choice, even when a tracked file writes them down."""
    assert merge([from_file(EXAMPLE, tracked=True)]).chosen() == {}


def test_the_example_file_explains_each_key_on_its_own_line() -> None:
    """One line each: the assignment, then what it is about."""
    lines = EXAMPLE.read_text().splitlines()
    for key in keys():
        last = key.name.rpartition(".")[2]
        assert [line for line in lines if line.startswith(f"{last} = ") and line.endswith(f"  # {key.about}")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image.dockerfile", "../../etc/Dockerfile"),
        ("image.dockerfile", "/etc/Dockerfile"),
        ("image.dockerfile", "-f/etc/passwd"),
        ("image.context", "a/../../b"),
        ("image.context", ""),
        ("image.target", "--output=/tmp/x"),
        ("image.platform", "-x"),
        ("experiments_remote", "ext::sh -c 'touch owned'"),
        ("experiments_remote", "fd::17"),
        ("experiments_remote", "--upload-pack=touch owned"),
        ("github_experiment_repo", "../../evil.example/x"),
        ("github_experiment_repo", "-x/y"),
        ("ecr_repo", "https://evil.example/x"),
        ("ecr_repo", "-x/y"),
        ("aws.endpoint_url", "file:///etc/passwd"),
        ("aws.endpoint_url", "http://user:password@evil.example/"),
        ("store", "https://bucket/prefix"),
        ("store", "s3://Bucket/x"),
        ("store", "s3://bucket/../other"),
        ("store", "s3://bucket/prefix/"),
        ("store", "s3://user:password@bucket/x"),
        ("batch_queue", "-queue"),
        ("batch_queue", "\x1b]0;owned\x07"),
        ("executor", "sh"),
        ("job.vcpus", -1.0),
        ("job.vcpus", float("inf")),
        ("job.memory", "many"),
        ("job.attempts", 11),
        ("job.env", {"A=B": "c"}),
        ("job.env", {"A": 1}),
        ("job.gpus", True),
    ],
)
def test_a_value_outside_the_rules_is_refused_by_name(name: str, value: object) -> None:
    """Nothing that reads as an option, a command or a way out of the tree gets in, whoever wrote it."""
    with pytest.raises(UsageError, match=name.replace(".", r"\.")):
        merge([Layer("a file", {name: value})])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image.dockerfile", "docker/gpu.Dockerfile"),
        ("image.target", "runtime"),
        ("experiments_remote", "git@github.com:al/experiments.git"),
        ("experiments_remote", "../experiments.git"),
        ("experiments_remote", "https://[::1]:8443/x.git"),
        ("github_experiment_repo", "azavea/raster-vision.experiments"),
        ("ecr_repo", "123456789012.dkr.ecr.us-east-1.amazonaws.com/experiments"),
        ("ecr_repo", "localhost:5000/a/b__c"),
        ("aws.endpoint_url", "http://127.0.0.1:5000"),
        ("store", "s3://team-bucket/experiments/roads_1"),
        ("job.vcpus", 0.25),
        ("job.env", {"LOG_LEVEL": "debug,\n"}),
    ],
)
def test_an_ordinary_value_is_taken_as_it_is(name: str, value: object) -> None:
    """The rules refuse nothing that people use."""
    key = next(k for k in keys() if k.name == name)
    assert getattr(merge([Layer("a file", {name: value})]).settings, key.attribute) == value


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "https_proxy", "LD_PRELOAD", "PIP_INDEX_URL", "GIT_SSH_COMMAND"])
def test_variables_that_redirect_need_confirmation_when_a_tracked_file_sets_them(name: str) -> None:
    """Ordinary variables of a job do not."""
    conf = merge([Layer("f", {"job.env": {name: "x", "EPOCHS": "3"}}, tracked=True)])
    assert conf.chosen() == {"job.env": {name: "x"}}
    assert merge([Layer("f", {"job.env": {"EPOCHS": "3"}}, tracked=True)]).chosen() == {}


def test_what_is_no_settings_file_is_not_read(tmp_path: Path) -> None:
    """A device, a folder or a huge file under that name does not hang or fill the memory."""
    file = tmp_path / ".rvexp.toml"
    file.symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="no settings file"):
        load({}, {"HOME": str(tmp_path)}, [], file)
    file.unlink()
    file.write_text("#" * 70000)
    with pytest.raises(UsageError, match="no settings file"):
        load({}, {"HOME": str(tmp_path)}, [], file)


def test_the_examples_of_the_documentation_are_settings(tmp_path: Path) -> None:
    """Each TOML block loads, and each key that is said to need a confirmation does."""
    text = (EXAMPLE.parent / "docs" / "configuration.md").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        file = tmp_path / ".rvexp.toml"
        file.write_text(block)
        load({}, {"HOME": str(tmp_path), "RVEXP_PROFILE": "cheap"}, [], file)
    missing = [
        key.name
        for key in keys()
        if key.sensitive and f"`{key.name}`" not in text and not key.name.startswith(("aws.", "job."))
    ]
    assert missing == []
