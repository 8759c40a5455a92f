"""`dev/quickstart`: the main job on a copy of examples/digits, on this machine or through Batch.

Every command is shown before it is run; they are what a user would type. The copy is an ordinary git
repository below `.dev/quickstart` that stays for the user to go on with.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stacklib import cli, forge, images, paths, venv
from stacklib.process import StackError
from stacklib.story import say

EXAMPLE = paths.PROJECT / "examples" / "digits"
TRAIN = ("git", "rvexp", "submit", "--wait", "--", "python3", "train.py")


@dataclass(frozen=True)
class Shell:
    """A folder and an environment to run commands in, each shown first."""

    folder: Path
    env: Mapping[str, str]

    def run(self, *command: str) -> str:
        """Show and run a command; its stdout, which is shown too. StackError when it fails."""
        say(f"\n$ {shlex.join(command)}")
        done = subprocess.run(
            command, cwd=self.folder, env=dict(self.env), stdout=subprocess.PIPE, text=True, check=False
        )
        print(done.stdout, end="", flush=True)
        if done.returncode:
            raise StackError(f"exit code {done.returncode} from: {shlex.join(command)}\n  in {self.folder}")
        return done.stdout.strip()


def copy(place: Path) -> Path:
    """A fresh copy of the example below `place`; earlier copies, and what was tried in them, stay."""
    number = 1
    while True:
        folder = place / ("digits" if number == 1 else f"digits-{number}")
        try:
            shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", "out", "shared"))
        except FileExistsError:
            number += 1
        else:
            return folder


def environment(values: Mapping[str, str]) -> dict[str, str]:
    """The user's environment with the project's programs and the stack's engine and AWS."""
    env = {**os.environ, **{k: v for k, v in values.items() if k == "DOCKER_HOST"}}
    env["PATH"] = f"{venv.FOLDER / 'bin'}{os.pathsep}{env['PATH']}"
    return env


def start_repository(shell: Shell) -> None:
    """Make the copy a git repository with one commit, by the user or, where git knows none, by a stand-in."""
    shell.run("git", "init", "--quiet")
    shell.run("git", "config", "rvexp.image.buildArgs", f"BASE={images.BASE}")
    asked = ["git", "config", "user.email"]
    known = subprocess.run(asked, cwd=shell.folder, env=dict(shell.env), capture_output=True, check=False)
    if known.returncode:
        shell.run("git", "config", "user.name", "Ada Lovelace")
        shell.run("git", "config", "user.email", "ada@example.org")
    shell.run("git", "add", ".")
    shell.run("git", "commit", "--quiet", "-m", "Start from the digits example")


def connect(shell: Shell, values: Mapping[str, str]) -> None:
    """Settings of this clone that move each part out: snapshots, images and runs."""
    name = f"{shell.folder.name}-{os.urandom(3).hex()}"
    url, world = forge.repo(name), json.loads(cli.batch(name))
    settings = {
        "experiments-remote": url,
        "archive-url": "cgit",
        "ecr-repo": f"{values['RVEXP_DEV_REGISTRY']}/{name}",
        "batch-queue": world["queue"],
        "batch-job-def-name": world["job_definition"],
        "aws.endpoint-url": values["RVEXP_DEV_AWS_ENDPOINT"],
        "aws.region": values["RVEXP_DEV_AWS_REGION"],
    }
    for key, value in settings.items():
        shell.run("git", "config", f"rvexp.{key}", value)
    _keep_password(shell, values)


def _keep_password(shell: Shell, values: Mapping[str, str]) -> None:
    """Give the forge's password to git's own store, in this clone only; it is not shown."""
    store = shell.folder / ".git" / "forge-password"
    shell.run("git", "config", "credential.helper", f"store --file={shlex.quote(str(store))}")
    user, word = values["RVEXP_DEV_FORGE_USER"], values["RVEXP_DEV_FORGE_PASSWORD"]
    address = f"url={values['RVEXP_DEV_FORGE']}\nusername={user}\npassword={word}\n\n"
    subprocess.run(
        ["git", "credential", "approve"], cwd=shell.folder, env=dict(shell.env), input=address, text=True, check=True
    )


def main_job(shell: Shell, nick: str) -> str:
    """Snapshot, run, and show the record; the tag."""
    tag = shell.run("git", "rvexp", "snapshot", nick)
    shell.run(*TRAIN)
    shell.run("git", "notes", "show", tag)
    return tag


def quickstart(into: Path, *, batch: bool) -> None:
    """Set up what is missing and run the main job; end with what to type next."""
    parts = cli.chosen("engine,base,registry,forge,moto" if batch else "engine,base")
    cli.up(parts, venv.packages())
    venv.ensure()
    values = cli.exports(parts)
    folder = copy(into)
    shell = Shell(folder, environment(values))
    say(f"\nThe example goes to {os.path.relpath(folder)}, a repository of its own; there:")
    start_repository(shell)
    exports = ""
    if batch:
        connect(shell, values)
        keys = {f"AWS_{k}": values[f"RVEXP_DEV_AWS_{k}"] for k in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")}
        shell = Shell(folder, {**shell.env, **keys})
        exports = "".join(f"    export {k}={v}\n" for k, v in keys.items())
    main_job(shell, "first")
    say(
        f"\nThat was one experiment: its code, image, request and outcome are in git. Next:\n\n{_next(folder, exports)}"
    )


def _next(folder: Path, exports: str) -> str:
    return (
        f"    cd {shlex.quote(os.path.relpath(folder))}\n"
        f"    . {shlex.quote(os.path.relpath(venv.FOLDER, folder))}/bin/activate\n"
        f'    eval "$({shlex.quote(os.path.relpath(paths.PROJECT, folder))}/dev/stack env)"\n'
        f"{exports}"
        "    git rvexp list\n"
        "    git rvexp snapshot second     (after you changed train.py)\n"
        f"    {shlex.join(TRAIN)}\n"
    )


def main() -> int:
    """Run the quick start; an expected failure is one clear message and exit code 1."""
    parser = argparse.ArgumentParser(
        prog="dev/quickstart",
        description="Set up git rvexp on this machine and run one experiment: snapshot, run, record.",
    )
    parser.add_argument("--batch", action="store_true", help="through Batch (moto), a registry and a git server")
    parser.add_argument("--into", type=Path, default=paths.DEV / "quickstart", help="where the example is copied to")
    arguments = parser.parse_args()
    try:
        quickstart(arguments.into.absolute(), batch=arguments.batch)
    except StackError as error:
        print(f"dev/quickstart: {error}", file=sys.stderr)
        return 1
    return 0
