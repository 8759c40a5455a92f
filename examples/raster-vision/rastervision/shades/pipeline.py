"""Three commands, each a job of its own: every file goes through Raster Vision's file systems, so to S3 on Batch."""

import json
import random
from os.path import join
from typing import Any, ClassVar

from rastervision.pipeline.config import register_config
from rastervision.pipeline.file_system import file_to_str, str_to_file
from rastervision.pipeline.pipeline import Pipeline
from rastervision.pipeline.pipeline_config import PipelineConfig


@register_config("shades.pipeline")
class ShadesConfig(PipelineConfig):
    """The experiment's settings."""

    chips: int = 200

    def build(self, tmp_dir: str) -> "Shades":
        """The pipeline."""
        return Shades(self, tmp_dir)


class Shades(Pipeline):
    """Make squares, find the shade that parts them best, and count how often it is right."""

    commands: ClassVar[list[str]] = ["chip", "train", "eval"]
    split_commands: ClassVar[list[str]] = []
    gpu_commands: ClassVar[list[str]] = []

    def chip(self) -> None:
        """Squares with their mean shade and what they are."""
        draw = random.Random(20817)
        labels = [draw.random() < 0.5 for _ in range(self.config.chips)]
        self._write("chips.json", [[draw.gauss(0.7 if light else 0.3, 0.1), light] for light in labels])

    def train(self) -> None:
        """The shade at which the fewest of the first half are mistaken."""
        seen = self._read("chips.json")[::2]
        best = min((shade for shade, _ in seen), key=lambda at: sum((shade > at) != light for shade, light in seen))
        self._write("model.json", {"threshold": best})

    def eval(self) -> None:
        """How many of the other half are right."""
        at, others = self._read("model.json")["threshold"], self._read("chips.json")[1::2]
        right = sum((shade > at) == light for shade, light in others)
        self._write("eval.json", {"accuracy": right / len(others)})
        print(f"accuracy {right / len(others):.3f}")

    def _read(self, name: str) -> Any:
        return json.loads(file_to_str(join(self.config.root_uri, name)))

    def _write(self, name: str, content: Any) -> None:
        str_to_file(json.dumps(content), join(self.config.root_uri, name))
