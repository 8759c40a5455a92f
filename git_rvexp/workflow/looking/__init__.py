"""Pages and rows made from the record alone: list, show, diff, and how they are worded."""
