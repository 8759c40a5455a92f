"""Runs after they were handed over: asked about, waited for, harvested, stopped, their logs kept."""
