"""What a hostile registry answers: other shapes, endless bodies, other hosts; errors in words, and the login stays."""

import base64
import io
import itertools
import json
import socket
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from git_rvexp import http
from git_rvexp.errors import RvexpError, UsageError
from git_rvexp.git.objects import Objects
from git_rvexp.images import loading, standing
from git_rvexp.images.credentials import Login
from git_rvexp.images.engine import Engine
from git_rvexp.images.kept import Kept
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Registry
from git_rvexp.names import Digest
from tests.conftest import Clone
from tests.listening import listening
from tests.unit.serving import Asked, Reply, Serving

DIGEST = "sha256:" + "a" * 64
SOUND: dict[str, Any] = {
    "schemaVersion": 2,
    "config": {"mediaType": "m", "digest": DIGEST, "size": 2},
    "layers": [{"mediaType": "m", "digest": DIGEST, "size": 2}],
}
SHAPES: list[Any] = [
    [],
    5,
    None,
    "x",
    {},
    SOUND | {"manifests": 5},
    SOUND | {"manifests": ["x"]},
    SOUND | {"manifests": [{"digest": DIGEST, "platform": "linux"}]},
    SOUND | {"config": "x"},
    SOUND | {"config": {"digest": 5}},
    SOUND | {"config": {"digest": DIGEST, "mediaType": []}},
    SOUND | {"layers": {"a": 1}},
    SOUND | {"layers": [None]},
    SOUND | {"layers": [{"digest": DIGEST}]},
    SOUND | {"layers": [{"digest": DIGEST, "size": -1}]},
    SOUND | {"layers": [{"digest": "../../x", "size": 1}]},
]


def client(server: Serving, login: Login | None = None) -> Registry:
    """A client of `server`."""
    return Registry(Repository.parse(f"127.0.0.1:{server.port}/x"), login)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: json.dumps(shape)[-60:])
def test_a_manifest_of_another_shape(shape: Any) -> None:
    """Refused at the edge, whatever is asked of it next."""
    with Serving(lambda _: Reply(body=json.dumps(shape).encode())) as server, pytest.raises(RvexpError):
        client(server).resolve("one")


@pytest.mark.parametrize(
    "config",
    [[], {"config": ["x"]}, {"config": {"Labels": ["x"]}}, {"config": {"Labels": {"a": 1}}}, {"rootfs": ["x"]}],
)
def test_a_config_of_another_shape(config: Any) -> None:
    """Its hash is right, and nothing else."""
    import hashlib  # noqa: PLC0415

    body = json.dumps(config).encode()
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    manifest = json.dumps(SOUND | {"config": {"digest": digest}}).encode()
    answers = {"manifests": manifest, "blobs": body}
    with Serving(lambda asked: Reply(body=answers[asked.path.split("/")[3]])) as server:
        registry = client(server)
        found = registry.resolve("one")
        assert found
        with pytest.raises(RvexpError):
            registry.config(found)


@pytest.mark.parametrize(
    "challenge",
    [
        "Bearer",
        'Bearer realm=""',
        'Bearer realm="file:///etc/passwd"',
        'Bearer realm="ext::sh -c id"',
        'Bearer realm="http://[::1"',
        'Bearer realm="http://192.0.2.1/token"',
        'Negotiate realm="x"',
        'Bearer realm="http://127.0.0.1:1/\x01"',
        "",
    ],
)
def test_a_challenge_that_leads_astray(challenge: str) -> None:
    """No file is read, and no login goes unprotected to another machine."""
    with Serving(lambda _: Reply(401, headers={"WWW-Authenticate": challenge})) as server:
        with pytest.raises(RvexpError) as caught:
            client(server, Login("ada", "hunter2-hunter2")).resolve("one")
        assert "hunter2" not in str(caught.value)
        assert not [a for a in server.asked if "authorization" in a.headers]


@pytest.mark.parametrize("token", [5, [], {}, "x\r\nEvil: 1", "\x00", "é€"])
def test_a_token_that_is_none(token: Any) -> None:
    """It cannot add a header, and its type breaks nothing."""

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            return Reply(body=json.dumps({"token": token}).encode())
        return Reply(401, headers={"WWW-Authenticate": f'Bearer realm="http://{asked.headers["host"]}/token"'})

    with Serving(answer) as server:
        with pytest.raises(RvexpError):
            client(server, Login("ada", "x")).resolve("one")
        assert not [a for a in server.asked if "evil" in a.headers]


def _tar(content: bytes, name: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


WHOLE = _tar(b"x" * 5000, f"{'a' * 64}.json")


@pytest.mark.parametrize("tar", [b"<html>", b"\x1f\x8b" + b"x" * 2000, WHOLE[:3000]], ids=["none", "packed", "cut"])
def test_a_tar_of_an_engine_that_is_none(tar: bytes, tmp_path: Path) -> None:
    """Where an image is handed out, and where a container is looked into: in words, not as an error of tarfile's."""
    stat = base64.b64encode(b'{"name": "x"}').decode()
    answers = {"version": b'{"ApiVersion": "1.41"}', "_ping": b"OK", "create": b'{"Id": "c1"}'}

    def answer(asked: Asked) -> Reply:
        body = answers.get(asked.path.partition("?")[0].rpartition("/")[2], tar)
        return Reply(body=body, headers={"X-Docker-Container-Path-Stat": stat})

    repo = Clone(tmp_path)
    repo.git("init", "-q")
    repo.write("src/a", "a\n")
    repo.commit()
    with Serving(answer) as server:
        engine = Engine.connect({"DOCKER_HOST": f"tcp://127.0.0.1:{server.port}"})
        with pytest.raises(RvexpError, match="could not hand out the image"):
            loading.config_of(engine, Digest(DIGEST), Kept(tmp_path / "kept"))
        tree, objects = repo.git("rev-parse", "HEAD^{tree}"), Objects(tmp_path / ".git")
        with pytest.raises(RvexpError, match="could not read /src in the environment image"):
            standing.proven(engine, Digest(DIGEST), objects, tree, {"src": "/src"}, "0:0", lambda _: False)


def endless(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """A server that never stops."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        for part in itertools.chain([head], itertools.repeat(piece)):
            connection.sendall(part)

    return talk


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"[" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"[" * 65536 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X-Header: 1\r\n" * 100),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    ],
    ids=["body", "chunks", "headers", "header", "continues"],
)
def test_an_answer_without_end(head: bytes, piece: bytes) -> None:
    """Cut off at what an answer may be."""

    def whole(port: int) -> bytes:
        limits = http.Limits(size=1 << 20, seconds=5)
        with http.exchange("GET", f"http://127.0.0.1:{port}/v2/", limits=limits) as answer:
            return answer.read()

    with listening(endless(head, piece)) as port, pytest.raises(http.HttpError):
        whole(port)


@pytest.mark.parametrize("host", ["123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example", "x@y", "evil.example:x"])
def test_a_name_that_only_looks_like_ecr(host: str) -> None:
    """ECR's login is for ECR."""
    with suppress(UsageError):
        assert not Repository.parse(f"{host}/x").is_ecr
