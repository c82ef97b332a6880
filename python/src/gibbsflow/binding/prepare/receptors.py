"""Receptors as read, checked and completed: what hosts and proteins have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gibbsflow.binding.facts import MembranePlanes
from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.molecules import Molecule
from gibbsflow.binding.prepare.protein.residues import Residue, pdb_text
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account

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
        Residues with all atoms, what is kept beside them last; None for a host, and where nothing was completed.
    site
        The site as configured; None for all.
    notes
        What was done to it, and what is in doubt.
    account
        All that was read, chosen, added and left out.
    left_out
        Residues of the file that are not part of it.
    parameters
        Files with parameters of what is kept.
    heavy_atoms
        What messages call each heavy atom of a protein, and its element in capitals, as in `heavy_angstrom`.
    membrane_planes
        Where dummy atoms of its file say that the membrane is; None where it has none.
    """

    name: str
    kind: Kind
    charge: int | None
    heavy_angstrom: Floats
    molecule: Molecule | None = None
    protein: tuple[Residue, ...] | None = None
    site: str | None = None
    notes: tuple[str, ...] = ()
    account: Account = field(default_factory=lambda: Account("receptor"))
    left_out: tuple[Residue, ...] = ()
    parameters: tuple[Path, ...] = ()
    heavy_atoms: tuple[tuple[str, str], ...] = ()
    membrane_planes: MembranePlanes | None = None

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
        assert self.protein is not None  # a receptor that was only looked at is never written
        path = folder / "receptor.pdb"
        path.write_text(pdb_text(self.protein))
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
