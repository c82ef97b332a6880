"""Checks of labelled data before anything is fitted: what cannot be right, or is likely not what was meant."""
