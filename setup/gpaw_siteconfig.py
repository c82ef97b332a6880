"""How GPAW is built here: serial, with SciPy's BLAS and its own functionals, whatever libraries the machine has."""

compiler = "g++"
mpi = False
fftw = False
scalapack = False
noblas = True
nolibxc = True
libraries = []
