"""An experiment in one file: written, proven to the last bit, and taken into another clone and engine."""
