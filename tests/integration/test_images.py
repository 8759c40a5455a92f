"""Images of snapshots on a real engine, real registries and a real forge, seen by docker, skopeo and git."""

import json
import subprocess
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from git_rvexp.errors import CredentialsError, RvexpError, UsageError
from git_rvexp.settings import Settings
from tests.conftest import Clone
from tests.integration.imageworld import DOCKERFILE, ImageWorld, exported, keep_by_lfs, listed, raw_manifest
from tests.integration.parts import ForgeRepo, Stack

LOCAL = Settings(archive_url="none")


@pytest.fixture
def world(stack: Stack, tmp_path: Path) -> Iterator[ImageWorld]:
    """A clone of this test's own; its images are removed afterwards."""
    made = ImageWorld(stack, tmp_path)
    yield made
    made.forget()


@pytest.fixture
def forged(world: ImageWorld, forge_repo: Callable[[], ForgeRepo]) -> Callable[[], Settings]:
    """Publishes the clone's tags on the private forge; settings with the forge's archive address."""

    def publish() -> Settings:
        repo = forge_repo()
        subprocess.run(["git", "push", "-q", repo.secret_url, "--tags"], cwd=world.clone, check=True)
        world.remote_url = repo.url
        return Settings(archive_url="cgit")

    return publish


def with_password(world: ImageWorld) -> None:
    """Give the clone a git credential helper that knows the forge's password."""
    user, word = world.stack.forge_user, world.stack.forge_password
    stored = world.home / "stored"
    place = urllib.parse.urlsplit(world.stack.forge).netloc
    stored.write_text(f"http://{user}:{word}@{place}\n")
    world.git("config", "credential.helper", f"store --file={stored}")


def various(world: ImageWorld) -> None:
    """Files that a careless way from tree to image changes."""
    (world.clone / "link").symlink_to("sub/ünï code.txt")
    world.write(
        {
            "Dockerfile": DOCKERFILE.format(base=world.stack.tiny_image),
            "unique": str(world.tag),
            "run.sh": "#!/bin/sh\r\necho\r\n",
            "sub/ünï code.txt": "text\n",
            "sub/deep/er/" + "n" * 120 + ".bin": bytes(range(256)) * 5000,
            "empty": "",
            ".gitattributes": "*.sh text eol=crlf\n",
        },
        executable=("run.sh",),
    )


def test_image_holds_exactly_the_tags_tree(world: ImageWorld) -> None:
    """Names, modes, links and bytes below COPY's target are the tree's, line ends and all."""
    various(world)
    snapshot = world.snapshot()
    made = world.ensure(snapshot, LOCAL)
    assert (made.built, made.pushed, made.source) == (True, False, "tree")
    assert exported(world.stack, made.image.ref, "/opt/src") == listed(world, snapshot.tree)


def test_image_from_the_forges_archive_is_the_same(world: ImageWorld, forged: Callable[[], Settings]) -> None:
    """With the password from git's credential helper the archive is used, and nothing of it but the tree arrives."""
    various(world)
    world.write({".gitattributes": ""})
    snapshot = world.snapshot()
    settings = forged()
    with_password(world)
    made = world.ensure(snapshot, settings)
    assert f"/snapshot/{world.remote_url.split('/')[-1][:-4]}-{snapshot.commit}.tar.gz" in made.source
    assert exported(world.stack, made.image.ref, "/opt/src") == listed(world, snapshot.tree)
    assert world.stack.forge_password not in "\n".join(world.story)


def test_archive_behind_a_token_is_fetched(world: ImageWorld, forged: Callable[[], Settings]) -> None:
    """RVEXP_ARCHIVE_TOKEN=user:password opens the archive; it is in neither the story nor the image's labels."""
    snapshot = world.simple()
    settings = forged()
    world.environ["RVEXP_ARCHIVE_TOKEN"] = f"{world.stack.forge_user}:{world.stack.forge_password}"
    made = world.ensure(snapshot, settings)
    assert made.source.startswith(world.stack.forge)
    seen = world.stack.run("docker", "inspect", made.image.ref).stdout
    assert world.stack.forge_password not in seen + "\n".join(world.story)


def test_archive_that_is_not_the_tree_is_not_used(world: ImageWorld, forged: Callable[[], Settings]) -> None:
    """An archive with export-subst expanded decides nothing: the tag's objects are read, and one line says why."""
    world.write({"VERSION": "$Format:%H$\n", ".gitattributes": "VERSION export-subst\n"})
    snapshot = world.simple()
    settings = forged()
    with_password(world)
    made = world.ensure(snapshot, settings)
    assert made.source == "tree"
    assert exported(world.stack, made.image.ref, "/opt/src")["VERSION"] == (0o100644, b"$Format:%H$\n")
    assert [line for line in world.story if "VERSION has other content" in line]


def test_archive_out_of_reach_is_no_obstacle(world: ImageWorld, forged: Callable[[], Settings]) -> None:
    """Without the password the tag's objects are read, and one line says why."""
    snapshot = world.simple()
    made = world.ensure(snapshot, forged())
    assert made.source == "tree"
    assert [line for line in world.story if "answered 401" in line]


def test_second_time_nothing_is_built(world: ImageWorld) -> None:
    """The image is found by content: the same id, no second image, nothing said."""
    snapshot = world.simple()
    first = world.ensure(snapshot, LOCAL)
    again = world.ensure(snapshot, LOCAL)
    assert (again.built, again.pushed, again.image) == (False, False, first.image)
    assert world.images() == [str(first.image.image_id)]
    assert world.story == []


def test_an_image_made_from_ours_is_not_ours(world: ImageWorld) -> None:
    """It inherits all labels; it is neither used nor given our name, also where ours is gone."""
    snapshot = world.simple()
    first = world.ensure(snapshot, LOCAL)
    name = f"rvexp/{world.tag.project}:{world.tag.mapped}"
    container = world.stack.run("docker", "create", name, "true").stdout.strip()
    debug = world.stack.run("docker", "commit", container, f"{world.tag.project}-debug").stdout.strip()
    world.stack.run("docker", "rm", container)
    assert world.ensure(snapshot, LOCAL).image == first.image
    world.stack.run("docker", "rmi", name)
    again = world.ensure(snapshot, LOCAL)
    assert again.built
    assert str(again.image.image_id) != debug
    tags = world.stack.run("docker", "inspect", "--format", "{{json .RepoTags}}", debug).stdout
    assert json.loads(tags) == [f"{world.tag.project}-debug:latest"]


def test_the_records_image_goes_before_one_that_took_its_name(
    clone: Clone, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record knows it by its id, and it gets its name back."""
    project = f"p{uuid.uuid4().hex[:12]}"
    monkeypatch.setenv("DOCKER_HOST", stack.docker_host)
    monkeypatch.setenv("RVEXP_PROJECT", project)
    clone.write("Dockerfile", DOCKERFILE.format(base=stack.tiny_image))
    tag = clone.rvexp("snapshot", "one").stdout.strip()
    first = clone.rvexp("build", "one").stdout
    name = f"rvexp/{project}:{tag.replace('/', '_')}"
    container = stack.run("docker", "create", name, "true").stdout.strip()
    stack.run("docker", "commit", container, name)
    stack.run("docker", "rm", container)
    assert clone.rvexp("build", "one").stdout == first
    own = stack.run("docker", "inspect", "--format", "{{.Id}}", name).stdout.strip()
    assert own in first
    listed = stack.run("docker", "images", "-q", "-f", f"label=io.git-rvexp.project={project}").stdout.split()
    for image in sorted(listed, key=own.removeprefix("sha256:").startswith):  # what was made from it goes first
        stack.run("docker", "rmi", "--force", image)


def test_another_recipe_is_another_image(world: ImageWorld) -> None:
    """A changed build argument is not taken for the same image."""
    snapshot = world.simple(Dockerfile=f"FROM {world.stack.tiny_image}\nARG A=1\nENV A=$A\nCOPY . /opt/src\n")
    first = world.ensure(snapshot, LOCAL)
    other = world.ensure(snapshot, Settings(archive_url="none", image_build_args={"A": "2"}))
    assert other.built
    assert other.image.image_id != first.image.image_id
    env = world.stack.run("docker", "inspect", "--format", "{{json .Config.Env}}", other.image.ref).stdout
    assert "A=2" in json.loads(env)


def test_stage_folder_and_dockerfile_of_the_settings_count(world: ImageWorld) -> None:
    """image.context, image.dockerfile and image.target choose what is built; other folders stay out."""
    text = f"FROM {world.stack.tiny_image} AS first\nCOPY . /opt/src\nFROM first\nRUN exit 1\n"
    world.write({"app/build/D": text, "app/in": "in", "out": str(world.tag)})
    snapshot = world.snapshot()
    settings = Settings(archive_url="none", image_context="app", image_dockerfile="build/D", image_target="first")
    made = world.ensure(snapshot, settings)
    assert set(exported(world.stack, made.image.ref, "/opt/src")) == {"build/D", "in"}


def test_a_stage_that_is_not_there_is_a_matter_of_the_setting(world: ImageWorld) -> None:
    """The Dockerfile may be right: the hint is about image.target."""
    snapshot = world.simple()
    with pytest.raises(RvexpError) as caught:
        world.ensure(snapshot, Settings(archive_url="none", image_target="nope"))
    assert str(caught.value.hint).startswith("git rvexp config set image.target STAGE"), caught.value


def test_dockerignore_leaves_out_what_docker_would(world: ImageWorld) -> None:
    """The same files arrive as with the docker command on a checkout of the tag."""
    rules = "# rules\nout\n**/__pycache__\n*.md\n!keep.md\ndata\n!data/kept\n"
    names = ["out/a", "a/b/__pycache__/x.pyc", "read.md", "keep.md", "sub/read.md", "data/x", "data/kept/y", "z"]
    snapshot = world.simple(**{".dockerignore": rules, **dict.fromkeys(names, "content")})
    made = world.ensure(snapshot, LOCAL)
    theirs = world.stack.run("docker", "build", "-q", "--no-cache", str(world.clone)).stdout.strip()
    ours = exported(world.stack, made.image.ref, "/opt/src")
    checkout = exported(world.stack, theirs, "/opt/src")
    assert set(ours) == {name for name in checkout if not name.startswith(".git/")}
    assert {"keep.md", "sub/read.md", "data/kept/y", "z"} <= set(ours)
    assert not {"out/a", "a/b/__pycache__/x.pyc", "read.md", "data/x"} & set(ours)
    world.stack.run("docker", "rmi", theirs)


def test_labels_say_where_the_image_comes_from(world: ImageWorld) -> None:
    """OCI's names and ours, with the commit's time and no secrets."""
    snapshot = world.simple()
    world.remote_url = "https://ada:secret@example.org/lab/exp.git"
    made = world.ensure(snapshot, LOCAL)
    told = world.stack.run("docker", "inspect", "--format", "{{json .Config.Labels}}", made.image.ref).stdout
    labels = json.loads(told)
    assert len(labels.pop("io.git-rvexp.spec")) == 64
    assert labels == {
        "io.git-rvexp.commit": snapshot.commit,
        "io.git-rvexp.project": world.tag.project,
        "io.git-rvexp.tag": str(world.tag),
        "io.git-rvexp.tag-oid": snapshot.oid,
        "io.git-rvexp.tree": snapshot.tree,
        "org.opencontainers.image.created": "2027-01-15T08:00:00Z",
        "org.opencontainers.image.revision": snapshot.commit,
        "org.opencontainers.image.source": "https://example.org/lab/exp.git",
        "org.opencontainers.image.title": world.tag.project,
        "org.opencontainers.image.version": str(world.tag),
    }


def test_pushed_image_is_named_by_the_registrys_digest(world: ImageWorld, registry_repo: str) -> None:
    """Skopeo finds the reference, its config is the image in the engine; the second time nothing is done."""
    snapshot = world.simple()
    settings = Settings(archive_url="none", ecr_repo=registry_repo)
    made = world.ensure(snapshot, settings)
    assert (made.built, made.pushed) == (True, True)
    assert made.image.ref.startswith(f"{registry_repo}@sha256:")
    assert raw_manifest(world.stack, made.image.ref)["config"]["digest"] == str(made.image.image_id)
    assert raw_manifest(world.stack, f"{registry_repo}:{world.tag.mapped}") == raw_manifest(world.stack, made.image.ref)
    again = world.ensure(snapshot, settings)
    assert (again.built, again.pushed, again.image) == (False, False, made.image)


def test_registry_alone_is_enough_to_find_the_image(world: ImageWorld, registry_repo: str) -> None:
    """Another machine, whose engine has nothing (here: none at all), adopts the registry's image."""
    snapshot = world.simple()
    settings = Settings(archive_url="none", ecr_repo=registry_repo)
    made = world.ensure(snapshot, settings)
    world.environ["DOCKER_HOST"] = f"unix://{world.home}/nothing.sock"
    assert world.ensure(snapshot, settings).image == made.image


def test_name_taken_by_other_content_is_a_conflict(world: ImageWorld, registry_repo: str) -> None:
    """What stands under the tag's name in the registry is never overwritten, and both are named."""
    snapshot = world.simple()
    there = f"{registry_repo}:{world.tag.mapped}"
    world.stack.run("docker", "tag", world.stack.tiny_image, there)
    world.stack.run("docker", "push", "-q", there)
    before = raw_manifest(world.stack, there)
    with pytest.raises(RvexpError, match="is another image already; it is not overwritten") as caught:
        world.ensure(snapshot, Settings(archive_url="none", ecr_repo=registry_repo))
    assert snapshot.tree[:12] in str(caught.value)
    assert raw_manifest(world.stack, there) == before
    world.stack.run("docker", "rmi", there)


def test_overwritten_name_leaves_the_digest_alone(world: ImageWorld, registry_repo: str) -> None:
    """The reference we gave keeps its content when somebody moves the tag."""
    settings = Settings(archive_url="none", ecr_repo=registry_repo)
    made = world.ensure(world.simple(), settings)
    name = f"{registry_repo}:{world.tag.mapped}"
    world.stack.run("docker", "tag", world.stack.tiny_image, name)
    world.stack.run("docker", "push", "-q", name)
    assert raw_manifest(world.stack, made.image.ref)["config"]["digest"] == str(made.image.image_id)
    world.stack.run("docker", "rmi", name)


def test_login_of_the_docker_config_is_used(world: ImageWorld, registry_repo: str) -> None:
    """A registry with a password takes look-up, push and reading back with the stored login."""
    host = world.stack.registry_auth
    world.docker_login(host, world.stack.registry_user, world.stack.registry_password)
    repo = registry_repo.replace(world.stack.registry, host)
    made = world.ensure(world.simple(), Settings(archive_url="none", ecr_repo=repo))
    seen = made.image.ref.replace(host, world.stack.registry)
    assert raw_manifest(world.stack, seen)["config"]["digest"] == str(made.image.image_id)


@pytest.mark.parametrize("password", ["wrong", ""])
def test_wrong_registry_password_is_one_clear_error(world: ImageWorld, registry_repo: str, password: str) -> None:
    """Exit code 4, the registry's name and the command that helps, before anything is built."""
    host = world.stack.registry_auth
    if password:
        world.docker_login(host, world.stack.registry_user, password)
    repo = registry_repo.replace(world.stack.registry, host)
    with pytest.raises(CredentialsError, match=f"no access to {repo}") as caught:
        world.ensure(world.simple(), Settings(archive_url="none", ecr_repo=repo))
    assert (caught.value.code, caught.value.hint) == (4, f"docker login {host}")
    assert world.images() == []


def test_unreachable_registry_is_one_clear_error(world: ImageWorld) -> None:
    """The registry is named, nothing is built."""
    with pytest.raises(RvexpError, match=r"http://localhost:1/v2/.* cannot be reached: connection refused"):
        world.ensure(world.simple(), Settings(archive_url="none", ecr_repo="localhost:1/images"))
    assert world.images() == []


def test_no_engine_is_one_clear_error(world: ImageWorld) -> None:
    """The place that was tried, the system's reason, and the command that checks."""
    snapshot = world.simple()
    world.environ["DOCKER_HOST"] = f"unix://{world.home}/nothing.sock"
    with pytest.raises(RvexpError, match=r"no Docker engine answers at .*nothing\.sock\n  No such file") as caught:
        world.ensure(snapshot, LOCAL)
    assert caught.value.hint == "git rvexp doctor"


def test_dockerfile_that_fails_names_its_step(world: ImageWorld) -> None:
    """The step, its last output and the engine's reason; no image stays behind."""
    text = f"FROM {world.stack.tiny_image}\nRUN echo early\nRUN echo why it broke; exit 3\n"
    with pytest.raises(RvexpError, match=r"(?s)failed at: RUN echo why it broke; exit 3\n.*\| why it broke\n.*3$"):
        world.ensure(world.simple(Dockerfile=text), LOCAL)
    assert world.images() == []


def test_a_base_out_of_reach_is_not_the_dockerfiles_fault(world: ImageWorld) -> None:
    """What is to be done differs: the same snapshot may do once the registry answers."""
    with pytest.raises(RvexpError, match=r"failed at: FROM 127\.0\.0\.1:1/none") as caught:
        world.ensure(world.simple(Dockerfile="FROM 127.0.0.1:1/none\n"), LOCAL)
    assert "registry is in reach" in str(caught.value.hint)


def test_dockerfile_that_is_not_one(world: ImageWorld) -> None:
    """The engine's word on a Dockerfile it cannot parse."""
    with pytest.raises(RvexpError, match=r"Dockerfile failed\n.*(?i:unknown instruction)"):
        world.ensure(world.simple(Dockerfile=f"FROM {world.stack.tiny_image}\nNONSENSE\n"), LOCAL)


def test_missing_dockerfile_is_said_before_anything(world: ImageWorld) -> None:
    """A snapshot without the Dockerfile of the settings is an error that names both."""
    snapshot = world.simple()
    with pytest.raises(UsageError, match=f"the snapshot {world.tag} has no file other/Dockerfile"):
        world.ensure(snapshot, Settings(archive_url="none", image_dockerfile="other/Dockerfile"))


def test_an_image_holds_what_git_lfs_keeps(world: ImageWorld) -> None:
    """Not the pointer; and where the content is missing or damaged, nothing is built."""
    content = b"weights" * 1000
    pointer = keep_by_lfs(world, content)
    (place,) = (path for path in (world.clone / ".git" / "lfs").rglob("*") if path.is_file())
    world.write({"big.bin": pointer})
    snapshot = world.simple()
    place.write_bytes(b"damaged" * 1000)
    with pytest.raises(RvexpError, match="is damaged"):
        world.ensure(snapshot, LOCAL)
    place.unlink()
    with pytest.raises(RvexpError, match=r"the Git LFS content of big\.bin is not in this clone"):
        world.ensure(snapshot, LOCAL)
    keep_by_lfs(world, content)
    made = world.ensure(snapshot, LOCAL)
    assert exported(world.stack, made.image.ref, "/opt/src")["big.bin"][1] == content


def test_an_image_holds_what_git_lfs_keeps_elsewhere(world: ImageWorld) -> None:
    """Where the setting `lfs.storage` says."""
    content = b"weights" * 999
    world.write({"big.bin": keep_by_lfs(world, content)})
    (world.clone / ".git" / "lfs").rename(world.home / "shared")
    world.git("config", "lfs.storage", str(world.home / "shared"))
    made = world.ensure(world.simple(), LOCAL)
    assert exported(world.stack, made.image.ref, "/opt/src")["big.bin"][1] == content


def test_submodules_are_told(world: ImageWorld) -> None:
    """What an image cannot hold is said: a submodule is left out."""
    world.simple()
    oid = world.git("rev-parse", "HEAD")
    world.git("update-index", "--add", "--cacheinfo", f"160000,{oid},lib")
    world.git("commit", "-qm", "with lib")
    world.git("tag", "-f", "-a", "-m", "x", str(world.tag))
    again = world.snapshot_of_tag()
    made = world.ensure(again, LOCAL)
    assert "lib" not in exported(world.stack, made.image.ref, "/opt/src")
    assert "not in the image: 1 submodule(s), lib" in world.story
