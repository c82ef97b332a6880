"""An equilibration as files and scripts of another program, to be run where this Python is not."""
