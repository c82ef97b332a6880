"""A protonated protein as tleap takes it: residues named by their protonation, chains ended, disulfides listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gibbsflow.binding.prepare.proteins import Residue, is_chain_break, read_residues
from gibbsflow.binding.prepare.receptors import site_entries

DISULFIDE_ANGSTROM = 2.5
"""Sulfurs of two cysteines nearer than this are bonded; a disulfide has 2.05 Å."""


@dataclass(frozen=True)
class AmberProtein:
    """A protein for tleap.

    Attributes
    ----------
    pdb
        PDB text with AMBER's residue names, without hydrogens: tleap builds those of the named protonation itself, so
        that no hydrogen name can disagree.
    residues
        The residues in order, as numbered in the user's file; the k-th is the k-th of the topology.
    disulfides
        Pairs of residue numbers of the topology, counted from 1.
    """

    pdb: str
    residues: tuple[Residue, ...]
    disulfides: tuple[tuple[int, int], ...]

    def residues_of(self, site: str) -> list[int]:
        """Find the residues that a site names.

        Parameters
        ----------
        site
            Entries as CHAIN:NUMBER or residue names, separated by commas.

        Returns
        -------
        list of int
            Their indices in the topology, 0-based.
        """
        return [k for k, r in enumerate(self.residues) if any(r.is_named(entry) for entry in site_entries(site))]


def amber_protein(path: Path) -> AmberProtein:
    """Read the protein that system_prep wrote and name its residues for AMBER.

    Parameters
    ----------
    path
        PDB file with all hydrogens.

    Returns
    -------
    AmberProtein
        With a TER wherever a chain ends or breaks.

    Raises
    ------
    InputError
        Where a coordinate record cannot be read.
    """
    residues = read_residues(path)
    pairs = disulfides(residues)
    bonded = {k for pair in pairs for k in pair}
    lines, serial = [], 0
    for k, residue in enumerate(residues):
        name = amber_name(residue, in_disulfide=k in bonded)
        for atom, (element, xyz) in residue.atoms.items():
            if element == "H":
                continue
            serial += 1
            padded = atom if len(atom) == 4 else f" {atom:<3s}"
            place = "".join(f"{x:8.3f}" for x in xyz)
            head = f"ATOM  {serial % 100000:5d} {padded} {name:<3s} A{(k + 1) % 10000:4d}    "
            lines.append(f"{head}{place}  1.00  0.00          {element:>2s}")
        if k + 1 == len(residues) or is_chain_break(residue, residues[k + 1]):
            lines.append("TER")
    return AmberProtein("\n".join([*lines, "END", ""]), tuple(residues), tuple((a + 1, b + 1) for a, b in pairs))


def disulfides(residues: Sequence[Residue]) -> list[tuple[int, int]]:
    """Find the pairs of cysteines whose sulfurs are within 2.5 Å.

    Parameters
    ----------
    residues
        All residues; those without an atom SG are passed over.

    Returns
    -------
    list of (int, int)
        Indices into `residues`, the lower first.
    """
    sulfurs = [(k, np.array(r.atoms["SG"][1])) for k, r in enumerate(residues) if "SG" in r.atoms]
    return [
        (a, b)
        for i, (a, first) in enumerate(sulfurs)
        for b, second in sulfurs[i + 1 :]
        if np.linalg.norm(first - second) < DISULFIDE_ANGSTROM
    ]


def amber_name(residue: Residue, *, in_disulfide: bool) -> str:
    """Name a residue by the hydrogens that it has.

    Parameters
    ----------
    residue
        With all hydrogens.
    in_disulfide
        Whether its sulfur is bonded to another.

    Returns
    -------
    str
        AMBER's name of the protonation state, as HID, HIE or HIP for HIS.
    """
    atoms = residue.atoms
    if residue.name in ("HIS", "HID", "HIE", "HIP"):
        return {(True, True): "HIP", (True, False): "HID"}.get(("HD1" in atoms, "HE2" in atoms), "HIE")
    if residue.name in ("CYS", "CYX", "CYM"):
        return "CYX" if in_disulfide else ("CYS" if "HG" in atoms else "CYM")
    if residue.name == "ASP" and "HD2" in atoms:
        return "ASH"
    if residue.name == "GLU" and "HE2" in atoms:
        return "GLH"
    if residue.name == "LYS" and not {"HZ1", "HZ2", "HZ3"} <= atoms.keys():
        return "LYN"
    return residue.name
