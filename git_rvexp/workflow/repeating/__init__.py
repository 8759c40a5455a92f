"""The same again from the record: what it needs, what it read and wrote, and the verdict."""
