"""Typer commands: parse, call, write. No science."""
