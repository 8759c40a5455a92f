"""A remark kept in a container: why we stopped it. An engine lets nobody add a label once a container exists.

Pure: the remark as the tar archive that `put_archive` takes and `get_archive` gives.
"""

import io
import tarfile

PATH = "/.git-rvexp-stopped"
LIMIT = 4096  # bytes read of a remark; the job could have written the file itself


def written(text: str) -> bytes:
    """The archive that puts the remark into the root folder."""
    content, buffer = text.encode(errors="replace")[:LIMIT], io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(PATH.removeprefix("/"))
        entry.size, entry.mode = len(content), 0o444
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def read(archive: bytes) -> str:
    """The remark in an archive; empty when it is no ordinary file."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        entry = opened.next()
        member = opened.extractfile(entry) if entry and entry.isfile() else None
        return member.read(LIMIT).decode(errors="replace") if member else ""
