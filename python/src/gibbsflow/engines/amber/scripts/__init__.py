"""Scripts that run AMBER's programs where this Python is not: segment by segment, from the files beside them."""
