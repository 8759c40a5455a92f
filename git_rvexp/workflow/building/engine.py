"""The image of a snapshot by the engine: built from what its labels tell, pushed, read back, named by digest.

"The same image" means labels that name the same tree and the same recipe, wherever the image is: so a second call
builds and pushes nothing, a push that was cut is taken up again, and a tag that names something else is never
overwritten. Registries have no compare-and-swap on tags; immutable tags (ECR) close the moment between our look
and our push. The record is written by those who call this.
"""

import datetime as dt
import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from git_rvexp.addresses import for_others
from git_rvexp.errors import CredentialsError, RvexpError
from git_rvexp.git.depth import promisor
from git_rvexp.git.objects import Objects
from git_rvexp.git.plumbing import Repo
from git_rvexp.images import seed
from git_rvexp.images.credentials import Login
from git_rvexp.images.heard import Heard
from git_rvexp.images.recipe import Recipe, Say
from git_rvexp.images.reference import Repository
from git_rvexp.images.registry import Manifest, Registry
from git_rvexp.model import Image, Snapshot
from git_rvexp.names import Digest, TagName
from git_rvexp.progress import Progress, silent
from git_rvexp.settings import Settings

if TYPE_CHECKING:
    from git_rvexp.images.engine import Engine, Local
    from git_rvexp.workflow.building.context import Copy
    from git_rvexp.workflow.building.lending import Lending

OURS = "io.git-rvexp."
TREE, SPEC, TAG, TAG_OID, COMMIT = (OURS + n for n in ("tree", "spec", "tag", "tag-oid", "commit"))
_OCI = "org.opencontainers.image."


class Ensured(NamedTuple):
    """The image, and what had to be done for it. `source` is where its context came from, "" when nothing was built.

    `environment` is the reference of the image that it was laid over, "" when the engine built the whole.
    """

    image: Image
    built: bool
    pushed: bool
    source: str = ""
    environment: str = ""


def recipe(settings: Settings) -> Recipe:
    """What the settings say about building."""
    laid = json.dumps([settings.image_base, dict(settings.image_code), settings.image_owner], sort_keys=True)
    return Recipe(
        dockerfile=posixpath.normpath(settings.image_dockerfile),
        context=settings.image_context,
        target=settings.image_target,
        platform=settings.image_platform,
        args=dict(settings.image_build_args),
        seeding=seed.mark() if settings.seed_inject else "",
        base=laid if settings.image_base else "",
    )


@dataclass(frozen=True)
class Task:
    """One snapshot on its way to an image, and everything that decides about it.

    `recorded` are the ids that the record knows its images by, newest first.
    """

    repo: Repo
    snapshot: Snapshot
    tag: TagName
    remote_url: str
    settings: Settings
    environ: Mapping[str, str]
    say: Say
    copy: "Copy | None" = None
    progress: Progress = silent
    recorded: Sequence[str] = ()

    @cached_property
    def objects(self) -> Objects:
        """The clone's objects, read by one process for all that is asked; what a partial clone lacks is lent to it."""
        return self.lending.objects if self.lending else Objects.of(self.repo)

    @cached_property
    def lending(self) -> "Lending | None":
        """What fills the gaps of a partial clone; None in other clones."""
        if not promisor(self.repo):
            return None
        from git_rvexp.workflow.building.lending import Lending  # noqa: PLC0415  archives and tar, seldom needed

        made = Lending(self.repo, self.remote_url, self.settings.archive_url, self.environ, self.say)
        made.offer(self.snapshot)
        return made

    @property
    def repository(self) -> str:
        """The repository that the image is named after, in a registry or in the engine only."""
        return self.settings.ecr_repo or f"rvexp/{self.tag.project}"

    @property
    def name(self) -> str:
        """The image's name for people."""
        return f"{self.repository}:{self.tag.mapped}"

    @property
    def content(self) -> dict[str, str]:
        """The labels that say what the image is made of."""
        return {TREE: self.snapshot.tree, SPEC: recipe(self.settings).spec}

    def labels(self) -> dict[str, str]:
        """What an image of the snapshot says of itself, where it came from included."""
        place = for_others(self.remote_url)
        return self.pure_labels() | ({_OCI + "source": place} if place else {})

    def pure_labels(self) -> dict[str, str]:
        """The labels that follow from the tag and the recipe, the same in every clone."""
        made = dt.datetime.fromtimestamp(self.objects.commit_time(self.snapshot.commit), dt.UTC)
        public = {
            "revision": self.snapshot.commit,
            "created": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "title": self.tag.project,
            "version": str(self.tag),
        }
        ours = {TAG: str(self.tag), TAG_OID: self.snapshot.oid, COMMIT: self.snapshot.commit}
        ours |= {OURS + "project": self.tag.project, **self.content}
        return {_OCI + k: v for k, v in public.items()} | ours

    def built(
        self, engine: "Engine", name: str, labels: Mapping[str, str], *, anew: bool = False
    ) -> "tuple[Local, str]":
        """The image that the engine makes of the snapshot, under `name`; and where the context came from.

        With `anew` every step is run again.
        """
        from git_rvexp.images.build import build  # noqa: PLC0415  as below
        from git_rvexp.workflow.building.context import prepared  # noqa: PLC0415  archives, tar and gzip
        from git_rvexp.workflow.building.served import Served  # noqa: PLC0415  as above

        wanted, snapshot = recipe(self.settings), self.snapshot
        served = Served.of(self.repo, snapshot, self.remote_url, self.settings.archive_url, self.environ)
        given = prepared(self.objects, snapshot, wanted, self.say, served=served, copy=self.copy, lending=self.lending)
        with given as context:
            self.say(f"building {name} from {'the tree' if context.source == 'tree' else context.source}")
            text = context.dockerfile
            # Without the hook it is not yet the image that the labels tell of.
            first = {} if wanted.seeding else labels
            made = build(engine, wanted, context.file, text=text, name=name, labels=first, say=self.say, anew=anew)
            if wanted.seeding:
                self.say("adding the hook that seeds what jobs import")
                made = seed.layered(engine, made, name, labels)
            source = context.source
        found = engine.inspect(str(made))
        if found is None:
            raise RvexpError(f"the engine built {made} and does not have it", hint="git rvexp doctor")
        return found, source

    def adopted(self, registry: Registry, there: Manifest) -> Image:
        """The registry's image under our name, if it is made of the same; RvexpError naming both otherwise."""
        own = registry.for_platform(there, self.settings.image_platform)
        config = registry.config(own)
        labels = (config.get("config") or {}).get("Labels") or {}
        if {k: labels.get(k) for k in self.content} != self.content:
            raise self._conflict(registry.repository, there.digest, labels)
        platform = f"{config.get('os')}/{config.get('architecture')}"
        return Image(f"{registry.repository}@{there.digest}", own.config, platform, self.name)

    def _conflict(self, repository: Repository, digest: Digest, labels: Mapping[str, str]) -> RvexpError:
        def told(tree: str | None, spec: str | None) -> str:
            return f"tree {(tree or 'unknown')[:12]}, recipe {(spec or 'unknown')[:12]}"

        return RvexpError(
            f"{self.name} is another image already; it is not overwritten\n"
            f"  there:  {digest}, {told(labels.get(TREE), labels.get(SPEC))}, from {labels.get(TAG) or 'elsewhere'}\n"
            f"  wanted: {told(*self.content.values())}, from {self.tag}",
            hint=f"take a new snapshot, or look at it: skopeo inspect docker://{repository}@{digest}",
        )

    def pushed(self, engine: "Engine", registry: Registry, known: Login | None, local: "Local") -> tuple[Image, bool]:
        """Push, then believe only what the registry gives back; and whether it was our push that put it there."""
        told = f"pushing {self.name}"
        self.say(told)
        account = (known.user, known.password) if known else None
        try:
            with self.progress(told, 0, "") as step:
                digest = engine.push(self.repository, self.tag.mapped, account, Heard(step).hear)
        except CredentialsError:
            raise
        except RvexpError as why:
            return self._after_failed_push(registry, why), False
        manifest = registry.fetch(digest)
        own = registry.for_platform(manifest, local.platform)
        # the classic store names an image by its config, the containerd store by its manifest
        if local.id not in (own.config, own.digest, manifest.digest):
            raise RvexpError(
                f"{registry.repository}@{digest} is not the image that was pushed\n"
                f"  here {local.id}, there {own.config}: nothing is recorded",
                hint="git rvexp publish",
            )
        return Image(f"{registry.repository}@{digest}", own.config, local.platform, self.name), True

    def _after_failed_push(self, registry: Registry, why: RvexpError) -> Image:
        """Immutable tag, or a push that arrived all the same: what stands there now decides; else `why` stands."""
        try:
            there = registry.resolve(self.tag.mapped)
        except RvexpError:  # a registry that cannot be asked leaves the first error standing
            raise why from None
        if there is None:
            raise why
        self.say("the push did not go through, but the name is taken now: comparing")
        return self.adopted(registry, there)
