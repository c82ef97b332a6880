"""Phase param_ligands: the parameters of a system's ligand and host, as files that tleap reads."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from gibbsflow.binding.forcefield import gaff
from gibbsflow.binding.prepare.molecules import read_sdf
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Param
from gibbsflow.engines import ambertools
from gibbsflow.workflow.files import inputs_hash

LIGAND_RESIDUE = "LIG"
HOST_RESIDUE = "HST"
BOUNDS = frozenset({"param_memory_gb", "param_time_min"})
"""Settings of section ``param`` that cannot change a result."""


def parametrisation_hash(system: SimSystem, settings: Param) -> str:
    """Hash of all that decides the parameters of a system."""
    files = {"ligand": system.path("ligand")}
    if system.meta["receptor_kind"] == "host":
        files["receptor"] = system.path("receptor")
    content = settings.model_dump(exclude=set(BOUNDS)) | {"ambertools": ambertools.version()}
    content |= {"ligand_charge": system.meta["ligand_charge"], "receptor_charge": system.meta["receptor_charge"]}
    return inputs_hash(files=files, settings=content, physics=gaff.VERSION)


def parametrise_system(
    system: SimSystem, settings: Param, *, cache: Path, out: Path
) -> tuple[SimSystem, dict[str, Any]]:
    """Parametrise the ligand, and the host where there is one.

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
    """
    out = Path(out)
    start = time.monotonic()
    molecules = {"ligand": (read_sdf(system.path("ligand"), system.meta["ligand_charge"]), LIGAND_RESIDUE)}
    if system.meta["receptor_kind"] == "host":
        molecules["host"] = (read_sdf(system.path("receptor"), system.meta["receptor_charge"]), HOST_RESIDUE)
    carried = system.carry(out)
    facts: dict[str, Any] = {"ligand_ff": settings.ligand_ff, "charge_method": settings.charge_method}
    hits = {}
    for role, (molecule, residue) in molecules.items():
        found = gaff.parametrise(molecule, settings, name=role, cache=cache, logs=out / "logs", rigid=role == "host")
        mol2 = gaff.write_mol2(molecule, found, out / f"{role}.mol2", residue)
        frcmod = out / f"{role}.frcmod"
        frcmod.write_text(found.frcmod)
        carried = carried.with_artifacts(**{f"{role}_mol2": mol2.name, f"{role}_frcmod": frcmod.name})
        hits[role] = found.hit
        facts[role] = {
            "hash": found.key,
            "charge_correction_e": round(found.correction_e, 9),
            "largest_penalty": gaff.read_frcmod_penalty(found.frcmod),
        }
    meta = dict(facts)  # without what differs between two runs of the same input
    facts["cache_hit"] = hits
    facts["parametrisation_s"] = round(time.monotonic() - start, 3)
    return carried.with_meta(param=meta, protein_ff=settings.protein_ff), facts
