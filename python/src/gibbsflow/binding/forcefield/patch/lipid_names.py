"""Names of lipids: those of OpenMM's patches, which are CHARMM's, as lipid21 has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gibbsflow.engines.process import Bounds, run_program
from gibbsflow.errors import ParametrisationError
from gibbsflow.units import Floats

LIPIDS = ("POPC", "POPE", "DOPC", "DLPC", "DLPE", "DMPC", "DPPC")
"""Of which OpenMM has equilibrated patches."""


@dataclass(frozen=True)
class AmberNames:
    """A lipid as lipid21 names it.

    Attributes
    ----------
    source
        Of each atom its place among those that went in.
    names, residues
        Of each atom.
    residue_of
        Of each atom, counted from 0 in the order in which they are bonded: both tails may have one name.
    """

    source: tuple[int, ...]
    names: tuple[str, ...]
    residues: tuple[str, ...]
    residue_of: tuple[int, ...]


def record(serial: int, name: str, residue: str, number: int, xyz: Sequence[float] | Floats) -> str:
    """Write an ATOM record of a PDB file.

    Parameters
    ----------
    serial, name, residue, number
        Of atom and residue; numbers start anew at the width of their columns.
    xyz
        Shape (3,), Å.

    Returns
    -------
    str
        One line.
    """
    padded = name if len(name) == 4 else f" {name:<3s}"  # noqa: PLR2004
    place = "".join(f"{value:8.3f}" for value in xyz)
    return f"ATOM  {serial % 100000:5d} {padded} {residue:<4s} {number % 10000:4d}    {place}  1.00  0.00"


def _turned(name: str) -> str:
    """Names of four letters as C210, which the PDB once wrote as 0C21."""
    return name[1:] + name[0] if name[0].isdigit() else name


def amber_names(lipid: str, names: Sequence[str], folder: Path) -> AmberNames:
    """Ask AmberTools' charmmlipid2amber for the names of a lipid.

    Parameters
    ----------
    lipid
        As CHARMM calls it.
    names
        Of its atoms, CHARMM's.
    folder
        Where the program runs.

    Returns
    -------
    AmberNames
        Head and both tails as residues.

    Raises
    ------
    ParametrisationError
        Where it does not know an atom.
    """
    # what comes out in another order is known by its coordinates
    rows = [record(k + 1, _turned(name), lipid, 1, (float(k), 0.0, 0.0)) for k, name in enumerate(names)]
    (folder / "charmm.pdb").write_text("\n".join([*rows, "TER", "END", ""]))
    words = ("charmmlipid2amber", "-i", "charmm.pdb", "-o", "amber.pdb")
    log = folder / "charmmlipid2amber.log"
    run_program(words, folder=folder, log=log, bounds=Bounds(time_s=120))
    lines = [line for line in (folder / "amber.pdb").read_text().splitlines() if line.startswith(("ATOM", "HETATM"))]
    source = tuple(round(float(line[30:38])) for line in lines)
    residues = tuple(line[17:21].strip() for line in lines)
    if sorted(source) != list(range(len(names))) or lipid in residues:
        left = int(np.sum([residue == lipid for residue in residues]))
        raise ParametrisationError(f"{lipid}: charmmlipid2amber does not know {left} of its {len(names)} atoms ({log})")
    begins = [k > 0 and residues[k] != residues[k - 1] for k in range(len(residues))]
    residue_of = tuple(np.cumsum(begins).tolist())
    return AmberNames(source, tuple(line[12:16].strip() for line in lines), residues, residue_of)
