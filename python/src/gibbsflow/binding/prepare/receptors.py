"""Receptors as read, checked and completed: what hosts and proteins have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.molecules import Molecule
from gibbsflow.units import Floats

Kind = Literal["host", "protein"]


@dataclass(frozen=True)
class Receptor:
    """A receptor as read, checked and completed.

    Attributes
    ----------
    name
        Stem of its file.
    kind
        ``host`` or ``protein``.
    charge
        Net charge in e; None for a protein, whose force field decides.
    heavy_angstrom
        Heavy atoms, shape (atoms, 3).
    molecule
        The host; None for a protein.
    protein
        PDBFixer's topology and positions; None for a host.
    site
        The site as configured; None for all.
    notes
        What was done to it.
    """

    name: str
    kind: Kind
    charge: int | None
    heavy_angstrom: Floats
    molecule: Molecule | None = None
    protein: Any = None
    site: str | None = None
    notes: tuple[str, ...] = ()

    def write(self, folder: Path) -> Path:
        """Write the receptor as later phases read it.

        Parameters
        ----------
        folder
            Folder that takes the file.

        Returns
        -------
        Path
            ``receptor.sdf`` of a host, ``receptor.pdb`` of a protein.
        """
        if self.molecule is not None:
            return molecules.write_sdf(self.molecule, folder / "receptor.sdf", self.name)
        from openmm.app import PDBFile

        path = folder / "receptor.pdb"
        with open(path, "w") as file:
            PDBFile.writeModel(self.protein.topology, self.protein.positions, file, keepIds=True)
            file.write("END\n")
        return path


def site_entries(site: str) -> list[str]:
    """Split a site into its entries.

    Parameters
    ----------
    site
        As configured, separated by commas.

    Returns
    -------
    list of str
        CHAIN:NUMBER or residue names, without blanks.
    """
    return [entry.strip() for entry in site.split(",") if entry.strip()]
