"""Trainers: POD by LAMMPS (``pod_trainer`` and the modules below it), linear ACE by python-ace (``pace``)."""
