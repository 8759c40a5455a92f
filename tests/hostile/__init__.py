"""Repositories, records and replies made by somebody who wants us to run or send something."""
