"""A clone made ready and examined: init, settings files, trust, doctor."""
