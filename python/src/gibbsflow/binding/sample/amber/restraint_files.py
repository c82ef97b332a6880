"""Restraints as AMBER reads them: DISANG of its ``nmropt``, and collective variables of ``infe``.

A restraint of DISANG is U = rk x², without the half of `HarmonicTerm`, so rk = K/2; that of a collective variable has
the half. Angles are in degrees, rk of an angle in kcal/mol/rad². From r1 to r2, and from r3 to r4, it is a parabola,
outside a line: r1 and r4 stand where x never comes.
"""

from __future__ import annotations

from collections.abc import Sequence

from gibbsflow.binding.alchemy.restraint.restraints import HarmonicTerm, Restraint, harmonic_terms
from gibbsflow.engines.md_engine import Apart

_FAR_ANGSTROM, _HALF_TURN_DEG = 999.0, 180.0
_PER_LINE = 12


def disang_text(restraint: Restraint) -> str:
    """Write a restraint between atoms as a DISANG file, at full strength.

    Parameters
    ----------
    restraint
        Whose groups are single atoms.

    Returns
    -------
    str
        One ``&rst`` a term, in the order of :func:`harmonic_terms`.
    """
    return "".join(_rst(term) for term in harmonic_terms(restraint))


def _rst(term: HarmonicTerm) -> str:
    atoms = ",".join(str(group[0] + 1) for group in term.groups)
    low, high = {
        "distance": (0.0, _FAR_ANGSTROM),
        "angle": (0.0, _HALF_TURN_DEG),
        # any value of an angle is within half a turn of the reference: AMBER brings it there
        "dihedral": (term.reference - _HALF_TURN_DEG, term.reference + _HALF_TURN_DEG),
    }[term.coordinate]
    at, rk = f"{term.reference:.6f}", f"{term.k / 2:.8g}"
    return f" &rst iat={atoms},\n  r1={low:.6f}, r2={at}, r3={at}, r4={high:.6f},\n  rk2={rk}, rk3={rk},\n /\n"


def apart_text(pairs: Sequence[Apart]) -> str:
    """Write what is kept apart as collective variables, which λ does not scale.

    AMBER weighs centres by mass, others weigh all atoms alike: the wall stands some tenths of an Å elsewhere.

    Parameters
    ----------
    pairs
        Groups of atoms.

    Returns
    -------
    str
        One ``&colvar`` each: no force beyond `least_angstrom`, 1/2 K x² within.
    """
    texts = []
    for pair in pairs:
        groups = [*(atom + 1 for atom in pair.centre), 0, *(atom + 1 for atom in pair.away)]
        rows = [groups[i : i + _PER_LINE] for i in range(0, len(groups), _PER_LINE)]
        listed = "\n   ".join("".join(f"{atom}," for atom in row) for row in rows)
        strength = f"{pair.k_kcal_per_mol_angstrom2:.8g}"
        texts.append(
            "&colvar\n"
            " cv_type = 'COM_DISTANCE',\n"
            f" cv_ni = {len(groups)}, cv_i = {listed}\n"
            f" anchor_position = 0.0, {pair.least_angstrom:.6f}, {_FAR_ANGSTROM:.1f}, {_FAR_ANGSTROM + 1:.1f},\n"
            f" anchor_strength = {strength}, {strength},\n"
            "/\n"
        )
    return "".join(texts)
