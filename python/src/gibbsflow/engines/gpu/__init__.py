"""What one GPU is shared with, and how many run on it at once."""
