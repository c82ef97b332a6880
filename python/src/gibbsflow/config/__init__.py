"""Pydantic schemas, the single source of truth for every setting and its unit."""
