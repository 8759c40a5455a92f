"""The image of a snapshot: found, laid over an environment image, built by the engine, or made again."""
