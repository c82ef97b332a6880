"""Distances in ionic crystals by radii of ions, which those of covalent bonds are up to 22 % off (LiF, TiN, LiH)."""

from __future__ import annotations

from collections.abc import Mapping

_ANIONS: Mapping[str, tuple[int, float]] = {
    "F": (-1, 1.33), "Cl": (-1, 1.81), "Br": (-1, 1.96), "I": (-1, 2.20), "O": (-2, 1.40), "S": (-2, 1.84),
    "Se": (-2, 1.98), "Te": (-2, 2.21), "N": (-3, 1.46), "H": (-1, 1.36), "C": (-4, 1.57),
}  # fmt: skip
"""Those of H and C by lattice constants: LiH to CsH are at most 5 % off, carbides at most 3.3 % (of Th 6 %)."""
_CATIONS: Mapping[int, Mapping[str, float]] = {
    1: {"Li": 0.76, "Na": 1.02, "K": 1.38, "Rb": 1.52, "Cs": 1.67, "Ag": 1.15, "Tl": 1.50},
    2: {"Mg": 0.72, "Ca": 1.00, "Sr": 1.18, "Ba": 1.35, "V": 0.79, "Mn": 0.83, "Fe": 0.78, "Co": 0.745, "Ni": 0.69,
        "Zn": 0.74, "Cd": 0.95, "Hg": 1.02, "Pb": 1.19, "Eu": 1.17},
    3: {"Sc": 0.745, "Y": 0.90, "La": 1.032, "Ce": 1.01, "Nd": 0.983, "Gd": 0.938, "Ti": 0.67, "V": 0.64, "Cr": 0.615},
    4: {"Ce": 0.87, "Ti": 0.605, "V": 0.58, "Zr": 0.72, "Nb": 0.68, "Hf": 0.71, "Ta": 0.68, "Th": 0.94, "U": 0.89},
}  # fmt: skip
"""Sixfold coordination, d metals of high spin where there are two, Å: Shannon, Acta Cryst. A 1976, 32, 751."""
_OF_EIGHT = 1.03
"""Distance with eight neighbours over that with six (Pauling, The Nature of the Chemical Bond)."""
_OF_FOUR = 0.925
"""With four, of oxides and fluorides, by ZnO (CoO 0.92): other compounds of four neighbours follow covalent radii."""
_CHANGE: Mapping[str, float] = {
    "rocksalt": 1.0, "cesiumchloride": _OF_EIGHT, "fluorite": _OF_EIGHT, "zincblende": _OF_FOUR, "wurtzite": _OF_FOUR,
}  # fmt: skip
_OF_FOUR_ANIONS = ("O", "F")


def distance_angstrom(crystal: str, elements: tuple[str, ...]) -> float | None:
    """Give the distance of neighbours in an ionic crystal of two elements.

    Parameters
    ----------
    crystal
        ``rocksalt``, ``cesiumchloride``, ``fluorite``, or of oxides and fluorides ``zincblende`` or ``wurtzite``.
    elements
        Chemical symbols, one of them of an anion; of fluorite the second, which is there twice.

    Returns
    -------
    float or None
        In Å; None where either radius is not known at the charge that makes the crystal neutral.
    """
    if crystal not in _CHANGE or len(elements) != 2:
        return None
    cation, anion = elements if elements[1] in _ANIONS or crystal == "fluorite" else elements[::-1]
    if _CHANGE[crystal] == _OF_FOUR and anion not in _OF_FOUR_ANIONS:
        return None
    charge, radius = _ANIONS.get(anion, (0, 0.0))
    known = _CATIONS.get(-charge * (2 if crystal == "fluorite" else 1), {})
    return (known[cation] + radius) * _CHANGE[crystal] if cation in known else None


def neutral_fluorite(elements: tuple[str, ...]) -> bool:
    """Tell whether charges are known by which one ion of the first element and two of the second are neutral.

    Parameters
    ----------
    elements
        Chemical symbols of two elements.

    Returns
    -------
    bool
        True for Ca and F, and for O and Li (antifluorite); False for F and Ca, and where a charge is not known.
    """
    one, two = elements
    of_one, of_two = (_ANIONS.get(element, (0, 0.0))[0] for element in elements)
    anti = of_one % 2 == 0 and two in _CATIONS.get(-of_one // 2, {})
    return anti or one in _CATIONS.get(-2 * of_two, {})
