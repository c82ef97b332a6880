"""What a label computes beside its functional."""
