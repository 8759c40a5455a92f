"""Experiments with everything a page can show, written line by line, and one whose every text is hostile."""

import datetime as dt
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from git_rvexp.model import Plan, Resources, Snapshot
from git_rvexp.names import Digest
from git_rvexp.record.events import stamp
from git_rvexp.record.kept import keep
from tests.conftest import Clone
from tests.notebook import ACCOUNT, IMAGE, REGION, Notebook

PARENT, TAG = "al/roads/2026-11-01/unet-256", "al/roads/2026-11-02/unet-512"
OTHER = "gh/clouds/2026-10-30/mask"
HOSTILE = "al/roads/2026-11-02/hostile"
ARN = f"arn:aws:batch:{REGION}:{ACCOUNT}:job-definition"
ADA = "Ada Lovelace <ada@example.org>"
EVIL = '</script><script>window.owned=1</script><img src="https://evil.example/x" onerror="window.owned=1">'
BIDI = "\u202egnp.exe\u2066 \u200f \x1b[31m\x07 "


@dataclass(frozen=True)
class Shown:
    """A gallery: its notebook, the experiment that is looked at, its run, and its parent."""

    book: Notebook
    parent: Snapshot
    snapshot: Snapshot
    run: str


def copied(clone: Clone, made: Path) -> Shown:
    """The gallery in `clone`, from the folder `made`, where it is written the first time."""
    if made not in _MADE:
        shutil.copytree(clone.path, made)
        _MADE[made] = furnish(Notebook(Clone(made)))
        hostile(_MADE[made].book)
    shutil.rmtree(clone.path)
    shutil.copytree(made, clone.path)
    book = replace(_MADE[made].book, clone=clone)
    book.make_remote()
    clone.git("config", "rvexp.experiments-remote", str(clone.path.parent / "experiments.git"))
    return replace(_MADE[made], book=book)


_MADE: dict[Path, Shown] = {}


def furnish(book: Notebook) -> Shown:
    """A parent, and an experiment on Batch that failed once, ran in two attempts, and was repeated three times."""
    parent = _published(book, PARENT, "print('chips of 256')\n", {"memory": 16384})
    _run(book, parent, 0.9011, ("python", "train.py", "--chip-size", "256"), hours=1.9)
    book.now += dt.timedelta(days=1, hours=2)
    book.clone.write("configs/roads.toml", "chip_size = 512\n")
    snapshot = _published(book, TAG, "print('chips of 512')\n", {"memory": 30720})
    _failed(book, snapshot)
    first = _run(book, snapshot, 0.9274, _COMMAND, hours=2.78, attempts=2)
    for days, off, result in ((3, 0.0, "identical"), (9, 0.0004, "equal-within-tolerance"), (20, -0.0123, "differs")):
        book.now += dt.timedelta(days=days)
        again = _run(book, snapshot, 0.9274 + off, _COMMAND, hours=2.7, repeats=first, tolerance=0.001)
        book.tell(snapshot, "verdict", run=again, of=first, **_verdict(result))
    book.ended(book.snapshot(OTHER, message="Clouds first"), 1)
    return Shown(book, parent, snapshot, first)


_COMMAND = (
    "python",
    "-m",
    "rastervision.pipeline",
    "train",
    "configs/roads.toml",
    "--chip-size",
    "512",
    "--lr",
    "3e-4",
)


def _published(book: Notebook, tag: str, code: str, container: dict[str, Any]) -> Snapshot:
    snapshot = book.snapshot(tag, code=code, by=ADA, message="U-Net on larger chips, same sampler")
    book.now += dt.timedelta(minutes=9)
    image = {"ref": IMAGE, "id": str(Digest.of(tag.encode())), "platform": "linux/amd64"}
    book.tell(snapshot, "image", **image, source="https://git.example.org/team/experiments/archive/roads.tar.gz")
    name = tag.replace("/", "_")
    body = {"type": "container", "containerProperties": {"image": IMAGE, **container}, "tags": {"rvexp:tag": tag}}
    book.tell(snapshot, "definition", arn=f"{ARN}/{name}:3", name=name, body=body)
    book.now += dt.timedelta(seconds=40)
    return snapshot


def _run(book: Notebook, snapshot: Snapshot, score: float, command: tuple[str, ...], **how: Any) -> str:
    hours, tries = float(how["hours"]), int(how.get("attempts", 1))
    plan = _planned(book, snapshot, command, **how)
    begin = book.now + dt.timedelta(minutes=7)
    book.now = begin + dt.timedelta(hours=hours)
    lost = {"started": begin.timestamp(), "stopped": (begin + dt.timedelta(minutes=21)).timestamp()}
    last = {"started": (begin + dt.timedelta(minutes=29)).timestamp(), "stopped": book.now.timestamp(), "exit": 0}
    attempts = [{**lost, "reason": "Host EC2 (instance i-0f3a) terminated."}, last][2 - tries :]
    run = str(plan.run)
    ended = {"state": "SUCCEEDED", "exit": 0, "seconds": round(hours * 3600, 3), "job": f"job-{run}"}
    where = {
        "instance": f"arn:aws:ecs:{REGION}:{ACCOUNT}:container-instance/gpu/5ab0c11d",
        "log_stream": f"x/default/{run}",
    }
    times = {"started": stamp(begin), "stopped": stamp(book.now)}
    book.tell(snapshot, "ended", run=run, **ended, **times, attempts=attempts, image=IMAGE, **where)
    files = [
        f"model.onnx\t98230112\tsha256:{Digest.of(run.encode())}\t",
        "metrics.json\t212\tsha256:" + "0d" * 32 + "\t",
    ]
    _outputs(book, snapshot, run, sorted(files))
    values = {
        "f1": round(score, 4),
        "precision": round(score + 0.011, 4),
        "recall": 0.9168,
        "loss": round(1 - score, 5),
    }
    book.tell(snapshot, "metrics", run=run, values=values)
    book.tell(snapshot, "inputs", run=run, same=True, of=[])
    return run


def _planned(book: Notebook, snapshot: Snapshot, command: tuple[str, ...], **how: Any) -> Plan:
    env = {"OMP_NUM_THREADS": "8", "PYTHONHASHSEED": "20817", "RVEXP_TAG": snapshot.tag, "RVEXP_IMAGE": IMAGE}
    listed = {"manifest": str(Digest.of(b"chips")), "count": 1204, "bytes": 8_403_221_004, "level": "version"}
    old = {"manifest": str(Digest.of(b"labels")), "count": 2, "bytes": 40_112, "hazards": {"versions are suspended": 2}}
    labels = "labels/a.json\t20100\tetag:0cc1\tv1\nlabels/b.json\t20012\tetag:77de\tv9\n"
    old["kept"] = keep(book.ledger, [labels])[0]
    inputs = [{"uri": "s3://imagery/roads/chips/", **listed}, {"uri": "s3://imagery/roads/labels/", **old}]
    extra: dict[str, Any] = {
        "inputs": inputs,
        "outputs": ["s3://results/roads/{run}/"],
        "metrics": ["m.json"],
        "by": ADA,
    }
    extra |= {key: how[key] for key in ("repeats", "tolerance") if key in how}
    name = snapshot.tag.replace("/", "_")
    return book.submitted(
        snapshot,
        command=command,
        env=env,
        secret_env=("DATABASE_URL",),
        seed=20817,
        resources=Resources(8, 30720, 1),
        timeout=43200,
        attempts=3,
        definition=f"{ARN}/{name}:3",
        extra=extra,
    )


def _failed(book: Notebook, snapshot: Snapshot) -> None:
    plan = _planned(book, snapshot, (*_COMMAND, "--batch", "64"))
    begin, run = book.now + dt.timedelta(minutes=4), str(plan.run)
    book.now = begin + dt.timedelta(minutes=6)
    told = {"state": "FAILED", "exit": 137, "seconds": 360.0, "reason": "OutOfMemoryError: Container killed"}
    book.tell(snapshot, "ended", run=run, **told, started=stamp(begin), stopped=stamp(book.now))
    book.now += dt.timedelta(minutes=12)


def _outputs(book: Notebook, snapshot: Snapshot, run: str, lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    fields = {"manifest": str(Digest.of(text.encode())), "count": len(lines), "bytes": 98_230_324}
    book.tell(snapshot, "outputs", run=run, **fields, kept=keep(book.ledger, [text])[0])


def _verdict(result: str) -> dict[str, Any]:
    if result == "identical":
        return {"result": result, "same": 2}
    most = 0.0004 if result == "equal-within-tolerance" else 0.0123
    changed = [{"name": "metrics.json", "size": [212, 212], "most": most, "where": "f1"}]
    return {"result": result, "same": 1, "counts": {"changed": 1}, "changed": changed, "tolerance": 0.001, "most": most}


def hostile(book: Notebook) -> Snapshot:
    """A snapshot whose message, command, variables, files, reasons and record lines attack the page."""
    snapshot = book.snapshot(HOSTILE, by=f"{EVIL} <x@example.org>", message=EVIL + BIDI)
    book.tell(snapshot, "image", ref=f"{EVIL}@sha256:" + "ab" * 32, id=BIDI, platform=EVIL, source=BIDI)
    extra = {"inputs": [{"uri": EVIL + BIDI, "why": EVIL}], "outputs": [EVIL], "by": EVIL}
    plan = book.submitted(snapshot, job=EVIL, command=("sh", "-c", EVIL + BIDI), env={"X": EVIL + BIDI}, extra=extra)
    run = str(plan.run)
    book.tell(snapshot, "ended", run=run, state="FAILED", exit=1, seconds=3, reason=EVIL + BIDI, host=EVIL)
    book.tell(snapshot, "outputs", run=run, count=1, bytes=3, unread={EVIL: BIDI})
    book.tell(snapshot, "metrics", run=run, values={EVIL: 1.5, BIDI: 10**400})
    again = book.ended(snapshot, extra={"repeats": run})
    book.tell(snapshot, "metrics", run=str(again.run), values={EVIL: 1.25})
    book.tell(snapshot, "verdict", run=str(again.run), of=run, result=EVIL, why=[BIDI], counts={EVIL: 7})
    book.damage(snapshot, f"<!-- {EVIL} {BIDI.replace(chr(7), '')}")
    return snapshot
