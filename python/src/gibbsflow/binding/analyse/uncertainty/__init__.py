"""How far a free energy may be off: from within one replicate, and over several."""
