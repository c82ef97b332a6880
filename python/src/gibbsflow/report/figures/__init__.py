"""Figures as SVG, one kind a module."""
