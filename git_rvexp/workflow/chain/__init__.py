"""Several steps that depend on one another: read, planned whole, driven, resumed."""
