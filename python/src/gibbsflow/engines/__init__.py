"""Foreign programs: what starts or speaks to one, without science."""
