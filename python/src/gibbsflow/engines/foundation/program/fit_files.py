"""Files of a fit that both sides know: the process that asks for it, and the program that has PyTorch."""

REQUEST, FRAMES = "request.json", "frames.npz"
"""What is asked for: settings, and the frames as arrays."""
TUNED = "tuned.npz"
"""The parameters that come of it."""
