"""The door to Docker's builder and to registries."""
