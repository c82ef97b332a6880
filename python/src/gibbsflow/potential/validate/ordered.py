"""The ordered compound that stands for an alloy of two elements where properties are measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.generators.parents import lattice

if TYPE_CHECKING:
    from ase import Atoms

_SUBLATTICES = {"diamond": (4, "zinc blende"), "bcc": (2, "CsCl, B2"), "fcc": (2, "CuAu, L1₀")}
"""By lattice: in which parts of the cubic cell's third edge atoms lie, every other of which is the second element's."""


def ordered_compound(target: Target) -> tuple[Atoms, str] | None:
    """Order an alloy of two elements in equal parts on its own lattice.

    A disordered cell has no symmetry: 21 elastic constants, and so many relaxations of its inner places that they would
    be most of a campaign's labels. The smallest ordered compound has the same pairs of neighbours, two atoms and three
    constants (six in fcc).

    Parameters
    ----------
    target
        Elements, composition, crystal and lattice constant (else by Vegard's rule).

    Returns
    -------
    tuple of Atoms and str, or None
        Conventional cell, and the name of its structure; None for other numbers of elements, other shares, and other
        lattices.
    """
    if len(target.elements) != 2 or any(abs(share - 0.5) > 1e-6 for share in target.composition.values()):
        return None
    if target.crystal not in _SUBLATTICES:
        return None
    parts, name = _SUBLATTICES[target.crystal]
    made = lattice(target, Generator(supercell=(1, 1, 1)))
    places = np.rint(made.get_scaled_positions()[:, 2] * parts).astype(int)
    made.symbols[places % 2 == 1] = target.elements[1]
    return made, name
