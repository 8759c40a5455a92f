"""What decides a build beside the tree, as a value with a hash. Building is `images.build`'s business."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

FORMAT = 1
"""Part of the spec: raised when the same settings would make another image."""
Say = Callable[[str], None]
"""Tells a person one line of what is going on."""


@dataclass(frozen=True)
class Recipe:
    """Everything beside the tree that decides a build. `dockerfile` is relative to `context`, a folder of the tree.

    `seeding` stands for the hook that is laid over it (`images.seed`); empty without one. `base` says over what the
    code is laid, and where, when there is no Dockerfile; else it is empty.
    """

    dockerfile: str
    context: str = "."
    target: str = ""
    platform: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    seeding: str = ""
    base: str = ""

    @property
    def spec(self) -> str:
        """The recipe's hash: with the tree's id it names what the image is made of."""
        whole = [FORMAT, self.dockerfile, self.context, self.target, self.platform, sorted(self.args.items())]
        whole += [self.seeding] if self.seeding else []
        whole += [["base", self.base]] if self.base else []
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()
