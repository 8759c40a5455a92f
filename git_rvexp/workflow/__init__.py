"""What the tool does, start to end, on plain values."""
