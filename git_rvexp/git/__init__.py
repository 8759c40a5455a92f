"""The door to git: plumbing, snapshots, notes, remotes, archives, hooks."""
