"""One verb, one file: arguments in, one call, one answer printed."""
