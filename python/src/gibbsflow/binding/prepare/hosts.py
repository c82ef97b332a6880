"""Hosts: receptors that are small molecules, read with their bonds; their net charge from several sources."""

from __future__ import annotations

from pathlib import Path

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.molecules import Molecule, MoleculeError
from gibbsflow.binding.prepare.receptors import Receptor, site_entries
from gibbsflow.config.binding import System
from gibbsflow.errors import InputError, Problem

HOST_RESIDUE = "HST"
"""Residue name of a host in topologies, and of one whose file names none."""


def read_host(path: Path, settings: System) -> Receptor:
    """Read a host and check it.

    Parameters
    ----------
    path
        SDF or MOL2, with bonds, hydrogens and 3-D coordinates in Å.
    settings
        Section ``system`` of the configuration.

    Returns
    -------
    Receptor
        With the molecule and its net charge.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    try:
        molecule = molecules.from_file(path, settings.receptor_charge, field="receptor")
    except MoleculeError as error:
        told = [(f.what.removeprefix(f"{path}: "), f) for f in error.faults]
        raise InputError([Problem(str(path), what, f.right, field=f.field) for what, f in told]) from error
    names = molecule.residue_names or (HOST_RESIDUE,)
    if settings.site is not None:
        unknown = [entry for entry in site_entries(settings.site) if entry not in names]
        if unknown:
            right = f"the residues of this host ({', '.join(names)}), or no site at all: the whole host"
            raise InputError(Problem(str(path), f"no residue {', '.join(unknown)}", right, field="site"))
    charge = _host_charge(path, molecule, settings.receptor_charge)
    return Receptor(path.stem, "host", charge, molecule.heavy_angstrom, molecule, None, settings.site, molecule.notes)


def _host_charge(path: Path, molecule: Molecule, given: int | None) -> int:
    """Net charge of a host: the formal charges of its bonds, held against what the user says."""
    if given is not None and given != molecule.charge:
        what = f"{given:+d} given, but the host has {molecule.charge:+d} by its formal charges"
        raise InputError(Problem(str(path), what, f"{molecule.charge}, or left out", field="receptor_charge"))
    return molecule.charge
