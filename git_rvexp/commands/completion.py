"""Print the completion script of a shell: bash, zsh or fish.

    bash: git rvexp completion bash > ~/.local/share/bash-completion/completions/git-rvexp
    zsh:  git rvexp completion zsh > DIR/_git-rvexp, with DIR in fpath before compinit runs
    fish: git rvexp completion fish > ~/.config/fish/conf.d/git-rvexp.fish

Snapshots are completed by git itself; no Python is started by TAB. An installed package ships the same files.
"""

import argparse

from git_rvexp.commands.session import Session

SHELLS = ("bash", "zsh", "fish")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def run(args: argparse.Namespace, session: Session) -> int:
    """Print it."""
    from git_rvexp.commands.manual.completions import script  # noqa: PLC0415  loads every verb's parser

    session.speaker.result(script(args.shell).rstrip("\n"))
    return 0
