"""The files of the repository that are made from the verbs and the settings, by path; `dev/make_man` writes them."""

from git_rvexp.commands.manual import page, reference
from git_rvexp.commands.manual.completions import FILES, script
from git_rvexp.workflow.preparing.settingsfile import example


def files() -> dict[str, str]:
    """Path from the top of the repository -> text."""
    scripts = {f"completions/{name}": script(shell) for shell, name in FILES.items()}
    pages = {"docs/commands.md": reference.commands(), "docs/settings.md": reference.settings()}
    return {"man/git-rvexp.1": page.text(), ".rvexp.toml.example": example(), **scripts, **pages}
