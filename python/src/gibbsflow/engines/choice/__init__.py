"""Which engine the settings stand for on this machine, of all that there are."""
