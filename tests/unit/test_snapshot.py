"""Snapshots: the tree is what git would commit, and nothing of the user's is touched."""

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Clone

TODAY = "2026-01-02"


def state(clone: Clone) -> dict[str, object]:
    """Everything a snapshot must leave as it is."""
    git_dir = Path(clone.git("rev-parse", "--absolute-git-dir"))
    index = git_dir / "index"
    # --no-optional-locks: looking must not refresh the index
    status = clone.git("--no-optional-locks", "status", "--porcelain=v2", "--branch", "--untracked-files=all")
    files = [p for p in clone.path.rglob("*") if ".git" not in p.relative_to(clone.path).parts]
    return {
        "status": status,
        "index": hashlib.sha256(index.read_bytes()).hexdigest() if index.exists() else "",
        "index time": index.stat().st_mtime_ns if index.exists() else 0,
        "stash": clone.git("stash", "list"),
        "head": (git_dir / "HEAD").read_text(),
        "branches": clone.git("for-each-ref", "refs/heads"),
        "times": {str(p): p.lstat().st_mtime_ns for p in files},
    }


def added_tree(clone: Clone, tmp_path: Path) -> str:
    """The tree that `git add -A` would commit, worked out in a copy."""
    copy = Clone(tmp_path / "copy")
    subprocess.run(["cp", "-a", str(clone.path), str(copy.path)], check=True)
    copy.git("add", "-A")
    return copy.git("write-tree")


def dirty(clone: Clone) -> None:
    """Every kind of change at once."""
    clone.write("data/kept.txt", "kept\n")
    clone.write("gone.txt", "gone\n")
    clone.write("old-name.txt", "the same content, long enough to be a rename\n" * 5)
    clone.write(".gitignore", "ignored.log\n*.tmp\n")
    clone.write("tool.sh", "#!/bin/sh\n")
    clone.commit("more")
    clone.write("train.py", "print('changed')\n")
    (clone.path / "gone.txt").unlink()
    (clone.path / "old-name.txt").rename(clone.path / "new-name.txt")
    clone.write("new file.txt", "new\n")
    clone.write("ignored.log", "secret\n")
    clone.write("empty.txt", "")
    (clone.path / "link").symlink_to("train.py")
    (clone.path / "tool.sh").chmod(0o755)
    clone.write("later.txt", "intent to add\n")
    clone.git("add", "-N", "later.txt")
    clone.write("staged.txt", "staged\n")
    clone.git("add", "staged.txt")
    clone.write("staged.txt", "staged and changed\n")


def test_the_tree_is_what_git_would_commit_and_nothing_moves(clone: Clone, tmp_path: Path) -> None:
    """The promise of the verb, with every kind of change in the work tree."""
    dirty(clone)
    wanted, before = added_tree(clone, tmp_path), state(clone)
    done = clone.rvexp("snapshot", "demo", "--date", TODAY, "-m", "the message")
    assert (done.returncode, done.stdout) == (0, f"al/roads/{TODAY}/demo\n"), done.stderr
    assert state(clone) == before
    tag = f"al/roads/{TODAY}/demo"
    assert clone.git("rev-parse", f"{tag}^{{tree}}") == wanted
    assert clone.git("rev-parse", f"{tag}^{{commit}}^") == clone.git("rev-parse", "HEAD")
    assert clone.git("cat-file", "-t", tag) == "tag"
    assert clone.git("fsck", "--strict", "--no-dangling") == ""


def test_tag_and_note_are_on_the_remote(clone: Clone) -> None:
    """The embedded remote has the tag and the record; plain `git notes show` prints it."""
    done = clone.rvexp("snapshot", "demo", "--date", TODAY)
    tag = done.stdout.strip()
    refs = clone.git("--git-dir=.git/rvexp/experiments.git", "for-each-ref", "--format=%(refname) %(objectname)")
    assert f"refs/tags/{tag} {clone.git('rev-parse', tag)}" in refs
    assert f"refs/notes/rvexp {clone.git('rev-parse', 'refs/notes/rvexp')}" in refs
    note = clone.git("notes", "show", tag)
    assert f' snapshot v=1 tag="{tag}" commit="{clone.git("rev-parse", tag + "^{commit}")}"' in note
    assert 'changes="none" by="Ada Lovelace <ada@example.org>"' in note


def test_a_file_changed_within_the_same_second_is_captured(clone: Clone) -> None:
    """The index is copied with its time: a racily clean file would be recorded stale otherwise."""
    for attempt in range(5):
        clone.write("train.py", f"aaa{attempt}\n")
        clone.git("add", "train.py")
        clone.write("train.py", f"bbb{attempt}\n")
        tag = clone.rvexp("snapshot", f"racy-{attempt}").stdout.strip()
        assert clone.git("show", f"{tag}:train.py") == f"bbb{attempt}"


def test_an_existing_name_is_never_replaced(clone: Clone) -> None:
    """The second snapshot of a name is refused, names the first and offers the next free one."""
    first = clone.rvexp("snapshot", "demo").stdout.strip()
    oid = clone.git("rev-parse", first)
    clone.rvexp("snapshot", "demo-2")
    clone.write("train.py", "other\n")
    again = clone.rvexp("snapshot", "demo")
    assert again.returncode == 1
    assert first in again.stderr
    assert again.stderr.endswith("hint: git rvexp snapshot demo-3\n")
    assert clone.git("rev-parse", first) == oid


def test_a_name_taken_on_the_remote_is_refused(clone: Clone, new_clone: Callable[[str], Clone]) -> None:
    """A colleague's snapshot that this clone has not seen keeps its name."""
    shared = clone.path.parent / "shared.git"
    clone.git("init", "-q", "--bare", str(shared))
    other = new_clone("other")
    names = ("--project", "p", "--initials", "x", "--date", TODAY)
    for each in (clone, other):
        each.git("config", "rvexp.experimentsRemote", str(shared))
    assert clone.rvexp("snapshot", "demo", *names).returncode == 0
    refused = other.rvexp("snapshot", "demo", *names)
    assert refused.returncode == 1
    assert "exists already on the experiments remote" in refused.stderr
    assert other.git("tag") == ""


@pytest.mark.parametrize("nickname", ["Demo", "de mo", "demo_x", "a" * 41, "-demo", "dé"])
def test_a_bad_name_is_refused_before_anything_is_written(clone: Clone, nickname: str) -> None:
    """The error says what is allowed and offers the legal form."""
    before = clone.git("count-objects")
    done = clone.rvexp("snapshot", nickname)
    assert done.returncode == 2
    assert "hint: " in done.stderr
    assert (clone.git("tag"), clone.git("count-objects")) == ("", before)


def test_an_unborn_branch_a_detached_head_and_a_subfolder(clone: Clone, tmp_path: Path) -> None:
    """Each works, and the commit's parent is HEAD where there is one."""
    empty = Clone(tmp_path / "empty")
    empty.path.mkdir()
    empty.git("init", "-q")
    empty.write("a.txt", "a\n")
    tag = empty.rvexp("snapshot", "born").stdout.strip()
    assert empty.git("log", "--format=%P", tag) == ""
    assert empty.git("ls-tree", "--name-only", tag) == "a.txt"
    clone.git("checkout", "-q", "--detach")
    folder = clone.path / "sub"
    clone.write("sub/x.txt", "x\n")
    tag = clone.rvexp("snapshot", "sub", cwd=folder).stdout.strip()
    assert clone.git("ls-tree", "-r", "--name-only", tag).split() == ["sub/x.txt", "train.py"]
    assert clone.git("rev-parse", f"{tag}^{{commit}}^") == clone.git("rev-parse", "HEAD")


def test_a_linked_worktree_is_captured_for_itself(clone: Clone, tmp_path: Path) -> None:
    """The snapshot of a worktree holds that worktree's files; both share the record."""
    clone.git("worktree", "add", "-q", str(tmp_path / "linked"))
    linked = Clone(tmp_path / "linked")
    linked.write("only-here.txt", "x\n")
    done = linked.rvexp("snapshot", "linked")
    assert done.returncode == 0, done.stderr
    assert "only-here.txt" in clone.git("ls-tree", "--name-only", done.stdout.strip())


def test_a_shallow_clone_is_captured_and_told_about(clone: Clone, tmp_path: Path) -> None:
    """A shallow clone pushes to a remote that has the base."""
    for number in range(3):
        clone.write("train.py", f"{number}\n")
        clone.commit()
    shallow = Clone(tmp_path / "shallow")
    clone.git("clone", "-q", "--depth=1", f"file://{clone.path}", str(shallow.path))
    shared = tmp_path / "shared.git"
    clone.git("clone", "-q", "--bare", str(clone.path), str(shared))
    shallow.git("config", "rvexp.experimentsRemote", str(shared))
    done = shallow.rvexp("snapshot", "shallow")
    assert done.returncode == 0, done.stderr
    assert clone.git(f"--git-dir={shared}", "cat-file", "-t", done.stdout.strip()) == "tag"


def test_an_unfinished_merge_is_refused_with_the_reason(clone: Clone) -> None:
    """Conflict markers never become part of a snapshot."""
    clone.git("checkout", "-q", "-b", "side")
    clone.write("train.py", "side\n")
    clone.commit()
    clone.git("checkout", "-q", "main")
    clone.write("train.py", "main\n")
    clone.commit()
    clone.git("merge", "side", check=False)
    done = clone.rvexp("snapshot", "conflict")
    assert done.returncode == 1
    assert "train.py" in done.stderr
    assert "merge is not finished" in done.stderr
    assert clone.git("tag") == ""


def test_edits_hidden_from_git_are_captured(clone: Clone) -> None:
    """assume-unchanged and skip-worktree do not hide what is on the disk."""
    clone.write("assumed.txt", "1\n")
    clone.write("skipped.txt", "1\n")
    clone.commit()
    clone.git("update-index", "--assume-unchanged", "assumed.txt")
    clone.git("update-index", "--skip-worktree", "skipped.txt")
    clone.write("assumed.txt", "2\n")
    clone.write("skipped.txt", "2\n")
    tag = clone.rvexp("snapshot", "hidden").stdout.strip()
    assert (clone.git("show", f"{tag}:assumed.txt"), clone.git("show", f"{tag}:skipped.txt")) == ("2", "2")
    assert clone.git("ls-files", "-v", "assumed.txt", "skipped.txt") == "h assumed.txt\nS skipped.txt"


@pytest.mark.parametrize("bare", [False, True])
def test_a_repository_inside_is_refused(clone: Clone, *, bare: bool) -> None:
    """An untracked repository would be an empty link, a bare one would bring its history along."""
    clone.git("init", "-q", *(["--bare"] if bare else []), "nested")
    inner = Clone(clone.path / "nested")
    if not bare:
        inner.write("x", "x")
        inner.commit()
    done = clone.rvexp("snapshot", "nested")
    assert done.returncode == 1
    assert "nested/" in done.stderr
    assert clone.git("tag") == ""


def test_clean_filters_decide_and_hooks_do_not_run(clone: Clone) -> None:
    """The user's own filter is applied, as `git add` does; no hook of the repository runs."""
    clone.git("config", "filter.upper.clean", "tr a-z A-Z")
    clone.write(".gitattributes", "*.up filter=upper\n")
    clone.write("x.up", "low\n")
    canary = clone.path.parent / "canary"
    for hook in ("pre-push", "reference-transaction", "post-index-change", "post-commit", "pre-commit"):
        script = clone.path / ".git" / "hooks" / hook
        script.write_text(f"#!/bin/sh\necho {hook} >> {canary}\n")
        script.chmod(0o755)
    tag = clone.rvexp("snapshot", "filters").stdout.strip()
    assert clone.git("show", f"{tag}:x.up") == "LOW"
    assert not canary.exists()


def test_without_an_identity_it_works(clone: Clone) -> None:
    """A snapshot needs no user.name; the tagger is a stand-in."""
    env = {"GIT_CONFIG_GLOBAL": os.devnull, "EMAIL": "", "GIT_CONFIG_COUNT": "1"}
    env |= {"GIT_CONFIG_KEY_0": "user.useConfigOnly", "GIT_CONFIG_VALUE_0": "true"}
    done = clone.rvexp("snapshot", "nobody", env=env)
    assert (done.returncode, done.stdout.split("/")[0]) == (0, "anon"), done.stderr


def test_the_variables_of_a_hook_are_dropped(clone: Clone) -> None:
    """Inside a commit hook git exports the next commit's index; the snapshot takes the work tree all the same."""
    clone.write("new.txt", "x\n")
    env = {"GIT_INDEX_FILE": str(clone.path / ".git" / "elsewhere"), "GIT_PREFIX": "sub/", "GIT_LITERAL_PATHSPECS": "1"}
    tag = clone.rvexp("snapshot", "hook", env=env).stdout.strip()
    assert "new.txt" in clone.git("ls-tree", "--name-only", tag)


def test_a_dry_run_lists_and_makes_no_ref(clone: Clone) -> None:
    """-n names what would go in; no tag, no note, no remote, no configuration."""
    dirty(clone)
    before = clone.git("for-each-ref"), (clone.path / ".git" / "config").read_bytes()
    done = clone.rvexp("snapshot", "-n", "demo", "--date", TODAY)
    assert done.returncode == 0
    assert "new       new file.txt" in done.stdout
    assert "left out  ignored.log  ignored by .gitignore:1 (ignored.log)" in done.stdout
    assert (clone.git("for-each-ref"), (clone.path / ".git" / "config").read_bytes()) == before


def test_with_the_remote_out_of_reach_it_is_kept_and_pushed_later(clone: Clone, tmp_path: Path) -> None:
    """The tag and the record are made here; exit 8 says that the push is pending; sync does it."""
    shared = tmp_path / "shared.git"
    clone.git("config", "rvexp.experimentsRemote", str(shared))
    done = clone.rvexp("snapshot", "offline")
    tag = done.stdout.strip()
    assert (done.returncode, tag.rpartition("/")[2]) == (8, "offline")
    assert done.stderr.endswith("hint: git rvexp sync\n")
    clone.git("init", "-q", "--bare", str(shared))
    synced = clone.rvexp("sync")
    assert (synced.returncode, synced.stdout) == (0, f"pushed\t{tag}\n"), synced.stderr
    assert "refs/notes/rvexp" in clone.git(f"--git-dir={shared}", "for-each-ref")


def test_origin_is_no_experiments_remote(clone: Clone, tmp_path: Path) -> None:
    """The place everybody reads is refused, unless told so explicitly in this clone."""
    public = tmp_path / "public.git"
    clone.git("clone", "-q", "--bare", str(clone.path), str(public))
    clone.git("remote", "add", "origin", str(public))
    clone.git("config", "rvexp.experimentsRemote", str(public))
    refused = clone.rvexp("snapshot", "demo")
    assert (refused.returncode, "same place as origin" in refused.stderr) == (2, True)
    assert clone.git("tag") == ""
    clone.git("config", "rvexp.local.allowOrigin", "true")
    assert clone.rvexp("snapshot", "demo").returncode == 0


def test_what_killed_snapshots_left_is_swept(clone: Clone) -> None:
    """A scratch index of yesterday goes with the next snapshot; one that may be in use stays."""
    state = clone.path / ".git" / "rvexp"
    state.mkdir()
    old, young = state / "index-00000000", state / "index-11111111"
    for left in (old, young):
        left.write_bytes(b"")
    os.utime(old, (0, 0))
    assert clone.rvexp("snapshot", "demo").returncode == 0
    assert (old.exists(), young.exists()) == (False, True)


def test_outside_a_repository_there_is_one_clear_error(tmp_path: Path) -> None:
    """Exit 2, the folder, a hint, no traceback."""
    done = Clone(tmp_path).rvexp("snapshot", "demo")
    assert done.returncode == 2
    assert done.stderr == f"error: {tmp_path} is not in a git repository\nhint: git init, or change to your clone\n"


def test_a_repository_that_this_git_cannot_read_is_refused(clone: Clone) -> None:
    """As tables of references are by git before 2.45: what git lacks is told, and what helps."""
    clone.git("config", "core.repositoryFormatVersion", "1")
    clone.git("config", "extensions.tomorrow", "yes")
    done = clone.rvexp("snapshot", "demo")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: git cannot open the repository at {clone.path}\n"
        "  fatal: unknown repository extension found: tomorrow\n"
        "hint: install a newer git: the one that made this repository can do more than yours\n"
    )


def test_a_name_without_an_identity_is_told(clone: Clone, sealed: Path) -> None:
    """The snapshot is made, since it needs none; with one, and where only initials are set, the words fit."""
    (sealed / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    clone.write("new.txt", "new\n")
    done = clone.rvexp("snapshot", "first", "--no-push")
    assert done.stdout.startswith("anon/roads/")
    told = "warning: git does not know who you are: the snapshot is by unknown <unknown@localhost>"
    assert f"{told}, under the initials anon\n  git config --global user.name NAME; " in done.stderr
    assert f"{told}\n" in clone.rvexp("snapshot", "second", "-n", "--initials", "al").stderr
    clone.git("config", "user.name", "李 明")
    clone.git("config", "user.email", "l@example.org")
    assert (
        "warning: 李 明 has nothing of a-z or 0-9: the initials are x" in clone.rvexp("snapshot", "third", "-n").stderr
    )
    clone.git("config", "user.name", "Al Li")
    assert "initials" not in clone.rvexp("snapshot", "fourth", "-n").stderr


def test_a_folder_that_gives_no_project_is_told(new_clone: Callable[[str], Clone]) -> None:
    """With the option that names one."""
    clone = new_clone("実験")
    done = clone.rvexp("snapshot", "first", "-n")
    assert "/x/" in done.stdout
    assert "warning: the folder 実験 has nothing of a-z or 0-9: the project is x\n  --project, or" in done.stderr
    assert "--project" not in clone.rvexp("snapshot", "first", "-n", "--project", "roads").stderr
    assert "--project" not in new_clone("x").rvexp("snapshot", "first", "-n").stderr


def test_what_comes_next_is_under_the_same_profile_and_can_be_done(clone: Clone) -> None:
    """Where no image can be made it is not to submit."""
    clone.write(".rvexp.toml", '[profile.train]\nproject = "training"\n')
    assert "next:" not in clone.rvexp("snapshot", "one").stderr
    clone.write("Dockerfile", "FROM x\n")
    assert "next: git rvexp submit -- CMD\n" in clone.rvexp("snapshot", "two").stderr
    done = clone.rvexp("snapshot", "three", "--profile", "train")
    assert "/training/" in done.stdout
    assert "next: git rvexp submit --profile train -- CMD\n" in done.stderr


def test_a_dockerfile_that_is_a_link_is_followed(clone: Clone) -> None:
    """Inside the build context; where it leads elsewhere, that is told when the snapshot is taken."""
    place = clone.path / "train" / "Dockerfile"
    clone.write("train/docker/Dockerfile.gpu", "FROM x\n")
    clone.write("common/Dockerfile", "FROM x\n")
    assert clone.rvexp("config", "set", "image.context", "train").returncode == 0
    for target, says in {
        "docker/Dockerfile.gpu": "",
        "docker/../../train/./docker/Dockerfile.gpu": "",
        "docker": "is a link to something else than a file",
        "docker/Dockerfile.cpu": "is a link that leads to nothing in the snapshot",
        "../common/Dockerfile": "is a link that leads out of image.context, train",
        "../../Dockerfile": "is a link that leads out of the snapshot",
        "Dockerfile": "is a link that leads round and round",
    }.items():
        place.unlink(missing_ok=True)
        place.symlink_to(target)
        told = clone.rvexp("snapshot", "one", "-n").stderr
        assert (f"{says}: no image can be made of it" in told) if says else "no image" not in told, told


def test_what_no_image_can_be_made_of_is_told(clone: Clone) -> None:
    """With the setting that names the Dockerfile's folder: the one the user is in, else the only one that has one."""
    lacks = "warning: the snapshot has no file Dockerfile: no image can be made of it\n"

    def told(folder: str = "") -> str:
        return clone.rvexp("snapshot", "one", "-n", cwd=clone.path / folder).stderr

    assert f"{lacks}  add one and take another snapshot, or set image.base (docs/publishing.md, Without" in told()
    clone.write("services/train/Dockerfile", "FROM x\n")
    assert f"{lacks}  git rvexp config set image.context services/train, then another snapshot" in told()
    clone.write("services/eval/Dockerfile", "FROM x\n")
    assert f"{lacks}  services/eval\n  services/train\n" in told()
    assert "git rvexp config set image.context services/eval, then" in told("services/eval")
    assert clone.rvexp("config", "set", "image.context", "services/train").returncode == 0
    assert "warning" not in told()
    clone.git("config", "rvexp.image.context", "nope")
    assert "warning: image.context is nope, and the snapshot has no such folder" in told("services/eval")
    clone.git("config", "rvexp.image.context", ".")
    clone.git("config", "rvexp.image.base", "x@sha256:" + "ab" * 32)
    assert "warning" not in told()
    clone.git("config", "--unset", "rvexp.image.base")
    clone.write("Dockerfile", "FROM x\n")
    assert "warning" not in told()
    clone.write(".gitignore", "/Dockerfile\n")
    assert lacks in told("services/train")


@pytest.mark.parametrize("home", ["roads", "roads.git", "roads/.bare"])
def test_a_linked_work_tree_is_of_its_repository_s_project(clone: Clone, tmp_path: Path, home: str) -> None:
    """That of the main work tree's folder, or of the bare repository."""
    if home != "roads":
        clone.git("clone", "-q", "--bare", ".", str(tmp_path / home))
    beside = Clone(tmp_path / "tree-of-a-branch")
    clone.git(f"--git-dir={tmp_path / home}{'/.git' * (home == 'roads')}", "worktree", "add", "-q", str(beside.path))
    assert "/roads/" in beside.rvexp("snapshot", "first", "-n").stdout
