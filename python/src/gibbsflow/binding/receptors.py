"""Receptors: hosts (small molecules with bonds) and proteins (PDB, mended and protonated by PDBFixer)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gibbsflow.binding import molecules
from gibbsflow.binding.molecules import Molecule, MoleculeError
from gibbsflow.binding.placement import Floats, heavy_atoms
from gibbsflow.config.run import System
from gibbsflow.errors import InputError, Problem

Kind = Literal["host", "protein"]
SUFFIXES: dict[str, Kind] = {".sdf": "host", ".mol2": "host", ".pdb": "protein", ".ent": "protein"}
AMINO_ACIDS = frozenset(
    "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL "
    "HID HIE HIP CYX CYM ASH GLH LYN MSE ACE NME".split()
)
HOST_RESIDUE = "HST"
PEPTIDE_BOND_ANGSTROM = 2.0
RECEPTOR_RIGHT = "a host (SDF or MOL2, with bonds, hydrogens and 3-D coordinates) or a protein (PDB)"


@dataclass(frozen=True)
class Receptor:
    """A receptor as read, checked and completed.

    Parameters
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
        """Write ``receptor.sdf`` or ``receptor.pdb``."""
        if self.molecule is not None:
            return molecules.write_sdf(self.molecule, folder / "receptor.sdf", self.name)
        from openmm.app import PDBFile

        path = folder / "receptor.pdb"
        with open(path, "w") as file:
            PDBFile.writeModel(self.protein.topology, self.protein.positions, file, keepIds=True)
            file.write("END\n")
        return path


def read_receptor(path: Path, settings: System, *, complete: bool = True) -> Receptor:
    """Read a receptor and check it.

    Parameters
    ----------
    path
        SDF or MOL2 for a host, PDB for a protein.
    settings
        Section ``system`` of the configuration.
    complete
        Add what a protein lacks (heavy atoms, hydrogens); False for a check that only looks.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(Problem(str(path), "no such file", RECEPTOR_RIGHT, field="receptor"))
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            Problem(str(path), f"a receptor of unknown kind {path.suffix!r}", RECEPTOR_RIGHT, field="receptor")
        )
    kind = SUFFIXES[path.suffix.lower()]
    if settings.receptor_kind not in ("auto", kind):
        right = "receptor_kind auto, or a PDB for a protein and an SDF or MOL2 for a host"
        what = f"{path.suffix} holds a {kind}, but receptor_kind is {settings.receptor_kind}"
        raise InputError(Problem(str(path), what, right, field="receptor_kind"))
    if kind == "host":
        return _host(path, settings)
    from gibbsflow.binding.proteins import read_protein

    return read_protein(path, settings, complete=complete)


def _host(path: Path, settings: System) -> Receptor:
    try:
        molecule = molecules.from_file(path, field="receptor")
    except MoleculeError as error:
        raise InputError([Problem(str(path), f.what, f.right, field=f.field) for f in error.faults]) from error
    names = molecule.residue_names or (HOST_RESIDUE,)
    if settings.site is not None:
        unknown = [part.strip() for part in settings.site.split(",") if part.strip() not in names]
        if unknown:
            right = f"the residues of this host ({', '.join(names)}), or no site at all: the whole host"
            raise InputError(Problem(str(path), f"no residue {', '.join(unknown)}", right, field="site"))
    charge = _host_charge(path, molecule, settings.receptor_charge)
    heavy = molecule.positions_angstrom[heavy_atoms(molecule.mol)]
    return Receptor(path.stem, "host", charge, heavy, molecule, None, settings.site, molecule.notes)


def _host_charge(path: Path, molecule: Molecule, given: int | None) -> int:
    """Net charge of a host: the formal charges of its bonds, held against partial charges and what the user says."""
    claims = {molecule.charge: "its formal charges"}
    mol = molecule.mol
    if path.suffix.lower() == ".mol2" and all(a.HasProp("_TriposPartialCharge") for a in mol.GetAtoms()):
        partial = np.array([float(a.GetProp("_TriposPartialCharge")) for a in mol.GetAtoms()])
        total = float(partial.sum())
        if np.abs(partial).max() > 0 and abs(total - round(total)) < 0.1:
            claims.setdefault(round(total), "its partial charges")
    told = " and ".join(f"{charge:+d} by {source}" for charge, source in claims.items())
    if given is None and len(claims) > 1:
        raise InputError(Problem(str(path), f"the charge is {told}", "say receptor_charge", field="receptor_charge"))
    if given is not None and given not in claims:
        what = f"{given:+d} given, but the host has {told}"
        raise InputError(Problem(str(path), what, f"{next(iter(claims))}, or left out", field="receptor_charge"))
    charge = molecule.charge if given is None else given
    electrons = sum(a.GetAtomicNum() for a in mol.GetAtoms()) - charge
    if electrons % 2:
        what = f"an odd number of electrons ({electrons})"
        raise InputError(
            Problem(str(path), what, "a closed shell: check hydrogens and charge", field="receptor_charge")
        )
    return charge
