"""Files of every kind: in the snapshot as they are, or refused with the reason."""

import os
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.unit.shapes import Shape, Site, prove


def _changed(site: Site) -> None:
    site.clone.write("train.py", "changed\n")
    site.clone.write("new.txt", "new\n")


def _deleted(site: Site) -> None:
    (site.clone.path / "train.py").unlink()


def _ignored(site: Site) -> None:
    site.clone.write(".gitignore", "*.log\n")
    site.clone.write("out.log", "x\n")


def _tracked_and_ignored(site: Site) -> None:
    site.clone.write("kept.log", "1\n")
    site.clone.commit()
    site.clone.write(".gitignore", "*.log\n")
    site.clone.write("kept.log", "2\n")


def _executable_and_link(site: Site) -> None:
    site.clone.write("run.sh", "#!/bin/sh\n").chmod(0o755)
    (site.clone.path / "link").symlink_to("train.py")


def _link_out(site: Site) -> None:
    (site.clone.path / "data").symlink_to(site.beside)


def _folder_becomes_link(site: Site) -> None:
    site.clone.write("old/a.txt", "a\n")
    site.clone.write("new/a.txt", "other\n")
    site.clone.commit()
    (site.clone.path / "old" / "a.txt").unlink()
    (site.clone.path / "old").rmdir()
    (site.clone.path / "old").symlink_to("new")


def _file_becomes_folder(site: Site) -> None:
    (site.clone.path / "train.py").unlink()
    site.clone.write("train.py/main.py", "x\n")


def _intent_to_add(site: Site) -> None:
    site.clone.write("later.txt", "later\n")
    site.clone.git("add", "-N", "later.txt")
    site.clone.write("gone.txt", "x\n")
    site.clone.git("add", "-N", "gone.txt")
    (site.clone.path / "gone.txt").unlink()


def _staged_then_changed(site: Site) -> None:
    site.clone.write("train.py", "staged\n")
    site.clone.git("add", "train.py")
    site.clone.write("train.py", "on disk\n")


def _removed_from_index(site: Site) -> None:
    site.clone.git("rm", "-q", "--cached", "train.py")


def _assumed(site: Site) -> None:
    site.clone.git("update-index", "--assume-unchanged", "train.py")
    site.clone.write("train.py", "assumed\n")


def _skipped(site: Site) -> None:
    site.clone.git("update-index", "--skip-worktree", "train.py")
    site.clone.write("train.py", "skipped\n")


def _odd_names(site: Site) -> None:
    for name in ("-rf", ":(top)x", "a\nb", 'qu"ote', "*.py", " lead", "back\\slash", "tab\tbed"):
        site.clone.write(name, "odd\n")


def _not_utf8(site: Site) -> None:
    Path(os.fsdecode(os.fsencode(site.clone.path) + b"/caf\xe9.txt")).write_text("latin\n")


def _composed(site: Site) -> None:
    site.clone.write("\u00e9.txt", "composed\n")
    site.clone.write("e\u0301.txt", "decomposed\n")


def _case(site: Site) -> None:
    site.clone.write("Data.txt", "upper\n")
    site.clone.write("data.txt", "lower\n")


def _windows(site: Site) -> None:
    for name in ("aux.py", "dot.", "col:on", "back\\slash"):
        site.clone.write(name, "x\n")


def _special(site: Site) -> None:
    os.mkfifo(site.clone.path / "pipe")
    (site.clone.path / "empty").mkdir()


def _crlf(site: Site) -> None:
    site.clone.write(".gitattributes", "*.txt text eol=crlf\n*.raw -text\n")
    (site.clone.path / "dos.txt").write_bytes(b"a\r\nb\r\n")
    (site.clone.path / "dos.raw").write_bytes(b"a\r\nb\r\n")


def _autocrlf(site: Site) -> None:
    site.clone.git("config", "core.autocrlf", "true")
    site.clone.git("config", "core.safecrlf", "true")
    (site.clone.path / "dos.txt").write_bytes(b"a\r\nb\r\n")


def _encoded(site: Site) -> None:
    site.clone.write(".gitattributes", "*.u16 working-tree-encoding=UTF-16\n")
    (site.clone.path / "x.u16").write_bytes("hi\n".encode("utf-16"))


def _export(site: Site) -> None:
    site.clone.write(".gitattributes", "secretless.txt export-ignore\nversion.txt export-subst\n")
    site.clone.write("secretless.txt", "here\n")
    site.clone.write("version.txt", "$Format:%H$\n")


def _clean_filter(site: Site) -> None:
    site.clone.git("config", "filter.upper.clean", "tr a-z A-Z")
    site.clone.write(".gitattributes", "*.up filter=upper\n")
    site.clone.write("x.up", "low\n")


def _failing_filter(site: Site) -> None:
    site.clone.git("config", "filter.broken.clean", "false")
    site.clone.git("config", "filter.broken.required", "true")
    site.clone.write(".gitattributes", "*.b filter=broken\n")
    site.clone.write("x.b", "x\n")


def _missing_filter(site: Site) -> None:
    site.clone.write(".gitattributes", "*.nb filter=nbstripout\n")
    site.clone.write("x.nb", "with outputs\n")


def _large(site: Site) -> None:
    with (site.clone.path / "weights.bin").open("wb") as out:
        out.truncate(10_000_001)


def _large_tracked(site: Site) -> None:
    site.clone.write("weights.bin", "small\n")
    site.clone.commit()
    _large(site)


def _large_allowed(site: Site) -> None:
    site.clone.write(".rvexp.toml", '[snapshot]\nmax_file = "20 MB"\n')
    _large(site)


def _large_committed(site: Site) -> None:
    _large(site)
    site.clone.commit()
    site.clone.write("train.py", "changed\n")


def _many(site: Site) -> None:
    site.clone.write(".rvexp.toml", '[snapshot]\nmax_total = "5 kB"\n')
    for number in range(6):
        site.clone.write(f"part{number}.txt", "x" * 1000)


SHAPES = (
    Shape("changed and untracked files", "captured", _changed, {"train.py": "changed\n", "new.txt": "new\n"}),
    Shape("a file deleted on disk", "captured: it is gone", _deleted, {"train.py": None}),
    Shape("ignored files", "captured without them, as git's own rules say", _ignored, {"out.log": None}),
    Shape("a tracked file that is ignored", "captured", _tracked_and_ignored, {"kept.log": "2\n"}),
    Shape("executable files and symbolic links", "captured", _executable_and_link, {"link": "train.py"}),
    Shape("a link that leads out of the tree", "captured as a link; named", _link_out, says=("data",)),
    Shape("a folder replaced by a link", "captured", _folder_becomes_link, {"old": "new", "new/a.txt": "other\n"}),
    Shape("a file replaced by a folder", "captured", _file_becomes_folder, {"train.py/main.py": "x\n"}),
    Shape("files added with `git add -N`", "captured", _intent_to_add, {"later.txt": "later\n", "gone.txt": None}),
    Shape("a file changed after `git add`", "captured as on disk", _staged_then_changed, {"train.py": "on disk\n"}),
    Shape(
        "a file removed with `git rm --cached`",
        "captured: it is there",
        _removed_from_index,
        {"train.py": "print('hello')\n"},
    ),
    Shape("an edit hidden by assume-unchanged", "captured; named", _assumed, {"train.py": "assumed\n"}, ("train.py",)),
    Shape("an edit hidden by skip-worktree", "captured; named", _skipped, {"train.py": "skipped\n"}, ("train.py",)),
    Shape(
        "names with quotes, newlines, colons, leading dashes", "captured", _odd_names, {"-rf": "odd\n", "a\nb": "odd\n"}
    ),
    Shape("names that are no UTF-8", "captured", _not_utf8),
    Shape(
        "one name in two Unicode forms",
        "captured, both",
        _composed,
        {"\u00e9.txt": "composed\n", "e\u0301.txt": "decomposed\n"},
    ),
    Shape(
        "names that differ only by case", "captured; named by -n", _case, {"Data.txt": "upper\n", "data.txt": "lower\n"}
    ),
    Shape("names that Windows cannot have", "captured; named by -n", _windows, {"aux.py": "x\n", "dot.": "x\n"}),
    Shape("pipes and empty folders", "captured without them; named by -n", _special, {"pipe": None}),
    Shape(
        "CRLF line ends by attribute",
        "captured as git stores them",
        _crlf,
        {"dos.txt": "a\nb\n", "dos.raw": "a\r\nb\r\n"},
    ),
    Shape("`core.autocrlf` with `core.safecrlf`", "captured as git stores them", _autocrlf, {"dos.txt": "a\nb\n"}),
    Shape("`working-tree-encoding`", "captured as git stores them", _encoded, {"x.u16": "hi\n"}),
    Shape(
        "`export-ignore` and `export-subst`",
        "captured whole, unlike in `git archive`",
        _export,
        {"secretless.txt": "here\n", "version.txt": "$Format:%H$\n"},
    ),
    Shape("a clean filter of yours", "captured as it stores them", _clean_filter, {"x.up": "LOW\n"}),
    Shape("a required filter that fails", "refused with git's reason", _failing_filter, says=("broken",)),
    Shape(
        "a filter that is not configured",
        "refused with the filter's name",
        _missing_filter,
        says=("nbstripout", "x.nb"),
    ),
    Shape(
        "an untracked file over `snapshot.max_file`",
        "refused with its size",
        _large,
        says=("weights.bin  10 MB", "snapshot.max_file"),
    ),
    Shape(
        "a tracked file that grew over `snapshot.max_file`",
        "refused with its size",
        _large_tracked,
        says=("weights.bin",),
    ),
    Shape("a large file with a larger `snapshot.max_file`", "captured", _large_allowed),
    Shape("a large file that is committed already", "captured", _large_committed),
    Shape(
        "many files over `snapshot.max_total` together", "refused with the largest", _many, says=("snapshot.max_total",)
    ),
)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: s.title)
def test_a_shape_of_files(shape: Shape, clone: Clone, tmp_path: Path) -> None:
    """What docs/snapshots.md says of it is what happens."""
    prove(shape, Site(clone, tmp_path))
