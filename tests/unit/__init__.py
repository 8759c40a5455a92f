"""Tests of one part at a time, without services of their own beyond loopback doubles."""
