"""Formal charges of ions, and which of them are left out so that a box is neutral."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential_training import Embedding
from gibbsflow.config.structures.ions import ANIONS, NONMETALS, ionic
from gibbsflow.errors import InputError, Problem

if TYPE_CHECKING:
    from ase import Atoms

_CATIONS = {
    **dict.fromkeys(("Li", "Na", "K", "Rb", "Cs", "Ag"), 1),
    **dict.fromkeys(("Be", "Mg", "Ca", "Sr", "Ba", "Zn", "Cd"), 2),
    **dict.fromkeys(("Al", "Ga", "In", "Sc", "Y", "La"), 3),
    **dict.fromkeys(("Si", "Ge", "Ti", "Zr", "Hf"), 4),
}
_HIGHEST = 7
# shares of elements are taken for simple fractions: a vacancy does not change what a salt is
_LARGEST_DENOMINATOR = 12
_NEUTRAL_E = 1e-6


def charges_of(atoms: Atoms, settings: Embedding) -> dict[str, float] | None:
    """Formal charges by which boxes cut from a structure are kept neutral.

    Parameters
    ----------
    atoms
        The structure.
    settings
        Section ``embedding``.

    Returns
    -------
    dict or None
        Charge in e by element; None where boxes are taken as they are cut.

    Raises
    ------
    InputError
        Where boxes shall be neutral and no charges are known.
    """
    symbols = sorted(set(atoms.get_chemical_symbols()))
    if settings.stoichiometry == "free" or (settings.stoichiometry == "auto" and not settings.formal_charges
                                            and not ionic(symbols)):  # fmt: skip
        return None
    given = settings.formal_charges
    if given:
        if missing := [symbol for symbol in symbols if symbol not in given]:
            what = f"none for {', '.join(missing)}"
            raise InputError(Problem("embedding", what, "one for each element", field="formal_charges"))
        return {symbol: given[symbol] for symbol in symbols}
    guessed = _guess(atoms)
    if guessed is None and settings.stoichiometry == "neutral":
        what = f"none can be guessed for {atoms.get_chemical_formula(empirical=True)}"
        raise InputError(Problem("embedding", what, "such as {Mg: 2, O: -2}", field="formal_charges"))
    return guessed


def surplus(
    symbols: Sequence[str], distances_angstrom: Sequence[float], fixed: Sequence[bool], charges: Mapping[str, float]
) -> list[int] | None:
    """Choose atoms to leave out so that formal charges sum to zero: the farthest first, as few as that takes.

    Parameters
    ----------
    symbols
        Chemical symbol of each atom.
    distances_angstrom
        Of each from the centre.
    fixed
        Atoms that stay.
    charges
        Formal charge by element, e.

    Returns
    -------
    list of int or None
        Indices; None where no choice of those that may go makes the sum zero.
    """
    order = [int(k) for k in np.argsort(distances_angstrom)[::-1] if not fixed[k]]
    gone: list[int] = []
    total = sum(charges[symbol] for symbol in symbols)
    while abs(total) > _NEUTRAL_E:
        same = [k for k in order if k not in gone and charges[symbols[k]] * total > _NEUTRAL_E]
        # no more charge than there is too much, where there is such an ion; else a larger one, then counter-ions
        best = next((k for k in same if abs(charges[symbols[k]]) <= abs(total) + _NEUTRAL_E), None)
        chosen = best if best is not None else next(iter(same), None)
        if chosen is None:
            return None
        gone.append(chosen)
        total -= charges[symbols[chosen]]
    return sorted(gone)


def _guess(atoms: Atoms) -> dict[str, float] | None:
    """Charges of the simple formula that is nearest to the composition: usual ones, or what one metal must have."""
    symbols = atoms.get_chemical_symbols()
    share = {s: Fraction(symbols.count(s), len(symbols)).limit_denominator(_LARGEST_DENOMINATOR) for s in set(symbols)}
    metals = [symbol for symbol in share if symbol not in NONMETALS]
    charges = {symbol: ANIONS.get(symbol, _CATIONS.get(symbol)) for symbol in share}
    open_ = [symbol for symbol in metals if charges[symbol] is None]
    if not open_ and sum(share[s] * int(charges[s] or 0) for s in share) == 0:
        return {symbol: float(charge or 0) for symbol, charge in sorted(charges.items())}
    variable = open_ or metals  # titanium is not always +4
    if len(variable) != 1 or any(charges[s] is None for s in share if s not in variable):
        return None
    (symbol,) = variable
    if not share[symbol]:
        return None
    charge = -sum(share[s] * int(charges[s] or 0) for s in share if s != symbol) / share[symbol]
    if not 0 < charge <= _HIGHEST:
        return None
    return {s: float(charge) if s == symbol else float(charges[s] or 0) for s in sorted(share)}
