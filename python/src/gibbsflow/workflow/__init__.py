"""Execution, no chemistry: files, seeds, results, artifacts; in state/ all that makes a calculation restartable."""
