"""The file of a receptor: which reader takes it, a host's (SDF, MOL2) or a protein's (PDB)."""

from __future__ import annotations

from pathlib import Path

from gibbsflow.binding.prepare.hosts import read_host
from gibbsflow.binding.prepare.proteins import read_protein
from gibbsflow.binding.prepare.receptors import Kind, Receptor
from gibbsflow.config.binding import System
from gibbsflow.errors import InputError, Problem

SUFFIXES: dict[str, Kind] = {".sdf": "host", ".mol2": "host", ".pdb": "protein", ".ent": "protein"}
RECEPTOR_RIGHT = "a host (SDF or MOL2, with bonds, hydrogens and 3-D coordinates) or a protein (PDB)"


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

    Returns
    -------
    Receptor
        Host or protein, by the ending of its file.

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
        return read_host(path, settings)
    return read_protein(path, settings, complete=complete)
