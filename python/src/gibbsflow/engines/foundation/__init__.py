"""A foundation model in an environment of its own: found, started, asked, tuned."""
