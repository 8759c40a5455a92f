"""CITATION.cff 1.2.0, by which GitHub, Zenodo and reference managers cite the snapshot.

Source of the fields: the format's schema guide (citation-file-format 1.2.0). Its YAML is written as JSON scalars, which
YAML 1.2 is a superset of, so that no name or message can change its meaning. Addresses of people are left out.
"""

import json

from git_rvexp.names import Digest
from git_rvexp.workflow.exporting.subject import Subject


def citation(subject: Subject) -> str:
    """The file's text."""
    lines = [
        "cff-version: 1.2.0",
        'message: "To cite this experiment, use these data."',
        "type: software",
        f"title: {_text(f'{subject.project}: {subject.says.subject}')}",
        f"version: {_text(subject.tag)}",
        f"date-released: {_text(subject.card.date)}",
        f"commit: {_text(subject.snapshot.commit)}",
        "authors:",
        *_author(subject.author[0]),
    ]
    if subject.source:
        lines.append(f"repository-code: {_text(subject.source)}")
    image = subject.image
    if image:
        digest = str(image.get("ref", "")).rpartition("@")[2] if "@" in str(image.get("ref")) else image.get("id")
        lines += ["identifiers:", "  - type: other", f"    value: {_text(str(Digest(str(digest))))}"]
        lines.append('    description: "the container image that it ran in"')
    return "\n".join(lines) + "\n"


def _author(name: str) -> list[str]:
    given, _, family = name.strip().rpartition(" ")
    if not given:
        return [f"  - name: {_text(family or 'unknown')}"]
    return [f"  - family-names: {_text(family)}", f"    given-names: {_text(given)}"]


def _text(text: str) -> str:
    """A scalar; what is no character, or none that shows, is written by its number."""
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if quoted.isprintable() else "".join(c if c.isprintable() else _numbered(c) for c in quoted)


def _numbered(character: str) -> str:
    r"""As YAML has it: other than in JSON, no character is two halves; a half (\udc80, a byte of no text) is none."""
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\u{code:04x}"
