"""Figures of the potential half."""
