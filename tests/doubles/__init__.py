"""Doubles of the services that no test can reach: strict, in process, spoken to over real loopback HTTP.

They know nothing of git_rvexp, so that a mistake there cannot hide behind the same mistake here.
"""
