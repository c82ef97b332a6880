"""Inputs of AMBER's programs for the windows of a leg."""
