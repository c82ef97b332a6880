"""Binding free energies, a room a step of the method, and campaign, which takes a samplesheet through them all."""

import logging

# pymbar prints banners as warnings when it is imported; they say nothing about the user's data
logging.getLogger("pymbar").setLevel(logging.ERROR)
logging.getLogger("numexpr").setLevel(logging.WARNING)

PHYSICS = 1
"""Version of the physics of equilibration and free-energy windows; raised by hand whenever their results change."""
