"""A campaign that begins where another run has been: with which state it goes on."""
