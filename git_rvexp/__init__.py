"""git rvexp: repeatable containerised experiments, kept in git."""

__version__ = "0.1.0"
