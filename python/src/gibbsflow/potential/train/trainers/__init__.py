"""Trainers: one basis each (POD by LAMMPS, linear ACE by python-ace)."""
