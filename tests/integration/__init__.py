"""Tests against the real parts that dev/stack starts."""
