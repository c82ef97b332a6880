"""Properties that take MD of many atoms: run in LAMMPS by segments that are kept, and averaged with their errors."""
