"""Events, their line format, and the ledger that keeps them in git notes."""
