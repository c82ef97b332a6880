"""The file of a receptor: which reader takes it, a host's (SDF, MOL2) or a protein's (PDB)."""

from __future__ import annotations

from pathlib import Path

from gibbsflow.binding.prepare.hosts import read_host
from gibbsflow.binding.prepare.proteins import read_protein
from gibbsflow.binding.prepare.receptors import Kind, Receptor
from gibbsflow.config.binding import System
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, require_file

SUFFIXES: dict[str, Kind] = {
    ".sdf": "host",
    ".mol2": "host",
    ".pdb": "protein",
    ".ent": "protein",
    ".cif": "protein",
    ".mmcif": "protein",
}
OF_PROTEINS = ("protonation", "altloc", "keep", "parameters")
RECEPTOR_RIGHT = "a file: a host (SDF or MOL2, with bonds, hydrogens and 3-D coordinates) or a protein (PDB or mmCIF)"


def kind_of(path: Path) -> Kind | None:
    """Tell the kind of a receptor by the ending of its file.

    Parameters
    ----------
    path
        The file; it need not exist.

    Returns
    -------
    str or None
        ``host`` or ``protein``; None for other endings. Only files of proteins may be packed by gzip.
    """
    if path.suffix.lower() == ".gz":
        kind = SUFFIXES.get(Path(path.stem).suffix.lower())
        return kind if kind == "protein" else None
    return SUFFIXES.get(path.suffix.lower())


def read_receptor(
    path: Path, settings: System, *, complete: bool = True, ligand_residue: str | None = None, explicit: bool = False
) -> Receptor:
    """Read a receptor and check it.

    Parameters
    ----------
    path
        SDF or MOL2 for a host, PDB or mmCIF (packed by gzip or not) for a protein.
    settings
        Section ``system`` of the configuration.
    complete
        Add what a protein lacks (heavy atoms, hydrogens); False for a check that only looks.
    ligand_residue
        NAME CHAIN:NUMBER of the ligand in a protein's file; None where it is not in there.
    explicit
        Whether it will be in a box of water.

    Returns
    -------
    Receptor
        Host or protein, by the ending of its file.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    path = require_file(Path(path), RECEPTOR_RIGHT, STRUCTURE_BYTES, field="receptor")
    kind = kind_of(path)
    if kind is None:
        what = f"a receptor of unknown kind {path.suffix!r}"
        raise InputError(Problem(str(path), what, RECEPTOR_RIGHT, field="receptor"))
    if settings.receptor_kind not in ("auto", kind):
        right = "receptor_kind auto, or a PDB for a protein and an SDF or MOL2 for a host"
        what = f"{path.suffix} holds a {kind}, but receptor_kind is {settings.receptor_kind}"
        raise InputError(Problem(str(path), what, right, field="receptor_kind"))
    if kind == "host":
        idle = [key for key in OF_PROTEINS if getattr(settings, key) is not None]
        if idle or ligand_residue is not None:
            what = f"{', '.join([*idle, *['ligand_residue'] * (ligand_residue is not None)])} given with a host"
            raise InputError(Problem(str(path), what, "a protein, or these left out", field="receptor"))
        return read_host(path, settings)
    return read_protein(path, settings, complete=complete, ligand_residue=ligand_residue, explicit=explicit)
