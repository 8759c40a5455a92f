"""What hostile repositories are made of: each plant puts one trap into a clone; its canary tells when it was sprung.

`FILES` come with the files of a repository, which anybody may have written. `CONFIGURED` need the clone's own git
directory, which git itself trusts: see docs/threat-model.md for where the line is.
"""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import Clone


@dataclass
class Trap:
    """A clone with traps in it. A canary is a program that leaves a mark outside the clone when it is run."""

    clone: Clone
    outside: Path
    env: dict[str, str] = field(default_factory=dict)
    cwd: Path | None = None

    def canary(self, name: str = "canary") -> Path:
        """The program; it takes any arguments and any input."""
        program = self.outside / name
        program.write_text(
            f'#!/bin/sh\necho {name} "$0" "$@" >>\'{self.marks}\'\ncat >/dev/null 2>&1 </dev/null\nexit 0\n'
        )
        program.chmod(0o755)
        return program

    def planted(self, place: str) -> None:
        """The program among the files of the repository."""
        target = self.clone.write(place, self.canary().read_text())
        target.chmod(0o755)

    @property
    def marks(self) -> Path:
        """What was run."""
        return self.outside / "marks"

    def sprung(self) -> str:
        """What was run, "" for nothing."""
        return self.marks.read_text() if self.marks.exists() else ""


Plant = Callable[[Trap], None]


def _tracked_hooks(trap: Trap) -> None:
    for folder in ("hooks", ".githooks", ".husky", ".husky/_"):
        for event in ("pre-push", "post-index-change", "reference-transaction", "pre-commit", "post-checkout"):
            trap.planted(f"{folder}/{event}")


def _tracked_configuration(trap: Trap) -> None:
    canary = trap.canary()
    text = f"[core]\n\tfsmonitor = {canary}\n\tpager = {canary}\n[alias]\n\trvexp = !{canary}\n"
    for name in (".gitconfig", "gitconfig", ".config/git/config", "config"):
        trap.clone.write(name, text)


def _attributes(trap: Trap) -> None:
    trap.clone.write(".gitattributes", "* filter=evil diff=evil merge=evil export-subst working-tree-encoding=UTF-8\n")
    trap.clone.write("sub/.gitattributes", "* filter=lfs diff=evil textconv=evil\n")
    trap.clone.write("sub/data.bin", "x\n")


def _submodule_addresses(trap: Trap) -> None:
    canary = trap.canary()
    trap.clone.write(
        ".gitmodules",
        f'[submodule "a"]\n\tpath = a\n\turl = ext::{canary} %S\n\tupdate = !{canary}\n\tbranch = --exec={canary}\n'
        f'[submodule "-u{canary}"]\n\tpath = --upload-pack={canary}\n\turl = --upload-pack={canary}\n',
    )


def _lfs_configuration(trap: Trap) -> None:
    canary = trap.canary()
    trap.clone.write(
        ".lfsconfig",
        "[lfs]\n\turl = http://127.0.0.1:1/\n\tstandalonetransferagent = x\n"
        f'[lfs "customtransfer.x"]\n\tpath = {canary}\n',
    )
    trap.clone.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    trap.clone.write("a.bin", f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 5\n")


def _nested_bare(trap: Trap) -> None:
    """A bare repository among the files, whose configuration runs things; we are called inside it."""
    _bare(trap, "data/store", worktree="")


def _nested_bare_with_a_work_tree(trap: Trap) -> None:
    """The same, calling itself not bare, so that git would take the clone's files for its own."""
    _bare(trap, "data/store", worktree="../..")


def _bare(trap: Trap, place: str, *, worktree: str) -> None:
    store = trap.clone.path / place
    subprocess.run(["git", "init", "-q", "--bare", store], check=True)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand", "core.hooksPath"):
        subprocess.run(["git", f"--git-dir={store}", "config", key, str(trap.canary())], check=True)
    for key, value in {"rvexp.executor": "docker", "rvexp.initials": "evil"}.items():
        subprocess.run(["git", f"--git-dir={store}", "config", key, value], check=True)
    if worktree:
        subprocess.run(["git", f"--git-dir={store}", "config", "core.bare", "false"], check=True)
        subprocess.run(["git", f"--git-dir={store}", "config", "core.worktree", worktree], check=True)
    trap.cwd = store


def _settings(*lines: str) -> Plant:
    def plant(trap: Trap) -> None:
        trap.clone.write(".rvexp.toml", "\n".join(lines).replace("CANARY", str(trap.canary())) + "\n")

    return plant


def _settings_link(trap: Trap) -> None:
    """The settings are a link to a secret of the user's."""
    secret = trap.outside / "credentials"
    secret.write_text("aws_secret_access_key = hunter2-hunter2\n")
    (trap.clone.path / ".rvexp.toml").symlink_to(secret)


def _names_like_options(trap: Trap) -> None:
    canary = trap.canary()
    for name in (
        "-x",
        "--upload-pack=x",
        f"$({canary})".replace("/", ":"),
        "`id`",
        ";id;",
        "|id",
        "a\nb",
        "\x1b]0;owned\x07",
    ):
        trap.clone.write(name, "x\n")
    trap.clone.write("--exec/--receive-pack=x/-rf", "x\n")


def _branch_like_an_option(trap: Trap) -> None:
    head = trap.clone.git("rev-parse", "HEAD")
    for name in (f"--upload-pack={trap.canary()}", "-x", "--exec"):
        trap.clone.git("update-ref", f"refs/heads/{name}", head)
    trap.clone.git("symbolic-ref", "HEAD", "refs/heads/-x")


def _tags_like_options(trap: Trap) -> None:
    head = trap.clone.git("rev-parse", "HEAD")
    for name in ("--upload-pack=x", "-x", "al/roads/2026-01-02/--exec", "@{-1}x"):
        trap.clone.git("update-ref", f"refs/tags/{name}", head, check=False)


def _modules(trap: Trap) -> None:
    """Python modules named like those that we import."""
    text = f"import subprocess\nsubprocess.run(['{trap.canary()}', __name__])\n"
    for name in (
        "json",
        "argparse",
        "subprocess",
        "docker",
        "boto3",
        "pygit2",
        "tomli",
        "sitecustomize",
        "usercustomize",
    ):
        trap.clone.write(f"{name}.py", text)
    trap.clone.write("git_rvexp/__init__.py", text)
    trap.clone.write("docker/__init__.py", text)


def _programs(trap: Trap) -> None:
    """Programs named like those that we run, where PATH holds the folder that we are in."""
    for name in ("git", "ssh", "docker", "docker-credential-evil", "sh", "man", "git-lfs", "gpg", "less"):
        trap.planted(name)
    trap.env["PATH"] = ".::bin:" + os.environ["PATH"]


def _docker_configuration(trap: Trap) -> None:
    trap.clone.write(".docker/config.json", '{"credHelpers": {"127.0.0.1:1": "evil"}, "credsStore": "evil"}')
    trap.clone.write("config.json", '{"credsStore": "evil"}')
    trap.planted("docker-credential-evil")
    trap.env["PATH"] = os.environ["PATH"] + ":."


def _environment_files(trap: Trap) -> None:
    for name in (".env", ".envrc", ".netrc", ".aws/config", ".aws/credentials", ".ssh/config", ".pypirc"):
        trap.clone.write(
            name, f"AWS_ENDPOINT_URL=http://127.0.0.1:1\nDOCKER_HOST=tcp://127.0.0.1:1\nx={trap.canary()}\n"
        )


def _git_file(trap: Trap) -> None:
    """A `.git` file in a folder that leads to a repository among the files."""
    _bare(trap, "data/store", worktree="../sub")
    trap.clone.write("data/sub/.git", "gitdir: ../store\n")
    trap.cwd = trap.clone.path / "data" / "sub"


def _dockerfile_link(trap: Trap) -> None:
    secret = trap.outside / "Dockerfile"
    secret.write_text("FROM scratch\nLABEL secret=hunter2-hunter2\n")
    (trap.clone.path / "Dockerfile").symlink_to(secret)


def _ignore_rules(trap: Trap) -> None:
    trap.clone.write(".dockerignore", "**/" * 40 + "x\n" + "*a" * 40 + "\n!../..\n!.git\n[z-a\n")
    trap.clone.write("Dockerfile", "FROM scratch\nCOPY . /\n")


def _python_path(trap: Trap) -> None:
    trap.clone.write("pyproject.toml", "[tool.rvexp]\nqueue = 'x'\n")
    trap.clone.write("setup.cfg", "[rvexp]\n")
    trap.clone.write("conftest.py", f"import os; os.system('{trap.canary()}')\n")


def _message(trap: Trap) -> None:
    trap.clone.git(
        "commit", "-q", "--allow-empty", "-m", "\x1b]0;owned\x07\x1b[2J x\n\nRvexp-Snapshot: 9\nRvexp-Tree: 0"
    )
    trap.clone.write(".mailmap", "\x1b[2J <ada@example.org>\n")


FILES: Mapping[str, Plant] = {
    "hooks among the files": _tracked_hooks,
    "git configuration among the files": _tracked_configuration,
    "attributes that name drivers": _attributes,
    "submodules with ext:: and option-like addresses": _submodule_addresses,
    "an LFS configuration with a transfer program": _lfs_configuration,
    "a bare repository that we are called in": _nested_bare,
    "a bare repository with a work tree": _nested_bare_with_a_work_tree,
    "a .git file that leads among the files": _git_file,
    "settings: ext:: remote": _settings("experiments_remote = \"ext::sh -c 'CANARY'\""),
    "settings: fd:: remote": _settings('experiments_remote = "fd::17"'),
    "settings: option for a remote": _settings('experiments_remote = "--upload-pack=CANARY"'),
    "settings: option for GitHub": _settings('github_experiment_repo = "-oProxyCommand=CANARY/x"'),
    "settings: Dockerfile outside": _settings("[image]", 'dockerfile = "../../etc/passwd"'),
    "settings: context outside": _settings("[image]", 'context = "/"'),
    "settings: option as platform": _settings("[image]", 'platform = "--output=x"'),
    "settings: option as build stage": _settings("[image]", 'target = "--output=x"'),
    "settings: build arguments that redirect": _settings("[image.build_args]", 'HTTP_PROXY = "http://127.0.0.1:1"'),
    "settings: environment that redirects": _settings("[job.env]", 'AWS_ENDPOINT_URL = "http://127.0.0.1:1"'),
    "settings: a registry with a scheme": _settings('ecr_repo = "http://127.0.0.1:1/x"'),
    "settings: a link to a secret": _settings_link,
    "file names like options and commands": _names_like_options,
    "branches like options": _branch_like_an_option,
    "tags like options": _tags_like_options,
    "Python modules of our names": _modules,
    "programs of our names, and PATH with the folder": _programs,
    "a Docker configuration with credential helpers": _docker_configuration,
    "environment and credential files": _environment_files,
    "a Dockerfile that is a link outside": _dockerfile_link,
    "a .dockerignore of endless patterns": _ignore_rules,
    "tool configuration and test hooks": _python_path,
    "a commit message for the terminal": _message,
}
