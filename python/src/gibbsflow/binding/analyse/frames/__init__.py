"""What the frames of a transformation show beside its free energy."""
