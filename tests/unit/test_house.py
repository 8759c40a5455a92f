"""The house: imports only go down, and each outside system has one door."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "git_rvexp"
# A room may use rooms of a lower floor and itself; single modules on the ground floor may use each other.
FLOORS = {
    "git": 1,
    "aws": 1,
    "record": 2,
    "images": 2,
    "data": 2,
    "executors": 3,
    "workflow": 4,
    "crash": 5,
    "commands": 5,
    "cli": 6,
    "__main__": 7,
}
DOORS = {
    "boto3": set(),
    "botocore": {"aws/session.py", "aws/faults.py", "aws/models.py", "aws/bounds.py"},
    "docker": {"images/engine.py", "executors/docker_containers.py"},
    "tomli": {"tomltext.py"},
    "tomli_w": {"tomledit.py"},
    "subprocess": {
        "git/process.py",
        "git/catprocess.py",
        "git/reader.py",
        "images/build.py",
        "workflow/preparing/checkup_machine.py",
        "workflow/foreground.py",
        "workflow/secrecy/outside.py",
    },
    "urllib.request": {"connections.py"},
    "jinja2": {"workflow/reporting/template.py"},
    "markupsafe": {"workflow/reporting/template.py"},
    "http.client": {"connections.py"},
}
LONGEST = 250


def modules() -> list[Path]:
    """Every module of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """The full names a module imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(name: str) -> str:
    """The room of a full module name within the package."""
    return name.split(".")[1] if "." in name else ""


def test_imports_only_go_down() -> None:
    """No module reaches up, and rooms of one floor do not know each other."""
    wrong = []
    for path in modules():
        own = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for name in imports(path):
            if not name.startswith("git_rvexp."):
                continue
            other = room(name)
            here, there = FLOORS.get(own, 0), FLOORS.get(other, 0)
            if there > here or (there == here and there and own != other):
                wrong.append(f"{path.relative_to(PACKAGE)} -> {name}")
    assert wrong == []


@pytest.mark.parametrize("library", DOORS)
def test_each_outside_system_has_one_door(library: str) -> None:
    """Only the named modules import the library."""
    found = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
    }
    assert found <= DOORS[library]


def test_no_module_needs_itself() -> None:
    """There is no import cycle, not even one hidden in a function."""
    known = {".".join(("git_rvexp", *p.relative_to(PACKAGE).with_suffix("").parts)): p for p in modules()}
    needs = {
        m: {n for full in imports(p) for n in (full, full.rpartition(".")[0]) if n in known} for m, p in known.items()
    }
    while free := {m for m, wanted in needs.items() if not wanted & needs.keys() - {m}}:
        needs = {m: wanted for m, wanted in needs.items() if m not in free}
    assert needs == {}


def test_no_module_is_a_hall() -> None:
    """A file over the limit has a room of its own in it."""
    long = {str(p.relative_to(PACKAGE)): n for p in modules() if (n := p.read_text().count("\n")) > LONGEST}
    assert long == {}


# What only POSIX systems have, and the modules that may use it; each does without it elsewhere or says so.
POSIX = {
    "fcntl": {"locks.py"},
    "os.getuid": {"executors/docker_turn.py"},
    "os.O_NOFOLLOW": {"executors/docker_turn.py"},
    "os.O_CLOEXEC": {"executors/docker_turn.py"},
    "os.execvpe": {"workflow/foreground.py"},  # there it would return at once, and the command go on by itself
    "signal.SIGPIPE": {"workflow/foreground.py"},
    "signal.SIGHUP": set(),
    "signal.SIGKILL": set(),
    "signal.SIGALRM": set(),
    "signal.pthread_sigmask": {"held.py"},
    # `run` becomes the docker command: POSIX only, and told so; where there are no sessions, git may ask for a password
    "start_new_session": {"workflow/foreground.py", "git/process.py"},
    "os.killpg": {"git/process.py"},  # there git alone is ended, and a helper of it may wait on for its server
    "/bin/sh": {"workflow/foreground.py"},
    **{key: set[str]() for key in ("pwd", "grp", "resource", "termios", "tty", "pty")},
    **{
        key: set[str]()
        for key in (
            "os.fork",
            "os.forkpty",
            "os.geteuid",
            "os.getgid",
            "os.getpgid",
            "os.setsid",
            "os.kill",
            "os.mkfifo",
        )
    },
    **{key: set[str]() for key in ("os.chown", "os.lchown", "os.mknod", "os.nice", "os.uname")},
    **{key: set[str]() for key in ("os.O_DIRECTORY", "os.O_NONBLOCK", "os.statvfs", "os.sync", "os.wait")},
    **{key: set[str]() for key in ("/dev", "/etc", "/proc", "/tmp", "/var")},
}


def posix_only(path: Path) -> Iterator[str]:
    """The names of `POSIX` that a module uses: imports, attributes, arguments, and paths with their first folder."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/"):
            yield node.value
            yield node.value[: node.value.find("/", 1)] if "/" in node.value[1:] else node.value
    yield from imports(path)


@pytest.mark.parametrize("name", POSIX)
def test_what_only_posix_has_stays_in_named_places(name: str) -> None:
    """So that another system misses nothing but what these do."""
    found = {str(p.relative_to(PACKAGE)) for p in modules() if name in set(posix_only(p))}
    assert found == POSIX[name]
