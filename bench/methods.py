"""The ways to publish a changed tree that bench/publish sets side by side: each a command that is a whole process.

Ours is the image step of `git rvexp publish` in a process of its own, the interpreter's start included. The floor does
POST and PUT of as many bytes as our layer has, and nothing else, in Python too.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import peers

_SEND = """
def send(link, name, data):
    link.request("POST", f"/v2/{name}/blobs/uploads/", headers={"Content-Length": "0"})
    answer = link.getresponse(); answer.read()
    place = answer.getheader("Location")
    place = place[place.index("/v2/"):]
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    link.request("PUT", f"{place}&digest={digest}", body=data)
    answer = link.getresponse(); answer.read()
    if answer.status != 201: sys.exit(answer.status)
    return digest
"""
OURS = """
import git_rvexp.startup
import os, sys
from pathlib import Path
from git_rvexp.git.plumbing import Repo
from git_rvexp.model import Snapshot
from git_rvexp.names import TagName
from git_rvexp.settings import Settings
from git_rvexp.workflow.building.ensure import ensure_image
repo = Repo.discover(Path.cwd(), os.environ)
settings = Settings(archive_url="none", ecr_repo=sys.argv[1], image_code={".": "/opt/src"})
tag, oid, commit, tree = sys.argv[2:6]
made = ensure_image(repo, Snapshot(tag, oid, commit, tree), TagName.parse(tag), remote_url="", settings=settings,
                    environ=os.environ, say=lambda line: print(line, file=sys.stderr))
print(made.image.ref, made.environment)
"""
DOCKER_PY = """
import sys, docker
client = docker.from_env()
more = {"dockerfile": sys.argv[3], "nocache": True, "pull": True} if len(sys.argv) > 3 else {}
client.images.build(path=".", tag=f"{sys.argv[1]}:{sys.argv[2]}", rm=True, **more)
for line in client.api.push(sys.argv[1], sys.argv[2], stream=True, decode=True):
    if "error" in line: sys.exit(line["error"])
"""
WHOLE = (
    """
import gzip, hashlib, http.client, json, subprocess, sys
host, base, name, tag, code = sys.argv[1:6]
"""
    + _SEND
    + """
tar = subprocess.run(["git", "archive", "--prefix=opt/src/", code], capture_output=True, check=True).stdout
data = gzip.compress(tar, 6)
link = http.client.HTTPConnection(host)
def get(path):
    wanted = "application/vnd.docker.distribution.manifest.v2+json"
    link.request("GET", f"/v2/{name}/{path}", headers={"Accept": wanted})
    answer = link.getresponse()
    return json.loads(answer.read())
manifest = get(f"manifests/{base}")
config = get(f"blobs/{manifest['config']['digest']}")
config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(tar).hexdigest())
config["history"].append({"created_by": "whole tree"})
config = json.dumps(config).encode()
manifest["layers"].append({"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": len(data),
                           "digest": send(link, name, data)})
manifest["config"].update(size=len(config), digest=send(link, name, config))
link.request("PUT", f"/v2/{name}/manifests/{tag}", body=json.dumps(manifest),
             headers={"Content-Type": manifest["mediaType"]})
answer = link.getresponse(); answer.read()
print(f"{host}/{name}@{answer.getheader('Docker-Content-Digest')}")
sys.exit(answer.status != 201)
"""
)
FLOOR = (
    """
import hashlib, http.client, os, sys
host, name, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
"""
    + _SEND
    + "send(http.client.HTTPConnection(host), name, os.urandom(size))\n"
)
_CRANE = (
    'git archive --format=tar.gz --prefix=opt/src/ -o "$1/$3.tar.gz" "$4"'
    ' && "$0" append -b "$2:base" -f "$1/$3.tar.gz" -t "$2:$3"'
)
_BUILDX = '"$0" build -q --provenance=false -t "$1:$2" . && docker push -q "$1:$2"'
METHODS = ("ours", "floor", "whole tree", "crane append", "buildx warm", "docker-py warm", "docker-py cold")


@dataclass(frozen=True)
class Round:
    """One round: where to publish (`host` has the link, if any), a new tag's four names, and scratch space.

    `name` is the start of the repositories' names, `tag` is what the image is called, `base` the base's tag in the
    repository of the whole trees, `cold` the Dockerfile whose base the engine lacks.
    """

    host: str
    name: str
    tag: str
    snapshot: tuple[str, str, str, str]
    scratch: Path
    cold: Path


def command(method: str, at: Round, size: int) -> list[str] | None:
    """The words that publish by `method`; `size` is how many bytes the floor sends. None when a peer is not here."""
    python, place = [sys.executable, "-c"], f"{at.host}/{at.name}"
    if method in ("crane append", "buildx warm"):
        program = peers.program({"crane append": "crane", "buildx warm": "docker-buildx"}[method])
        if program is None:
            return None
        if method == "crane append":
            return ["sh", "-c", _CRANE, program, str(at.scratch), f"{place}-whole", at.tag, at.snapshot[0]]
        return ["sh", "-c", _BUILDX, program, f"{place}-buildx", at.tag]
    return [
        *python,
        *{
            "ours": [OURS, place, *at.snapshot],
            "floor": [FLOOR, at.host, at.name, str(size)],
            "whole tree": [WHOLE, at.host, "base", f"{at.name}-whole", f"w{at.tag}", at.snapshot[0]],
            "docker-py warm": [DOCKER_PY, f"{place}-py", at.tag],
            "docker-py cold": [DOCKER_PY, f"{place}-cold", at.tag, str(at.cold)],
        }[method],
    ]
