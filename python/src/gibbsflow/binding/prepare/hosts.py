"""Hosts: receptors that are small molecules, read with their bonds; their net charge from several sources."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.molecules import Molecule, MoleculeError
from gibbsflow.binding.prepare.receptors import Receptor, site_entries
from gibbsflow.config.binding import System
from gibbsflow.errors import InputError, Problem

HOST_RESIDUE = "HST"
"""Residue name of a host in topologies, and of one whose file names none."""
PARTIAL_CHARGE_TOLERANCE_E = 0.1
"""Partial charges whose sum is farther than this from an integer say nothing of the net charge."""


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
        molecule = molecules.from_file(path, field="receptor")
    except MoleculeError as error:
        raise InputError([Problem(str(path), f.what, f.right, field=f.field) for f in error.faults]) from error
    names = molecule.residue_names or (HOST_RESIDUE,)
    if settings.site is not None:
        unknown = [entry for entry in site_entries(settings.site) if entry not in names]
        if unknown:
            right = f"the residues of this host ({', '.join(names)}), or no site at all: the whole host"
            raise InputError(Problem(str(path), f"no residue {', '.join(unknown)}", right, field="site"))
    charge = _host_charge(path, molecule, settings.receptor_charge)
    return Receptor(path.stem, "host", charge, molecule.heavy_angstrom, molecule, None, settings.site, molecule.notes)


def _host_charge(path: Path, molecule: Molecule, given: int | None) -> int:
    """Net charge of a host: the formal charges of its bonds, held against partial charges and what the user says."""
    claims = {molecule.charge: "its formal charges"}
    mol = molecule.mol
    if path.suffix.lower() == ".mol2" and all(a.HasProp("_TriposPartialCharge") for a in mol.GetAtoms()):
        partial = np.array([float(a.GetProp("_TriposPartialCharge")) for a in mol.GetAtoms()])
        total = float(partial.sum())
        if np.abs(partial).max() > 0 and abs(total - round(total)) < PARTIAL_CHARGE_TOLERANCE_E:
            claims.setdefault(round(total), "its partial charges")
    told = " and ".join(f"{charge:+d} by {source}" for charge, source in claims.items())
    if given is None and len(claims) > 1:
        raise InputError(Problem(str(path), f"the charge is {told}", "say receptor_charge", field="receptor_charge"))
    if given is not None and given not in claims:
        what = f"{given:+d} given, but the host has {told}"
        raise InputError(Problem(str(path), what, f"{next(iter(claims))}, or left out", field="receptor_charge"))
    charge = molecule.charge if given is None else given
    electrons = molecules.electron_count(mol, charge)
    if electrons % 2:
        what = f"an odd number of electrons ({electrons})"
        raise InputError(
            Problem(str(path), what, "a closed shell: check hydrogens and charge", field="receptor_charge")
        )
    return charge
