"""Boxes that came solvated, put together anew from their own molecules: with ions, and longer."""
