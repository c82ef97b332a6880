"""Phase param_ligands: the parameters of a system's ligand and host, as files that tleap reads."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from gibbsflow.binding.facts import Parametrisation, ParamFacts, PreparedFacts
from gibbsflow.binding.forcefield import gaff
from gibbsflow.binding.prepare.conformers import settle_stereo
from gibbsflow.binding.prepare.hosts import HOST_RESIDUE
from gibbsflow.binding.prepare.ligands import CHARGES_ARTIFACT
from gibbsflow.binding.prepare.molecules import Molecule, read_sdf
from gibbsflow.binding.prepare.small_molecule.sdf_records import CHARGES, SdfCharges
from gibbsflow.binding.prepare.small_molecule.stereo import specified
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Param, hashed
from gibbsflow.engines import ambertools
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import inputs_hash, read_json

log = logging.getLogger(__name__)
LIGAND_RESIDUE = "LIG"
"""Residue name of every ligand in topologies."""
ISOMER = 2
"""Raised by hand when charges change of ligands with E or Z double bonds, or cis and trans in a ring."""
NOT_HASHED = frozenset({"param_memory_gb", "param_time_min"})
"""Settings of section ``param`` that cannot change a result."""


def parametrisation_hash(system: SimSystem, settings: Param) -> str:
    """Hash of all that decides the parameters of a system.

    Parameters
    ----------
    system
        As left by ``system_prep system``.
    settings
        Section ``param`` of the configuration; bounds on memory and time do not count.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    files = {"ligand": system.path("ligand")}
    known = system.facts(PreparedFacts)
    if known.receptor_kind == "host":
        files["receptor"] = system.path("receptor")
    content = {key: value for key, value in hashed(settings).items() if key not in NOT_HASHED}
    content["ambertools"] = ambertools.version()
    if settings.charge_source == "sdf" and CHARGES_ARTIFACT in system.artifacts:
        files[CHARGES_ARTIFACT] = system.path(CHARGES_ARTIFACT)
    content |= {"ligand_charge": known.ligand_charge, "receptor_charge": known.receptor_charge}
    stereo = specified(settle_stereo(read_sdf(system.path("ligand"), known.ligand_charge)).mol)
    if stereo.bonds or stereo.dependent:
        content["isomer"] = ISOMER  # their charges were once those of another isomer
    return inputs_hash(files=files, settings=content, physics=gaff.VERSION)


def parametrise_system(
    system: SimSystem, settings: Param, *, cache: Path, out: Path
) -> tuple[SimSystem, dict[str, Any]]:
    """Parametrise the ligand, and the host where there is one.

    Parameters
    ----------
    system
        As left by ``system_prep system``.
    settings
        Section ``param`` of the configuration.
    cache
        Folder of the parameter cache, shared by any number of processes.
    out
        Folder that takes all files of the system.

    Returns
    -------
    system
        In `out`, with ``ligand_mol2``, ``ligand_frcmod`` and for a host ``host_mol2``, ``host_frcmod``; not yet
        written.
    facts
        Figures for ``result.json``.

    Raises
    ------
    ParametrisationError
        Naming the molecule, the log and what the program said.
    InputError
        Where charges are to be those of the SDF, which has none, or not those of the molecule.
    """
    out = Path(out)
    start = time.monotonic()
    known = system.facts(PreparedFacts)
    molecules = {"ligand": (read_sdf(system.path("ligand"), known.ligand_charge), LIGAND_RESIDUE)}
    if known.receptor_kind == "host":
        assert known.receptor_charge is not None  # only a protein's is left to its force field
        molecules["host"] = (read_sdf(system.path("receptor"), known.receptor_charge), HOST_RESIDUE)
    given = {"ligand": _sdf_charges(system, molecules["ligand"][0])} if settings.charge_source == "sdf" else {}
    carried = system.copy_to(out)
    facts: dict[str, Any] = {"ligand_ff": settings.ligand_ff, "charge_method": settings.charge_method}
    if given:
        facts["charge_source"] = settings.charge_source
    hits = {}
    account = Account(system.name)
    if CHARGES_ARTIFACT in system.artifacts and not given:
        account.note("the partial charges that the structure brings along are not taken (charge_source)")
    for role, (molecule, residue) in molecules.items():
        found = gaff.parametrise(
            molecule,
            settings,
            name=role,
            cache=cache,
            logs=out / "logs",
            rigid=role == "host",
            charges_e=given.get(role),
        )
        mol2 = gaff.write_mol2(molecule, found, out / f"{role}.mol2", residue)
        frcmod = out / f"{role}.frcmod"
        frcmod.write_text(found.frcmod)
        carried = carried.with_artifacts(**{f"{role}_mol2": mol2.name, f"{role}_frcmod": frcmod.name})
        hits[role] = found.from_cache
        for warning in found.warnings:
            account.warn(warning)
        facts[role] = {
            "hash": found.key,
            "charge_correction_e": round(found.correction_e, 9),
            "largest_penalty": gaff.read_frcmod_penalty(found.frcmod),
        }
    param = Parametrisation.model_validate(facts)  # without what differs between two runs of the same input
    facts["cache_hit"] = hits
    facts["warnings"] = account.as_dict()["warnings"]
    account.settle()
    facts["parametrisation_s"] = round(time.monotonic() - start, 3)
    found_facts = ParamFacts(param=param, protein_ff=settings.protein_ff)
    return carried.with_facts(found_facts).with_account(account), facts


def _sdf_charges(system: SimSystem, ligand: Molecule) -> tuple[float, ...]:
    """Charges that came with the ligand's SDF, checked."""
    where = system.name
    if CHARGES_ARTIFACT not in system.artifacts:
        right = f"a structure with the property {CHARGES} and all hydrogens, or charge_source am1bcc"
        raise InputError(Problem(where, "its structure brings no partial charges along", right, field="charge_source"))
    charges = SdfCharges(tuple(read_json(system.path(CHARGES_ARTIFACT))["charges_e"]))
    if wrong := charges.faults("charge_source", ligand.mol.GetNumAtoms(), ligand.charge):
        raise InputError([Problem(where, f.what, f.right, field=f.field) for f in wrong])
    return charges.values_e
