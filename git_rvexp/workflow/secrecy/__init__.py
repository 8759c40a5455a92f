"""Secrets: found before they become part of anything that is kept or shown to others."""
