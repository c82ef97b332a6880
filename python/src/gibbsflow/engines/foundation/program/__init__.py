"""What runs in the environment of the foundation model: PyTorch and CHGNet are imported here, and nowhere else."""
