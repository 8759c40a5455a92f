"""Archives: their addresses, who is asked for credentials, and that nothing but the exact tree is accepted."""

import gzip
import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from git_rvexp.errors import UsageError
from git_rvexp.git import archives
from git_rvexp.git.archives import Archive
from git_rvexp.git.plumbing import Repo
from git_rvexp.images import archive, context, fetch
from git_rvexp.images.spool import Spool
from git_rvexp.images.unpacking import Different
from git_rvexp.model import Snapshot
from git_rvexp.tree import EXECUTABLE, FILE, GITLINK, SYMLINK, Entry, blob_id
from tests.unit.serving import Asked, Reply, Serving

SHA = "c" * 40
SNAPSHOT = Snapshot("al/roads/2026-01-02/one", "0" * 40, SHA, "1" * 40)
CONTENTS = {
    b"a.txt": (FILE, b"text\n"),
    b"bin/run": (EXECUTABLE, b"#!/bin/sh\n"),
    b"bin/link": (SYMLINK, b"../a.txt"),
    b"deep/er/" + b"n" * 150: (FILE, bytes(70000)),
    b"\xff": (FILE, b"name of another time"),
}


@pytest.mark.parametrize(
    ("remote", "setting", "url", "ask"),
    [
        (
            "git@github.com:lab/exp.git",
            "auto",
            f"https://api.github.com/repos/lab/exp/tarball/{SHA}",
            "https://github.com/lab/exp.git",
        ),
        (
            "https://ada:secret@gitlab.com/lab/sub/exp.git",
            "auto",
            f"https://gitlab.com/api/v4/projects/lab%2Fsub%2Fexp/repository/archive.tar.gz?sha={SHA}",
            "https://gitlab.com/lab/sub/exp.git",
        ),
        (
            "ssh://git@bitbucket.org:22/lab/exp",
            "auto",
            f"https://bitbucket.org/lab/exp/get/{SHA}.tar.gz",
            "https://bitbucket.org/lab/exp.git",
        ),
        (
            "https://codeberg.org/lab/exp/",
            "auto",
            f"https://codeberg.org/lab/exp/archive/{SHA}.tar.gz",
            "https://codeberg.org/lab/exp.git",
        ),
        (
            "http://127.0.0.1:80/exp.git",
            "gitweb",
            f"http://127.0.0.1:80/gitweb?p=exp.git;a=snapshot;h={SHA};sf=tgz",
            "http://127.0.0.1:80/exp.git",
        ),
        (
            "https://ghe.example/lab/exp.git",
            "github",
            f"https://ghe.example/api/v3/repos/lab/exp/tarball/{SHA}",
            "https://ghe.example/lab/exp.git",
        ),
        (
            "/srv/exp.git",
            "https://files.example/{tag}/{commit}.tgz",
            f"https://files.example/al/roads/2026-01-02/one/{SHA}.tgz",
            f"https://files.example/al/roads/2026-01-02/one/{SHA}.tgz",
        ),
        (
            "https://ada:secret@git.example/exp.git",
            "{url}/snapshot/{name}-{commit}.tar.gz".replace("{url}", "https://{host}/{path}.git"),
            f"https://git.example/exp.git/snapshot/exp-{SHA}.tar.gz",
            "https://git.example/exp.git",
        ),
    ],
)
def test_addresses_by_commit(remote: str, setting: str, url: str, ask: str) -> None:
    """Each form, from every way to write a remote, without the remote's secrets."""
    assert archives.find(remote, setting, SNAPSHOT) == Archive(url, ask)


@pytest.mark.parametrize(
    ("remote", "setting"),
    [("https://git.example/exp.git", "auto"), ("/srv/exp.git", "auto"), ("https://github.com/a/b", "none")],
)
def test_no_archive_is_guessed(remote: str, setting: str) -> None:
    """Unknown hosts, folders, and `none` mean the tree's objects."""
    assert archives.find(remote, setting, SNAPSHOT) is None


@pytest.mark.parametrize(
    "setting", ["https://x/archive.tgz", "ftp://x/{commit}", "https://x/{commit}/{secret}", "https://x/{commit", "zip"]
)
def test_bad_templates_are_refused(setting: str) -> None:
    """A template without the commit, of another scheme, or with unknown words is a usage error."""
    with pytest.raises(UsageError, match="archive_url is"):
        archives.find("https://git.example/exp.git", setting, SNAPSHOT)


@pytest.mark.parametrize(
    ("url", "remote", "token", "header"),
    [
        ("https://h/x", "https://h/exp.git", "tok", "Bearer tok"),
        ("https://h/x", "https://h/exp.git", "ada:pw", "Basic YWRhOnB3"),
        ("https://h/x", "https://ada:p%77@h/exp.git", "", "Basic YWRhOnB3"),
        ("https://other/x", "https://ada:pw@h/exp.git", "", ""),
        ("http://h/x", "http://ada:pw@h/exp.git", "tok", ""),
        ("http://127.0.0.1:1/x", "/srv", "tok", "Bearer tok"),
    ],
)
def test_given_credentials(url: str, remote: str, token: str, header: str) -> None:
    """The variable first, then the remote's own user on the same host; never over plain http to another machine."""
    assert archives.given(Archive(url, url), remote, {archives.TOKEN: token}) == header


def test_stored_credentials_are_the_remotes_own(tmp_path: Path) -> None:
    """Git's helpers are asked for the remote's address, quietly; another host than the archive's gets nothing."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    opened = Repo.discover(tmp_path, os.environ)
    (tmp_path / "stored").write_text("https://ada:pw@git.example\n")
    opened.git("config", "credential.helper", f"store --file={tmp_path}/stored")
    near = archives.find("https://git.example/exp.git", "cgit", SNAPSHOT)
    far = archives.find("https://git.example/exp.git", "https://evil.example/{commit}", SNAPSHOT)
    assert near
    assert far
    assert archives.stored(opened, near) == "Basic YWRhOnB3"
    assert archives.stored(opened, far) == ""


Change = Callable[[dict[str, tuple[int, bytes]]], object]


def entries() -> list[Entry]:
    """The tree that an archive should be."""
    files = [Entry(p, m, blob_id([d], len(d)), len(d)) for p, (m, d) in CONTENTS.items()]
    return sorted([*files, Entry(b"sub", GITLINK, SHA)])


def packed(change: Change | None = None, *, prefix: str = "exp-1/", more: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    """A forge's archive of the contents, after `change`."""
    files = {p.decode("utf-8", "surrogateescape"): what for p, what in CONTENTS.items()}
    if change:
        change(files)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", pax_headers={"comment": SHA}) as tar:
        for name in (prefix, f"{prefix}sub/"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o775
            tar.addfile(folder)
        for name, (mode, data) in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.mode = 0o775 if mode == EXECUTABLE else 0o664
            if mode == SYMLINK:
                info.type, info.linkname = tarfile.SYMTYPE, data.decode()
                tar.addfile(info)
            else:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        for info in more:
            tar.addfile(info)
    return out.getvalue()


def read(data: bytes) -> dict[bytes, bytes]:
    """What our reading makes of an archive: path to content."""
    with Spool() as spool:
        archive.read([data], entries(), spool)
        return {e.path: b"".join(spool.chunks(e.oid)) for e in entries() if e.mode != GITLINK}


@pytest.mark.parametrize("prefix", ["exp-1/", "exp-al/p/2026-01-02/n/", "", "./exp/"])
def test_honest_archive_is_taken(prefix: str) -> None:
    """Whatever prefix a forge gives it, with slashes or none."""
    assert read(packed(prefix=prefix)) == {p: d for p, (_, d) in CONTENTS.items()}


def test_plain_tar_is_taken_in_any_pieces() -> None:
    """Without gzip, byte by byte."""
    data = gzip.decompress(packed())
    with Spool() as spool:
        archive.read((data[i : i + 999] for i in range(0, len(data), 999)), entries(), spool)


def test_tree_in_one_folder_keeps_that_folder() -> None:
    """A tree whose files all are below one folder is not stripped of it."""
    data = b"x"
    whole = [Entry(b"src/deep/a", FILE, blob_id([data], 1), 1), Entry(b"src/deep/b", FILE, blob_id([data], 1), 1)]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for e in whole:
            info = tarfile.TarInfo(f"exp-1/{e.shown}")
            info.size = 1
            tar.addfile(info, io.BytesIO(data))
    with Spool() as spool:
        archive.read([out.getvalue()], whole, spool)
        with pytest.raises(Different, match="folders are not the tag's"):
            archive.read([out.getvalue()], [Entry(b"lib/a", FILE, whole[0].oid, 1)], spool)


def special(name: str, kind: bytes, linkname: str = "") -> tarfile.TarInfo:
    """A member of another kind."""
    info = tarfile.TarInfo(f"exp-1/{name}")
    info.type, info.linkname = kind, linkname
    return info


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (packed(lambda f: f.pop("a.txt")), "a.txt is not in it"),
        (packed(lambda f: f.update({"a.txt": (FILE, b"tExt\n")})), "a.txt has other content"),
        (packed(lambda f: f.update({"bin/run": (FILE, b"#!/bin/sh\n")})), "bin/run has another mode"),
        (packed(lambda f: f.update({"bin/link": (FILE, b"../a.txt")})), "bin/link has another mode"),
        (packed(lambda f: f.update({"bin/link": (SYMLINK, b"/etc/passwd")})), "bin/link has other content"),
        (packed(lambda f: f.update({"evil": (FILE, b"")})), "it holds evil, which the tag does not"),
        (packed(lambda f: f.update({"../../evil": (FILE, b"")})), "unsafe path"),
        (packed(prefix="/abs/"), "unsafe path"),
        (packed(more=(special("tty", tarfile.CHRTYPE),)), "tty is neither a file nor a link"),
        (packed(more=(special("pipe", tarfile.FIFOTYPE),)), "pipe is neither a file nor a link"),
        (packed(more=(special("sparse", tarfile.GNUTYPE_SPARSE),)), "sparse is neither a file nor a link"),
        (packed(more=(special("hard", tarfile.LNKTYPE, "exp-1/a.txt"),)), "hard is neither a file nor a link"),
        (packed(more=(special("bin/link", tarfile.SYMTYPE, "x"),)), "bin/link twice"),
        (packed(lambda f: f.update({"bomb": (FILE, bytes(10 << 20))})), "unpacks to more than the tag can hold"),
        (packed()[:-4000], "cannot be unpacked"),
        (b"<html>sign in</html>" * 100, "cannot be unpacked"),
        (b"", "cannot be unpacked"),
    ],
)
def test_anything_else_is_refused(data: bytes, why: str) -> None:
    """Changed, missing, added, disguised, oversized and broken archives: the tree's objects are used instead."""
    with pytest.raises(Different, match=why):
        read(data)


def fetched(answer: Callable[[Asked], Reply], given: str = "", stored: str = "") -> tuple[str, list[str | None]]:
    """The reason our fetching gives, and the Authorization values that arrived."""
    with Serving(answer) as server, Spool() as spool:
        why = fetch.contents(f"{server.url}/a?token=secret", entries(), spool, given=given, stored=lambda: stored)
        return why, [a.headers.get("authorization") for a in server.asked]


def test_stored_credentials_only_where_the_door_is_shut() -> None:
    """Asked without first; with what the helper holds after a 404; once."""

    def forge(asked: Asked) -> Reply:
        return Reply(body=packed()) if asked.headers.get("authorization") == "Basic x" else Reply(404)

    assert fetched(forge, stored="Basic x") == ("", [None, "Basic x"])
    why, asked = fetched(forge, given="Basic y", stored="Basic y")
    assert (asked, "answered 404 (no access" in why, "secret" in why) == (["Basic y"], True, False)


def test_reasons_are_in_words() -> None:
    """A failing server, a broken answer and another tree each say what they were."""
    assert "answered 502" in fetched(lambda _: Reply(502))[0]
    assert "broke off" in fetched(lambda _: Reply(body=packed(), length=10**6))[0]
    assert "not the tag's tree" in fetched(lambda _: Reply(body=packed(lambda f: f.pop("a.txt"))))[0]


def written(whole: list[Entry], time: int = 1700000000) -> bytes:
    """A build context."""
    out = io.BytesIO()
    context.write(whole, lambda e: [CONTENTS[e.path][1]], time=time, out=out)
    return out.getvalue()


def test_context_is_a_function_of_the_tree() -> None:
    """The same bytes whatever the order of entries; every folder there, owners and modes fixed, submodules out."""
    data = written(entries())
    assert data == written(entries()[::-1])
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8", errors="surrogateescape") as tar:
        members = tar.getmembers()
    assert [(m.name[:10], m.mode, m.isdir(), m.linkname) for m in members] == [
        ("a.txt", 0o644, False, ""),
        ("bin", 0o755, True, ""),
        ("bin/link", 0o777, False, "../a.txt"),
        ("bin/run", 0o755, False, ""),
        ("deep", 0o755, True, ""),
        ("deep/er", 0o755, True, ""),
        ("deep/er/nn", 0o644, False, ""),
        ("\udcff", 0o644, False, ""),
    ]
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members} == {(0, 0, "", "", 1700000000)}


def test_context_is_never_older_than_zip_allows() -> None:
    """A commit of 1970 gives files of 1980."""
    with tarfile.open(fileobj=io.BytesIO(written(entries(), time=0))) as tar:
        assert {m.mtime for m in tar} == {315532802}
