"""Tests of git rvexp; what no test can reach is doubled in `doubles`, and what must go wrong is made to in `faults`."""
