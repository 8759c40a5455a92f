"""The registry client against a real HTTP server that plays registries, honest and not."""

import hashlib
import json
import urllib.parse
from collections.abc import Callable

import pytest

from git_rvexp import http
from git_rvexp.errors import CredentialsError, RvexpError, UsageError
from git_rvexp.images.attempts import asked_pause
from git_rvexp.images.credentials import Login
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Manifest, Registry
from git_rvexp.names import Digest
from tests.unit.serving import Asked, Reply, Serving

CONFIG = json.dumps({"os": "linux", "architecture": "amd64", "config": {"Labels": {"a": "b"}}}).encode()
OCI = "application/vnd.oci.image"


def digest(data: bytes) -> str:
    """The digest, by hashlib."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


MANIFEST = json.dumps(
    {"schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json", "config": {"digest": digest(CONFIG)}, "layers": []}
).encode()
INDEX = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": f"{OCI}.index.v1+json",
        "manifests": [
            {"digest": "sha256:" + "0" * 64, "platform": {"os": "unknown", "architecture": "unknown"}},
            {"digest": digest(MANIFEST), "platform": {"os": "linux", "architecture": "amd64"}},
        ],
    }
).encode()
THERE = {
    "/v2/": b"{}",
    "/v2/lab/exp/manifests/one": MANIFEST,
    "/v2/lab/exp/manifests/many": INDEX,
    f"/v2/lab/exp/manifests/{digest(MANIFEST)}": MANIFEST,
    f"/v2/lab/exp/blobs/{digest(CONFIG)}": CONFIG,
}


def honest(asked: Asked) -> Reply:
    """A registry with one image."""
    body = THERE.get(asked.path)
    if body is None:
        return Reply(404, json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "no such"}]}).encode())
    return Reply(200, body, {"Docker-Content-Digest": digest(body)})


def client(server: Serving, login: Login | None = None) -> Registry:
    """Our client of it."""
    return Registry(Repository.parse(f"localhost:{server.port}/lab/exp"), login)


def test_tag_and_config_are_read() -> None:
    """A tag gives the manifest by its hash, and through it the image id and the config's labels."""
    with Serving(honest) as server:
        found = client(server).resolve("one")
        assert found
        assert (str(found.digest), str(found.config)) == (digest(MANIFEST), digest(CONFIG))
        assert client(server).config(found)["config"]["Labels"] == {"a": "b"}
        assert f"{OCI}.index.v1+json" in server.asked[0].headers["accept"]


def test_absent_tag_is_none_and_absent_digest_an_error() -> None:
    """Absence is an answer to a question, and a fault where something was promised."""
    with Serving(honest) as server:
        assert client(server).resolve("two") is None
        with pytest.raises(RvexpError, match=r"has no .*@sha256:77"):
            client(server).fetch(Digest("sha256:" + "77" * 32))


def test_index_leads_to_the_platforms_manifest() -> None:
    """The image for the platform, and an error where there is none."""
    with Serving(honest) as server:
        many = client(server).resolve("many")
        assert many
        assert str(client(server).for_platform(many, "linux/amd64").digest) == digest(MANIFEST)
        with pytest.raises(RvexpError, match="holds no image for linux/arm64"):
            client(server).for_platform(many, "linux/arm64")


@pytest.mark.parametrize(
    ("offered", "platform", "found"),
    [
        ("linux/arm linux/arm64", "linux/arm64", "linux/arm64"),
        ("linux/arm/v5 linux/arm64/v8", "linux/arm64", "linux/arm64/v8"),
        ("linux/arm64/v8", "linux/arm64/v8", "linux/arm64/v8"),
        ("linux/arm64", "linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/v9 linux/arm64/v8", "linux/arm64", "linux/arm64/v8"),
        ("linux/arm/v5 linux/arm/v7 linux/arm/v6", "linux/arm", "linux/arm/v7"),
        ("linux/arm/v5 linux/arm/v7 linux/arm/v6", "linux/arm/v6", "linux/arm/v6"),
        ("linux/arm/v5 linux/arm/v7", "linux/arm/v6", "linux/arm/v5"),
        ("linux/amd64/v3 linux/amd64", "linux/amd64", "linux/amd64"),
        ("linux/amd64/v3 linux/amd64", "linux/amd64/v3", "linux/amd64/v3"),
        ("linux/ppc64le/power9 linux/ppc64le", "linux/ppc64le", "linux/ppc64le"),
        ("linux/arm/v7 linux/amd64", "linux/arm64", ""),
        ("linux/arm64/v8", "linux/arm", ""),
        ("linux/arm/v7", "linux/arm/v6", ""),
        ("linux/arm64/odd", "linux/arm64", ""),
        ("linux/amd64", "linux/amd6", ""),
        ("linux/amd64", "linux", ""),
        ("linux/amd64", "", ""),
    ],
)
def test_platforms_are_told_apart_as_docker_does(offered: str, platform: str, found: str) -> None:
    """An arm64 machine is not given what is for arm; without a variant the usual one is meant."""
    names = ("os", "architecture", "variant")
    places = {digest(place.encode()): dict(zip(names, place.split("/"), strict=False)) for place in offered.split()}
    children = [{"digest": which, "platform": place} for which, place in places.items()]
    index = Manifest.of(json.dumps({"schemaVersion": 2, "manifests": children}).encode())
    registry = Registry(Repository.parse("localhost/lab/exp"))
    if found:
        assert str(registry.child(index, platform)) == digest(found.encode())
    else:
        with pytest.raises(RvexpError, match=f"holds no image for {platform}$"):
            registry.child(index, platform)


@pytest.mark.parametrize("reference", ["one", digest(MANIFEST)])
def test_altered_manifest_is_an_error(reference: str) -> None:
    """One byte changed on the way is seen, by tag (against the registry's own word) and by digest."""

    def altered(asked: Asked) -> Reply:
        reply = honest(asked)
        return Reply(reply.status, reply.body.replace(b'"layers": []', b'"layers":  []'), reply.headers)

    with Serving(altered) as server, pytest.raises(RvexpError, match="sent another manifest than sha256:"):
        client(server).resolve(reference)


def test_altered_blob_is_an_error() -> None:
    """A config with other labels than the manifest names is not believed."""
    with Serving(lambda a: Reply(200, CONFIG.replace(b'"b"', b'"c"')) if "blobs" in a.path else honest(a)) as server:
        found = client(server).resolve("one")
        assert found
        with pytest.raises(RvexpError, match="sent another blob"):
            client(server).config(found)


def basic_only(user: str, password: str) -> Callable[[Asked], Reply]:
    """A registry with a Basic password."""
    wanted = http.basic(user, password)

    def answer(asked: Asked) -> Reply:
        if asked.headers.get("authorization") != wanted:
            return Reply(401, headers={"WWW-Authenticate": 'Basic realm="r"'})
        return honest(asked)

    return answer


def test_basic_login() -> None:
    """The password is sent when asked for, then kept for the next request."""
    with Serving(basic_only("ada", "pw")) as server:
        ours = client(server, Login("ada", "pw"))
        ours.ping()
        assert ours.resolve("one")
        assert [bool(a.headers.get("authorization")) for a in server.asked] == [False, True, True]


@pytest.mark.parametrize(
    ("login", "why"), [(Login("ada", "wrong"), "refused the login"), (None, "asks for a login, and none is known")]
)
def test_refused_login_is_a_credentials_error(login: Login | None, why: str) -> None:
    """Exit code 4, the registry, the command that helps; the password is not shown."""
    with Serving(basic_only("ada", "pw")) as server:
        with pytest.raises(CredentialsError, match=why) as caught:
            client(server, login).resolve("one")
        assert caught.value.hint == f"docker login localhost:{server.port}"
        assert "wrong" not in str(caught.value) + repr(client(server, login))


def token_registry(served: list[Serving], scope: str) -> Callable[[Asked], Reply]:
    """A registry whose token service is at /token of the same server, and takes ada's password."""

    def answer(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            query = urllib.parse.parse_qs(asked.path.partition("?")[2])
            right = asked.headers.get("authorization") == http.basic("ada", "pw")
            good = right and query == {"service": ["reg"], "scope": [scope]}
            return Reply(200, json.dumps({"token": "T"}).encode()) if good else Reply(401)
        if asked.headers.get("authorization") == "Bearer T":
            return honest(asked)
        challenge = f'Bearer realm="{served[0].url}/token",service="reg",scope="{scope}"'
        return Reply(401, headers={"WWW-Authenticate": challenge})

    return answer


def test_token_login() -> None:
    """The service the registry names is asked, with the password, for the scope it named."""
    served: list[Serving] = []
    with Serving(token_registry(served, "repository:lab/exp:pull")) as server:
        served.append(server)
        assert client(server, Login("ada", "pw")).resolve("one")
        with pytest.raises(CredentialsError, match="refused the login"):
            client(server, Login("ada", "no")).resolve("one")


@pytest.mark.parametrize(
    ("realm", "rest", "asked"),
    [
        ("/token", ', Basic realm="Registry"', "/token?service=reg&scope=pull"),
        ("/token", ", Negotiate", "/token?service=reg&scope=pull"),
        ("/token?account=ada", "", "/token?account=ada&service=reg&scope=pull"),
    ],
)
@pytest.mark.parametrize("first", ["", 'Negotiate, Basic realm="x, y=\\"z\\"", '])
def test_one_of_several_challenges_is_met(first: str, realm: str, rest: str, asked: str) -> None:
    """A token is preferred; what belongs to another challenge, or stands in the realm already, does not disturb."""
    served: list[Serving] = []

    def answer(request: Asked) -> Reply:
        if request.path.startswith("/token"):
            return Reply(200, b'{"token": "T"}')
        if request.headers.get("authorization") == "Bearer T":
            return honest(request)
        challenge = f'{first}Bearer realm="{served[0].url}{realm}",service="reg",scope=pull{rest}'
        return Reply(401, headers={"WWW-Authenticate": challenge})

    with Serving(answer) as server:
        served.append(server)
        assert client(server, Login("ada", "pw")).resolve("one")
        assert server.asked[1].path == asked


@pytest.mark.parametrize("challenge", ['Negotiate, Basic realm="r"', 'Bearer service="none", Basic'])
def test_password_is_sent_where_nothing_else_can_be_met(challenge: str) -> None:
    """A kind of login that is not known here, or a token without a place, does not hide it."""

    def answer(asked: Asked) -> Reply:
        known = asked.headers.get("authorization") == http.basic("ada", "pw")
        return honest(asked) if known else Reply(401, headers={"WWW-Authenticate": challenge})

    with Serving(answer) as server:
        assert client(server, Login("ada", "pw")).resolve("one")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("part", ["manifests/one", "blobs/"])
def test_what_passes_is_asked_again(status: int, part: str) -> None:
    """A registry that is busy once does not end a command; the pause it asks for is kept."""
    busy = [Reply(status, headers={"Retry-After": "1"})]

    def answer(asked: Asked) -> Reply:
        return busy.pop() if busy and part in asked.path else honest(asked)

    with Serving(answer) as server:
        found = client(server).resolve("one")
        assert found
        assert client(server).config(found)["os"] == "linux"
        assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("5", 5), ("0", 0), ("1799999999", 60), ("9" * 5000, 60), ("-5", 0), ("5.5", 0), ("\xb2", 0), ("", 0)],
)
def test_pauses_that_registries_ask_for_are_bounded(told: str, seconds: float) -> None:
    """In seconds, as they send it; some send a time since 1970."""
    assert asked_pause({"retry-after": told}) == seconds


def test_password_is_not_sent_to_an_unprotected_token_service() -> None:
    """A challenge that points to plain http elsewhere gets nothing."""
    challenge = {"WWW-Authenticate": 'Bearer realm="http://evil.example/token"'}
    with (
        Serving(lambda _: Reply(401, headers=challenge)) as server,
        pytest.raises(CredentialsError, match=r"not sent unprotected to http://evil.example/token"),
    ):
        client(server, Login("ada", "pw")).resolve("one")


@pytest.mark.parametrize(
    ("reply", "kind", "why"),
    [
        (Reply(403), CredentialsError, "asks for a login"),
        (Reply(500, b'{"errors":[{"code":"UNKNOWN","message":"disk full"}]}'), RvexpError, "HTTP 500\n  UNKNOWN: disk"),
        (Reply(503, b"<html>"), RvexpError, "HTTP 503$"),
        (Reply(200, b"<html>"), RvexpError, "is not JSON"),
        (Reply(200, b'{"schemaVersion": 1}'), RvexpError, "old kind"),
        (Reply(200, b"[]"), RvexpError, "not a JSON object"),
        (Reply(302, headers={"Location": "/v2/x"}), RvexpError, "redirects without end"),
    ],
)
def test_failures_are_in_words(reply: Reply, kind: type[RvexpError], why: str) -> None:
    """What the registry said, shortened, in the class of its exit code."""
    with Serving(lambda _: reply) as server, pytest.raises(kind, match=why):
        client(server).resolve("one")


@pytest.mark.parametrize(
    ("text", "host", "name", "address"),
    [
        ("localhost:5000/a/b", "localhost:5000", "a/b", "http://localhost:5000"),
        ("127.0.0.1:5000/a", "127.0.0.1:5000", "a", "http://127.0.0.1:5000"),
        ("[::1]:5000/a", "[::1]:5000", "a", "http://[::1]:5000"),
        ("reg.example/a/b-c__d", "reg.example", "a/b-c__d", "https://reg.example"),
        ("lab/exp", "docker.io", "lab/exp", "https://registry-1.docker.io"),
        ("exp", "docker.io", "library/exp", "https://registry-1.docker.io"),
    ],
)
def test_repositories_are_read_as_docker_does(text: str, host: str, name: str, address: str) -> None:
    """Host or none, and plain http for this machine only."""
    found = Repository.parse(text)
    assert (found.host, found.name, found.address) == (host, name, address)


@pytest.mark.parametrize(
    "text", ["", "Reg.example/A", "r.example/a:tag", f"r.example/a@sha256:{'0' * 64}", "a//b", "/a"]
)
def test_what_is_no_repository(text: str) -> None:
    """Tags, digests and bad letters are refused before anything is asked."""
    with pytest.raises(UsageError, match="is not a repository of a registry"):
        Repository.parse(text)


@pytest.mark.parametrize(
    ("place", "login", "settled"),
    [
        ("localhost:5000/x", None, True),
        ("localhost:5000/x", Login("ada", "pw"), False),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/x", Login("AWS", "pw"), True),
    ],
)
def test_only_ecr_is_sent_a_login_unasked(place: str, login: Login | None, settled: bool) -> None:  # noqa: FBT001  a table
    """Others say first which kind of login they take."""
    assert Registry(Repository.parse(place), login).settled is settled


def test_repository_that_is_not_there_yet_is_empty() -> None:
    """Registries that make a repository on push say NAME_UNKNOWN before: there is no image."""
    body = json.dumps({"errors": [{"code": "NAME_UNKNOWN", "message": "no"}]}).encode()
    with Serving(lambda _: Reply(404, body)) as server:
        assert client(server).resolve("one") is None


def test_ecr_is_told_from_its_name() -> None:
    """Account and region in the host make it ECR, whose login comes from AWS; a look-alike does not."""
    ecr = Repository.parse("123456789012.dkr.ecr.us-east-1.amazonaws.com/exp")
    assert (ecr.is_ecr, ecr.address) == (True, "https://123456789012.dkr.ecr.us-east-1.amazonaws.com")
    assert not Repository.parse("123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example/exp").is_ecr
