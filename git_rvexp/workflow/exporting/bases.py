"""The images that a snapshot's Dockerfile builds on, by the names it gives: an engine does not tell what it took.

Only FROM and the ARGs before it are read, with the build arguments that the record says the image was made with; a name
that holds a variable nobody set is left out.
"""

import re
from collections.abc import Iterator, Mapping

from git_rvexp.errors import UsageError
from git_rvexp.git.objects import Objects
from git_rvexp.git.treelinks import followed
from git_rvexp.settings import Settings
from git_rvexp.workflow.exporting.subject import Subject

_ARG = re.compile(r"^\s*ARG\s+(\w+)=[\"']?([^\s\"']+)", re.MULTILINE | re.IGNORECASE)
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.MULTILINE | re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


def bases(subject: Subject) -> list[str]:
    """The references, each once, in their order."""
    if subject.image is None:
        return []
    made_with, usual = subject.image.get("settings") or {}, Settings()
    folder = made_with.get("image.context", usual.image_context)
    objects = Objects.of(subject.context.repo)
    named_so = f"{folder}/{made_with.get('image.dockerfile', usual.image_dockerfile)}"
    try:
        found = followed(objects, subject.snapshot.tree, named_so)
    except UsageError:  # a link that no build followed
        return []
    if found is None:
        return []
    text, given = objects.blob(found).decode("utf-8", "replace"), made_with.get("image.build_args")
    arguments = {name: str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    return list(dict.fromkeys(named(text, arguments)))


def named(text: str, arguments: Mapping[str, str]) -> Iterator[str]:
    """The images that the Dockerfile `text` takes from elsewhere."""
    known = dict(_ARG.findall(text)) | dict(arguments)
    stages: set[str] = {"scratch"}
    for base, stage in _FROM.findall(text):
        whole = _VARIABLE.sub(lambda found: known.get(found[1], found[0]), base)
        if whole.lower() not in stages and "$" not in whole:
            yield whole
        stages.add(stage.lower())
