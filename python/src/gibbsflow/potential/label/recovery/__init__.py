"""Recovery of labels by Quantum ESPRESSO: what a run came to, handlers that correct it, and the trail of both."""
