"""Systems that come solvated, with their own force field: read, looked at, and taken as they are."""
