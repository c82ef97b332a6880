"""Alchemy: λ schedules, legs, and the OpenMM Systems of their states."""
