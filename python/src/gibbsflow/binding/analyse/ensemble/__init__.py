"""What several transformations give together."""
