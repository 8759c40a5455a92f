"""An experiment in forms that others read: what each format says is decided here, from the record alone."""
