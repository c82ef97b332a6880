"""What a potential does not know: the spread of a committee, and the regions of a structure that are new to it."""
