"""AMBER's ``sander`` as an engine of equilibration: its inputs, its restart files, its words."""
