"""Training: from labelled frames to a potential, with its errors and its extrapolation grade."""
