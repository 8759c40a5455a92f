"""The development stack: a real engine, registry, Batch, git server and base image, on loopback only.

Standard library only, because it runs before the virtual environment exists. Nothing here is part of
the installed package.
"""
