"""Below structures and labels: formats of files and databases, statuses, and what a frame says of its electrons."""
