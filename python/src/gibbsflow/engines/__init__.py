"""Adapters that start foreign programs, one a program."""
