"""Alchemy: λ schedules, restraints and their standard state, legs, and the OpenMM Systems of their states."""
