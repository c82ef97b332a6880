"""Which elements are anions, cations or neither in a compound of ions."""

from __future__ import annotations

from collections.abc import Collection, Mapping

ANIONS: Mapping[str, int] = {
    **dict.fromkeys(("F", "Cl", "Br", "I"), -1), **dict.fromkeys(("O", "S", "Se"), -2), "N": -3,
}  # fmt: skip
"""Usual charges of anions, e."""
NONMETALS: Collection[str] = frozenset({*ANIONS, "H", "C", "P", "B", "He", "Ne", "Ar", "Kr", "Xe"})


def ionic(elements: Collection[str]) -> bool:
    """Whether metals (silicon and germanium among them) meet formers of anions, and nothing else is there.

    Parameters
    ----------
    elements
        Chemical symbols.

    Returns
    -------
    bool
        True of MgO, GaN and SiO2; false of GaAs, SiC, LiH and CO2.
    """
    anions = {symbol for symbol in elements if symbol in ANIONS}
    metals = {symbol for symbol in elements if symbol not in NONMETALS}
    return bool(anions) and bool(metals) and anions | metals == set(elements)


def opposite(one: str, other: str) -> bool:
    """Whether of two elements one is a former of anions and the other a metal.

    Parameters
    ----------
    one, other
        Chemical symbols.

    Returns
    -------
    bool
        True of Mg and O; false of Mg and Al, of O and S, and of either and C.
    """
    return ionic({one, other})
