"""Faults made on purpose in front of real servers, and the tests of what must survive them."""
