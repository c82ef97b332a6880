"""Exploration: MD with a potential that watches its extrapolation grade, and the selection of what to label next."""
