"""The formats by name: what each makes of an experiment, as text or as the bytes of a file."""

import io
import json
import zipfile
from collections.abc import Mapping

from git_rvexp.git import notes
from git_rvexp.jsontext import escaped
from git_rvexp.model import Json
from git_rvexp.workflow.exporting.citation import citation
from git_rvexp.workflow.exporting.crate import METADATA, RECORD, crate, workflow
from git_rvexp.workflow.exporting.provenance import statement
from git_rvexp.workflow.exporting.subject import Subject
from git_rvexp.workflow.looking.custody import custody

SCHEMA = "rvexp.export/1"
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold


def text(subject: Subject, name: str) -> str:
    """The experiment as `citation`, `slsa` or `json`, and as the metadata of `ro-crate`; ends with a newline."""
    if name == "citation":
        return citation(subject)
    documents = {"slsa": statement, "ro-crate": crate, "json": document}
    return escaped(json.dumps(documents[name](subject), indent=2, ensure_ascii=False)) + "\n"


def document(subject: Subject) -> Mapping[str, Json]:
    """All that is recorded of it."""
    name, _ = subject.author
    about = {"taken": subject.says.when, "by": name, "message": subject.says.subject, "source": subject.source}
    return {"schema": SCHEMA, **about, **custody(subject.choice).fields()}


def crate_zip(subject: Subject) -> bytes:
    """The crate with what belongs to it as one zip file, the same bytes every time."""
    repo = subject.context.repo
    record = notes.read(repo, notes.tip(repo), [subject.snapshot.oid]).get(subject.snapshot.oid, "")
    main = workflow(subject)
    parts = {METADATA: text(subject, "ro-crate").encode()}
    parts |= {RECORD: record.encode("utf-8", "surrogateescape"), **({main.name: main.content} if main else {})}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return made.getvalue()
