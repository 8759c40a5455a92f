"""What a run has written, copied to a folder of this machine."""
