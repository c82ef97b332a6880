"""Where λ windows belong: how far the states of a leg are from each other, and states at even distances."""
