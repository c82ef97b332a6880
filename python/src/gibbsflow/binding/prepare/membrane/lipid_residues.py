"""Names of residues that are lipids, or parts of them, in files of bilayers."""

from __future__ import annotations

import re

HEADS = {"PC": 0, "PE": 0, "PS": -1, "PGR": -1, "PGS": -1, "PH-": -1, "SPM": 0}
"""Heads of lipid21, and the charge of a lipid that has them, in e."""
TAILS = frozenset({"AR", "DHA", "LAL", "MY", "OL", "PA", "SA", "ST"})
STEROL = "CHL"
_WHOLE = re.compile(r"[DPS][ADLMOPS]P[ACEGS]?|CHL1|[PS]SM")
"""Whole lipids as CHARMM calls them, and as files with names of three letters cut them."""


def is_lipid(name: str) -> bool:
    """Tell whether a residue is a lipid, or head or tail of one, by its name.

    Parameters
    ----------
    name
        Of the residue: lipid21's (``PA``, ``PC``, ``OL``), CHARMM's (``POPC``) or that cut to three letters.

    Returns
    -------
    bool
        True where it is.
    """
    return name in HEADS or name in TAILS or name == STEROL or _WHOLE.fullmatch(name) is not None
