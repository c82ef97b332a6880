"""What holds two whole ligands to each other where neither shares an atom with the other (dual topology).

Both are in all states; one has its surroundings, the other interacts with nothing but this restraint. It is a function
of the six coordinates that place one ligand against the other, or of the distance of their centroids alone, and is on
at all λ. At either end the integral over the places of the ligand that is decoupled is then one number, whatever the
other ligand looks like and wherever it is: of a distance ∫ exp(−βU) d³r, of Boresch's six coordinates his integral
(J. Phys. Chem. B 107, 9535 (2003)), in which the two ligands stand alike (r² sin θA sin θB). It is the same at both
ends, so that the restraint drops out of each leg by itself: there is no term of it, and none is wanted. What is left of
the decoupled ligand are its own places, which are the same in both legs.

Two ligands tied to each other: Axelsen, Li, J. Comput. Chem. 19, 1278 (1998); ligands that are decoupled apart from
each other in one site: Rocklin, Mobley, Dill, J. Chem. Phys. 138, 085104 (2013).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from gibbsflow.binding.alchemy.hybrid.pair.ends import EndState
from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import SharedAtoms
from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint, CentreOfMassRestraint, Restraint
from gibbsflow.binding.geometry import angle_deg, boresch_geometry
from gibbsflow.units import Floats

K_DISTANCE = 10.0
"""kcal/mol/Å²: 0.24 Å at 300 K."""
K_ANGLE = 40.0
"""kcal/mol/rad²: 7° at 300 K."""
NEAREST_ANGSTROM, FARTHEST_ANGSTROM = 1.5, 7.0
"""Between the first atoms: nearer, angles turn too fast; farther, they leave a ligand too much room."""
LEAST_SINE = 0.6
"""Of all angles of both frames: 37° to 143°."""
TUMBLES_DEG = 60.0
"""A ligand that has turned by more than this in its site, from one frame to another, keeps no orientation there."""
_OFF_CENTRE_PER_ANGSTROM = 0.05
"""How much of a sine an atom costs that lies off its ligand's centre, where ends that move are."""


def tether(shared: SharedAtoms, positions_nm: Floats, *, tumbles: bool = False) -> Restraint:
    """Choose the restraint between two whole ligands, at rest where they are.

    Parameters
    ----------
    shared
        Without a shared atom.
    positions_nm
        Of the hybrid, both ligands in their poses, shape (size, 3), nm.
    tumbles
        Whether A turns in its site, so that how B lies in it says nothing of how B lies against A.

    Returns
    -------
    Restraint
        Boresch's, of three heavy atoms of each ligand that are bonded to each other; of their centroids where one has
        no such three, where all lie on a line, or where A tumbles. A's atoms are called the receptor's.
    """
    found = None
    chains = _chains(shared.a, shared.place_a), _chains(shared.b, shared.place_b)
    for p, q in itertools.product(*chains) if not tumbles else ():
        worth = _worth(positions_nm * 10, shared, p, q)
        if worth is not None and (found is None or worth > found[0] + 1e-9):
            found = (worth, p, q)
    if found is None:
        centres = [
            tuple(place[i] for i in range(end.size) if end.heavy(i)) or place
            for end, place in ((shared.a, shared.place_a), (shared.b, shared.place_b))
        ]
        why = "their centroids: " + (
            f"{shared.a.name} turns in its site"
            if tumbles
            else "no three atoms of each say how they lie against each other"
        )
        return CentreOfMassRestraint(centres[0], centres[1], K_DISTANCE, why=why)
    _, p, q = found
    r, theta_a, theta_b, *phi = (round(float(x), 4) for x in boresch_geometry(positions_nm[None] * 10, p, q)[0])
    why = "three atoms of each, as they lie against each other in their poses"
    return BoreschRestraint(p, q, r, theta_a, theta_b, phi[0], phi[1], phi[2], K_DISTANCE, K_ANGLE, why=why)


def _chains(end: EndState, place: Sequence[int]) -> list[tuple[int, int, int]]:
    """Three heavy atoms bonded one to the next, from either end, in the hybrid's indices."""
    found = []
    for second in (atom for atom in range(end.size) if end.heavy(atom)):
        near = sorted(n for n in end.bonds.neighbors(second) if end.heavy(n))
        found += [(place[first], place[second], place[third]) for first, third in itertools.permutations(near, 2)]
    return found


def _worth(positions: Floats, shared: SharedAtoms, p: tuple[int, int, int], q: tuple[int, int, int]) -> float | None:
    """How well six atoms hold two ligands: the least sine of their angles, less for atoms off the centres."""
    distance = float(np.linalg.norm(positions[p[0]] - positions[q[0]]))
    if not NEAREST_ANGSTROM <= distance <= FARTHEST_ANGSTROM:
        return None
    angles = ((p[2], p[1], p[0]), (p[1], p[0], q[0]), (p[0], q[0], q[1]), (q[0], q[1], q[2]))
    least = min(float(np.sin(np.radians(angle_deg(*(positions[i] for i in three))))) for three in angles)
    if least < LEAST_SINE:
        return None
    off = [
        float(np.linalg.norm(positions[chain[1]] - positions[list(place)].mean(axis=0)))
        for chain, place in ((p, shared.place_a), (q, shared.place_b))
    ]
    return least - _OFF_CENTRE_PER_ANGSTROM * sum(off)
