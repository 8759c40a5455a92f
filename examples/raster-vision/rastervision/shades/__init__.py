"""A Raster Vision plugin: light and dark squares of a made-up scene, told apart by one number."""

from typing import Any


def register_plugin(registry: Any) -> None:
    """Raster Vision asks each plugin for the version of its settings."""
    registry.set_plugin_version("rastervision.shades", 0)


import rastervision.pipeline  # noqa: E402  Raster Vision wants it before the plugin's own modules
import rastervision.shades.pipeline  # noqa: E402, F401  registers the settings
