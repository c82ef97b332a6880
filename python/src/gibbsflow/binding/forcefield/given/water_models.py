"""Which water model a topology holds, by its charges and Lennard-Jones parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gibbsflow.binding.forcefield.given.prmtop_terms import PrmtopTerms
from gibbsflow.units import Ints

CHARGE_E, SIGMA_ANGSTROM, EPSILON_KCAL_PER_MOL, LENGTH_ANGSTROM = 2e-3, 2e-3, 1e-3, 2e-3
"""How near a model's parameters have to be."""


@dataclass(frozen=True)
class WaterModel:
    """Parameters of a rigid water.

    Attributes
    ----------
    sites
        Interaction sites, the virtual one included.
    negative_e
        Charge of the site that carries the negative one.
    sigma_angstrom, epsilon_kcal_per_mol
        Of the oxygen.
    oh_angstrom
        Length of its bonds.
    """

    sites: int
    negative_e: float
    sigma_angstrom: float
    epsilon_kcal_per_mol: float
    oh_angstrom: float


WATER_MODELS: Mapping[str, WaterModel] = {
    "tip3p": WaterModel(3, -0.834, 3.15075, 0.1520, 0.9572),
    "spce": WaterModel(3, -0.8476, 3.16572, 0.1553, 1.0),
    "spc": WaterModel(3, -0.82, 3.16572, 0.1554, 1.0),
    "opc3": WaterModel(3, -0.8952, 3.17427, 0.163406, 0.97888),
    "tip3pfb": WaterModel(3, -0.84845, 3.17796, 0.155865, 1.0118),
    "opc": WaterModel(4, -1.3582, 3.16655, 0.2128, 0.8724),
    "tip4pew": WaterModel(4, -1.04844, 3.16435, 0.16275, 0.9572),
    "tip4p": WaterModel(4, -1.04, 3.15365, 0.1550, 0.9572),
    "tip4p2005": WaterModel(4, -1.1128, 3.1589, 0.1852, 0.9572),
    "tip4pfb": WaterModel(4, -1.05179, 3.16555, 0.17908, 0.9572),
    "tip4pd": WaterModel(4, -1.16, 3.165, 0.22384, 0.9572),
}
"""Jorgensen et al., J. Chem. Phys. 79, 926 (1983); Berendsen et al., J. Phys. Chem. 91, 6269 (1987); Horn et al., J.
Chem. Phys. 120, 9665 (2004); Abascal, Vega, J. Chem. Phys. 123, 234505 (2005); Izadi et al., J. Phys. Chem. Lett. 5,
3863 (2014); Wang et al., ibid. 1885 (2014); Piana et al., J. Phys. Chem. B 119, 5113 (2015); Izadi, Onufriev, J. Chem.
Phys. 145, 074501 (2016)."""


def recognised(terms: PrmtopTerms, water: Ints) -> tuple[str | None, dict[str, Any]]:
    """Name a water, and say what it is made of.

    Parameters
    ----------
    terms
        The topology.
    water
        Atoms of one water, the oxygen first.

    Returns
    -------
    model
        A key of `WATER_MODELS`; None for a model that is not in the table.
    parameters
        The same figures as in the table, for the record.
    """
    oxygen = int(water[terms.elements[water] == 8][0])
    hydrogens = water[terms.elements[water] == 1]
    lengths = [
        float(numbers[1])
        for (a, b), numbers in zip(*_bonds_of(terms, oxygen), strict=True)
        if a in hydrogens or b in hydrogens
    ]
    found = WaterModel(
        len(water),
        round(float(terms.charges_e[water].min()), 6),
        round(float(terms.sigma_angstrom[oxygen]), 6),
        round(float(terms.epsilon_kcal_per_mol[oxygen]), 6),
        round(lengths[0], 6) if lengths else 0.0,
    )
    bare = not terms.epsilon_kcal_per_mol[hydrogens].any()
    model = next((name for name, known in WATER_MODELS.items() if bare and _same(found, known)), None)
    return model, vars(found) | {"hydrogens_without_lennard_jones": bare}


def _bonds_of(terms: PrmtopTerms, atom: int) -> tuple[Ints, Any]:
    pairs, numbers = terms.bonded["bonds"]
    chosen = (pairs == atom).any(axis=1)
    return pairs[chosen], numbers[chosen]


def _same(found: WaterModel, known: WaterModel) -> bool:
    return (
        found.sites == known.sites
        and abs(found.negative_e - known.negative_e) < CHARGE_E
        and abs(found.sigma_angstrom - known.sigma_angstrom) < SIGMA_ANGSTROM
        and abs(found.epsilon_kcal_per_mol - known.epsilon_kcal_per_mol) < EPSILON_KCAL_PER_MOL
        and bool(np.isclose(found.oh_angstrom, known.oh_angstrom, atol=LENGTH_ANGSTROM))
    )


def same_water(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether two waters are made of the same, as near as parameters of a model have to be.

    Parameters
    ----------
    one, other
        As :func:`recognised` gives them.

    Returns
    -------
    bool
        Whether they are.
    """
    bare = "hydrogens_without_lennard_jones"
    mine, theirs = (WaterModel(**{k: v for k, v in each.items() if k != bare}) for each in (one, other))
    return one[bare] == other[bare] and _same(mine, theirs)
