"""What is run: `rastervision run batch experiment.py -a root_uri s3://BUCKET/PREFIX`."""

from rastervision.shades.pipeline import ShadesConfig


def get_config(_runner: str, root_uri: str) -> ShadesConfig:
    """The experiment; the first argument names Raster Vision's runner."""
    return ShadesConfig(root_uri=root_uri)
