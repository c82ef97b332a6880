"""How near the atoms of a structure are to each other, measured by their covalent radii."""

from __future__ import annotations

from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list


def shortest_distance(atoms: Atoms) -> tuple[float, str]:
    """Shortest distance as a fraction of the sum of covalent radii (Cordero et al., Dalton Trans. 2008, 2832).

    Parameters
    ----------
    atoms
        Structure; any periodicity.

    Returns
    -------
    share : float
        Of the pair for which it is least; infinite where no two atoms are within twice the sum.
    pair : str
        Its elements and its distance in Å.
    """
    reach = 2.0 * covalent_radii[atoms.numbers]
    i, j, d = neighbor_list("ijd", atoms, list(reach))
    if len(d) == 0:
        return float("inf"), ""
    share = d / (covalent_radii[atoms.numbers[i]] + covalent_radii[atoms.numbers[j]])
    k = int(share.argmin())
    return float(share[k]), f"{atoms.symbols[i[k]]}-{atoms.symbols[j[k]]} {d[k]:.3f} Å"
