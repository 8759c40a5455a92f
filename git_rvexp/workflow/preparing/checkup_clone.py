"""The checks of a clone: its formats, settings, experiments remote, notes and hooks."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from git_rvexp.addresses import redacted
from git_rvexp.config import misspelt
from git_rvexp.errors import GitError
from git_rvexp.git import hooks, remote
from git_rvexp.git.notes import REF
from git_rvexp.workflow.preparing import trust
from git_rvexp.workflow.preparing.checkup import Check, Scene, failed


def formats(scene: Scene) -> Iterator[Check]:
    """How the repository names objects and keeps references: git opens it, so we can use it."""
    if not scene.context:
        return
    repo = scene.context.repo
    references = repo.git("config", "--get", "extensions.refStorage", ok=(0, 1)).text or "files"
    yield Check("repository", "ok", f"{repo.object_format} names, references in {references}")


def configuration(scene: Scene) -> Iterator[Check]:
    """Whether the settings can be read, and whether a variable looks like one with a typing error."""
    if scene.trouble:
        yield failed("settings", scene.trouble)
    elif scene.context:
        conf = scene.context.config
        places = ", ".join(dict.fromkeys(layer.origin for layer in conf.origins.values())) or "all defaults"
        yield Check("settings", "ok", places + (f" (profile {conf.profile})" if conf.profile else ""))
    for name, meant in misspelt(scene.environ):
        yield Check("settings", "warn", f"the variable {name} is no setting", f"did you mean {meant}?")


def confirmation(scene: Scene) -> Iterator[Check]:
    """Whether the user stands by what a tracked file chooses."""
    if not scene.context or not scene.context.config.chosen():
        return
    values = trust.unconfirmed(scene.context)
    if values:
        text = f"a tracked file chooses {', '.join(values)}, and you have not confirmed it in this clone"
        yield Check("confirmation", "bad", text, f"{scene.context.config.confirming}, if these are yours")
    else:
        yield Check("confirmation", "ok", "you have confirmed what the tracked file chooses")


def experiments(scene: Scene) -> Iterator[Check]:
    """Whether snapshots have a private place to go to that answers."""
    if not scene.context:
        return
    context = scene.context
    wanted = context.wanted_remote()
    if re.search(r"://[^/@\s]*:[^/@\s]*@", wanted.url):
        text = "the experiments remote's address holds a password"
        yield Check("remote", "warn", text, "let git's credential helper keep it: git help credentials")
    place = "inside this clone" if wanted.embedded else redacted(wanted.url)
    if not remote.urls(context.repo, remote.NAME):
        yield Check(
            "remote",
            "warn",
            f"not set up yet; snapshots will go {'' if wanted.embedded else 'to '}{place}",
            "git rvexp init",
        )
        return
    if wanted.embedded and not Path(wanted.url).is_dir():
        yield Check("remote", "bad", f"the repository inside this clone is gone: {wanted.url}", "git rvexp init")
        return
    context.connect()  # it is set up: this only refuses what is not as the settings say
    try:
        count = len([ref for ref in remote.ids(context.repo) if ref.startswith("refs/tags/")])
    except GitError as why:
        yield replace(failed("remote", why), remedy=f"git ls-remote {remote.NAME}, until it answers")
        return
    yield Check("remote", "ok", f"{place}, {count} tag{'' if count == 1 else 's'}")


def notes(scene: Scene) -> Iterator[Check]:
    """Whether plain `git notes show TAG` prints the record."""
    if not scene.context:
        return
    named = scene.context.repo.git("config", "--get", "core.notesRef", ok=(0, 1)).text
    if named == REF:
        yield Check("notes", "ok", "git notes show TAG prints the record")
    else:
        text = f"core.notesRef is {named or 'not set'}: the record is shown by git notes --ref rvexp show TAG"
        yield Check("notes", "warn", text, "" if named else "git rvexp doctor --fix")


def guard(scene: Scene) -> Iterator[Check]:
    """Whether the hooks that keep snapshots private are in place."""
    if not scene.context:
        return
    standing = hooks.inspect(scene.context.repo)
    if standing.declined:
        yield Check(
            "hooks",
            "warn",
            "none are wanted in this clone: git push --tags would publish snapshots",
            "git rvexp hook install",
        )
        return
    for state in hooks.states(scene.context.repo, standing):
        text = f"{state.event}: {state.state}"
        remedy = "" if state.fine else state.remedy or "git rvexp doctor --fix"
        yield Check("hooks", "ok" if state.fine else "warn", text, remedy)
