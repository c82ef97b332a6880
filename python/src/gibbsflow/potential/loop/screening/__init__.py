"""The surrogate in the learning loop: what it leaves out of a generation, and what that saves."""
