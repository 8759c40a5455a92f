"""Manifests of inputs and outputs, and their comparison."""
