"""An image of a registry in this machine's engine, by its digest and for the platform that images are built for."""

from git_rvexp.errors import RvexpError
from git_rvexp.images.credentials import login
from git_rvexp.images.engine import Engine, Local
from git_rvexp.images.heard import Heard
from git_rvexp.images.platform import Platform
from git_rvexp.images.reference import Repository
from git_rvexp.workflow.building.engine import Task


def present(task: Task, engine: Engine, name: str) -> Local | None:
    """The image `repository@digest`, pulled when the engine lacks it. RvexpError when it is for another platform."""
    there = engine.inspect(name)
    found = there or _pulled(task, engine, name)
    wanted = task.settings.image_platform
    if found and wanted and not Platform.parse(wanted).best([Platform.parse(found.platform)]):
        # an engine does not let one digest name two images, so what it has by it has to go first
        other = f"git rvexp config set image.platform {found.platform}, then git rvexp snapshot NICKNAME"
        mend = f"docker rmi {name}, then the same again" if there else f"pin another digest, or {other}"
        raise RvexpError(f"the engine has {name} for {found.platform}, and image.platform is {wanted}", hint=mend)
    return found


def _pulled(task: Task, engine: Engine, name: str) -> Local | None:
    repository = Repository.parse(name.partition("@")[0])
    known = login(repository, task.settings, task.environ)
    task.say(f"pulling {name}")
    with task.progress(f"pulling {name}", 0, "") as step:
        account = (known.user, known.password) if known else None
        engine.pull(name, task.settings.image_platform, account, Heard(step).hear)
    return engine.inspect(name)
