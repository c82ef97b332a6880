"""Execution model: steps, systems, artifacts, sentinels, segments. No chemistry."""
