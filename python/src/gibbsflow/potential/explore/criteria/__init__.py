"""What decides which of several structures is labelled next, by how their forces depend on a fit."""
