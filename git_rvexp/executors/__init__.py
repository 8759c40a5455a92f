"""The doors to where runs happen."""
