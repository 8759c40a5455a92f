"""Fuzzing: every parser that reads what other people wrote, by one interface for hypothesis and for atheris."""
