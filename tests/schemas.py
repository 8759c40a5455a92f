"""The published schemas, and a look at what a command has printed: a document has to be what its schema says."""

import functools
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "docs" / "schema"


def check_printed(stdout: str) -> None:
    """Validate the document that begins `stdout`, if there is one."""
    if stdout.startswith('{\n  "schema": "rvexp.'):
        check(json.JSONDecoder().raw_decode(stdout)[0])


def check(document: Any) -> None:
    """AssertionError with the place where `document` is not what its schema says."""
    found = [
        f"{error.json_path}: {error.message[:300]}" for error in _validator(document["schema"]).iter_errors(document)
    ]
    assert not found, f"{document['schema']}: {found}"


def path_of(name: str) -> Path:
    """Where the schema called `rvexp.NAME/VERSION` stands."""
    return FOLDER / f"{name.replace('/', '.')}.json"


@functools.cache
def _validator(name: str) -> Any:
    import jsonschema  # noqa: PLC0415  most tests print no document

    schema = json.loads(path_of(name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)
