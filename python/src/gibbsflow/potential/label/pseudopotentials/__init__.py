"""Pseudopotentials: the checked table of files by element, and the shipped ones of Goedecker, Teter and Hutter."""
