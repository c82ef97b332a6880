"""Validation: properties of a potential against those of the engine that labelled."""
