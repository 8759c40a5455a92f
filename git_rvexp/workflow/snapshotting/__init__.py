"""Taking a snapshot: what goes in, what must not, and its tag."""
