"""Names of residues: what the protein force fields know, what other programs call them, which states they have."""

from __future__ import annotations

import re
from collections.abc import Sequence

STANDARD = frozenset("ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL".split())
"""The twenty amino acids."""
PARENT = {
    "HID": "HIS", "HIE": "HIS", "HIP": "HIS", "ASH": "ASP", "GLH": "GLU", "LYN": "LYS", "CYX": "CYS", "CYM": "CYS"
}  # fmt: skip
"""Amino acid of each protonation state that has a name of its own."""
STATES = {
    "HIS": ("HID", "HIE", "HIP"),
    "ASP": ("ASP", "ASH"),
    "GLU": ("GLU", "GLH"),
    "LYS": ("LYS", "LYN"),
    "CYS": ("CYS", "CYX", "CYM"),
}
"""States of each amino acid that has several, by AMBER's names."""
CAPS = frozenset({"ACE", "NME", "NHE"})
AMINO_ACIDS = STANDARD | PARENT.keys() | CAPS | {"MSE", "HYP"}
"""Residues that the protein force fields know, caps and protonation states included (MSE becomes MET)."""
PHOSPHORYLATED = {"SEP": -2, "TPO": -2, "PTR": -2, "S1P": -1, "T1P": -1, "Y1P": -1}
"""Phosphorylated amino acids of AMBER's phosaa14SB and phosaa19SB, with their charge in e."""
INSIDE_ONLY = frozenset({"ASH", "GLH", "LYN", "CYM", *PHOSPHORYLATED})
"""What the force fields know inside a chain alone: their libraries have no forms for its ends."""
ALIASES = {
    "HSD": "HID", "HSE": "HIE", "HSP": "HIP", "HISD": "HID", "HISE": "HIE", "HISH": "HIP", "HIH": "HIP",
    "ASPH": "ASH", "ASPP": "ASH", "GLUH": "GLH", "GLUP": "GLH", "LYSH": "LYS", "LSN": "LYN", "CYS2": "CYX",
    "LYP": "LYS", "CYN": "CYS", "CYSH": "CYS", "HISA": "HID", "HISB": "HIE", "NMA": "NME", "NH2": "NHE",
}  # fmt: skip
"""AMBER's names of what CHARMM, GROMACS and the PDB name otherwise."""
WATERS = frozenset("HOH WAT DOD D2O H2O TIP3 TIP TP3 T3P SOL SPC SPCE TIP4 TP4 T4P TIP5 TP5 T5P OPC".split())
CHARGE = {
    "ASP": -1, "GLU": -1, "LYS": 1, "ARG": 1, "HIP": 1, "CYM": -1, **PHOSPHORYLATED
}  # fmt: skip
"""Charge of each residue inside a chain in e; those not listed have none."""
_BACKBONE = ("N", "CA", "C", "O")
_SIDE = {
    "ALA": "CB", "ARG": "CB CG CD NE CZ NH1 NH2", "ASN": "CB CG OD1 ND2", "ASP": "CB CG OD1 OD2", "CYS": "CB SG",
    "GLN": "CB CG CD OE1 NE2", "GLU": "CB CG CD OE1 OE2", "GLY": "", "HIS": "CB CG ND1 CD2 CE1 NE2",
    "ILE": "CB CG1 CG2 CD1", "LEU": "CB CG CD1 CD2", "LYS": "CB CG CD CE NZ", "MET": "CB CG SD CE",
    "PHE": "CB CG CD1 CD2 CE1 CE2 CZ", "PRO": "CB CG CD", "SER": "CB OG", "THR": "CB OG1 CG2",
    "TRP": "CB CG CD1 CD2 NE1 CE2 CE3 CZ2 CZ3 CH2", "TYR": "CB CG CD1 CD2 CE1 CE2 CZ OH", "VAL": "CB CG1 CG2",
    "HYP": "CB CG CD OD1", "SEP": "CB OG P O1P O2P O3P", "S1P": "CB OG P O1P O2P O3P",
    "TPO": "CB OG1 CG2 P O1P O2P O3P", "T1P": "CB OG1 CG2 P O1P O2P O3P",
    "PTR": "CB CG CD1 CD2 CE1 CE2 CZ OH P O1P O2P O3P", "Y1P": "CB CG CD1 CD2 CE1 CE2 CZ OG P O1P O2P O3P",
}  # fmt: skip
_CAP_ATOMS = {"ACE": ("C", "O", "CH3"), "NME": ("N", "C"), "NHE": ("N",)}
_ATOM_ALIASES = {
    "ILE": {"CD": "CD1"},
    "SER": {"OG1": "OG"},
    "MSE": {"SE": "SD"},
    "HYP": {"OD": "OD1"},
    "ACE": {"C1": "C", "O1": "O", "C2": "CH3"},  # by their count, as in protein-ligand-benchmark
    "NME": {"CH3": "C", "CA": "C", "C1": "C", "N1": "N"},
    "T1P": {"OG": "OG1"},
    "Y1P": {"OH": "OG"},
}
_THIOL = {"CYS": {"HG1": "HG"}, "SER": {"HG1": "HG"}}  # of CHARMM
_ON_NITROGEN = re.compile(r"H|HN|H[NT]?[123]")
_TERMINAL_OXYGENS = {"O1": "O", "OT1": "O", "OCT1": "O", "OC1": "O", "O2": "OXT", "OT2": "OXT", "OCT2": "OXT",
                     "OC2": "OXT", "OT": "OXT"}  # fmt: skip
SECOND_OXYGENS = frozenset({"OXT", *(name for name, meant in _TERMINAL_OXYGENS.items() if meant == "OXT")})
"""The second oxygen of a chain's end, as AMBER, GROMACS, CHARMM and others call it."""


def amber_name_of(name: str) -> str:
    """Give AMBER's name of a residue that another program has named.

    Parameters
    ----------
    name
        As HSD of CHARMM, or NALA and CHIE of AMBER's libraries and GROMACS' copies of them.

    Returns
    -------
    str
        As HID, ALA or HIE; the name itself where it is no other program's.
    """
    capitals = name.upper()
    if capitals not in ALIASES and len(capitals) == 4 and capitals[0] in "NC" and capitals[1:] in AMINO_ACIDS:  # noqa: PLR2004
        return capitals[1:]
    return ALIASES.get(capitals, name)


def parent_of(name: str) -> str:
    """Give the amino acid of a residue name.

    Parameters
    ----------
    name
        As HID or MSE.

    Returns
    -------
    str
        As HIS or MET; the name itself where it is no state of another.
    """
    return "MET" if name == "MSE" else PARENT.get(name, name)


def side_chain(name: str) -> frozenset[str]:
    """Name the heavy atoms of a side chain.

    Parameters
    ----------
    name
        Of an amino acid or one of its states.

    Returns
    -------
    frozenset of str
        Empty for glycine, caps and what is not known.
    """
    return frozenset(_SIDE.get(parent_of(name), "").split())


def heavy_atoms_of(name: str) -> frozenset[str] | None:
    """Name all heavy atoms that a residue can have.

    Parameters
    ----------
    name
        Of a residue.

    Returns
    -------
    frozenset of str or None
        With the second oxygen of the end of a chain; None for residues that are not known.
    """
    if name in _CAP_ATOMS:
        return frozenset(_CAP_ATOMS[name])
    parent = parent_of(name)
    return frozenset({*_BACKBONE, "OXT", *_SIDE[parent].split()}) if parent in _SIDE else None


def standard_atom(residue: str, atom: str, element: str) -> str:
    """Give an atom of an amino acid its name in the PDB's present form.

    Parameters
    ----------
    residue
        Name of the residue; others than amino acids keep their names.
    atom, element
        As in the file; deuterium has become hydrogen.

    Returns
    -------
    str
        As HB1 for 1HB, HD1 for DD1, CD1 for CD of isoleucine, OXT for OT2.
    """
    if element == "H":
        turned = atom.lstrip("0123456789") + atom[: len(atom) - len(atom.lstrip("0123456789"))]
        if residue in _CAP_ATOMS and "_" in turned:  # H2_1, the first at the second carbon
            return "H" + turned.split("_")[1]
        turned = "H" + turned[1:] if turned.startswith("D") else turned
        return _THIOL.get(residue, {}).get(turned, turned)
    if residue in _ATOM_ALIASES:
        atom = _ATOM_ALIASES[residue].get(atom, atom)
    known = heavy_atoms_of(residue)
    return _TERMINAL_OXYGENS.get(atom, atom) if known is not None and atom not in known else atom


def hydrogens_of(parent: str, names: Sequence[str]) -> list[str]:
    """Name the hydrogens of one heavy atom of an amino acid, where their names are not of it.

    Parameters
    ----------
    parent
        Name of the heavy atom.
    names
        Of its hydrogens, as :func:`standard_atom` gives them.

    Returns
    -------
    list of str
        The same where all are named by the atom that they are at; else as HD1 at ND1, HB1 and HB2 at CB, for H01 of
        PyMOL and H of Open Babel.
    """
    start = "H" + parent[1:]
    if all(_ON_NITROGEN.fullmatch(name) if parent == "N" else name.startswith(start) for name in names):
        return list(names)
    return [start] if len(names) == 1 else [f"{start}{k}" for k in range(1, len(names) + 1)]
