"""Free-energy legs of a bound complex: restraint, standard state, λ states and starts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import openmm

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg, place_leg, sampling
from gibbsflow.binding.alchemy.restraints import BoreschRestraint, CentreOfMassRestraint, Restraint, restraint_as_dict
from gibbsflow.binding.alchemy.schedules import leg_schedules
from gibbsflow.binding.equilibrate.equilibration import heavy_atoms
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Fe, Md
from gibbsflow.config.section import read_section
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.errors import InputError, Problem, StateError, UnboundError
from gibbsflow.workflow.files import inputs_hash
from gibbsflow.workflow.result import Result

log = logging.getLogger(__name__)

CENTRED_ANGSTROM = 1.0
"""A ligand whose centre is nearer to its site's than this is held at distance 0; another one where it was."""


def prepare_legs(system: SimSystem, config: BindingConfig, out: Path, result: Result) -> SimSystem:
    """Write the complex and the solvent leg.

    Parameters
    ----------
    system
        As left by ``equil analyse``, bound.
    config
        Sections `fe` and `run` are used; `md` is that of the equilibration.
    out
        Folder of the system that is returned, with ``legs/complex`` and ``legs/solvent``.
    result
        Filled with the restraint and the standard state.

    Raises
    ------
    InputError
        For schedules, lengths or restraints that cannot be used.
    UnboundError
        Where the system is not bound.
    StateError
        Where the ligand of the complex is not that of its own topology.
    """
    roles = ("complex_prmtop", "ligand_prmtop", "representative_npz")
    result.inputs_hash = inputs_hash(
        files={role: system.path(role) for role in roles if role in system.artifacts},
        settings={"fe": config.fe.model_dump(mode="json"), "run": config.run.model_dump(mode="json")},
        physics=PHYSICS,
    )
    if not system.meta.get("bound"):
        raise UnboundError(f"{system.name}: not bound after equilibration, so there is nothing to prepare")
    md = read_section(Md, system.meta["md"], where=f"{system.root}/system.json, md")
    fe = config.fe
    schedules = leg_schedules(fe)
    plan = sampling(md, fe)
    starts = _bound_frames(system)
    ligand = [int(i) for i in system.meta["ligand_atoms"]]
    _same_ligand(system, md, ligand)
    restraint = choose_restraint(system, fe)
    standard_state = restraint.standard_state(md.temperature_k)
    if standard_state.warning:
        log.warning("%s", standard_state.warning)
    log.info("restraint: %s", restraint.why)
    carried = system.carry(out)
    atoms = {"complex": list(range(starts.shape[1])), "solvent": ligand}
    for leg, states in schedules.items():
        inside = atoms[leg]
        folder = out / "legs" / leg
        role = "complex_prmtop" if leg == "complex" else "ligand_prmtop"
        topology, start = place_leg(folder, system.path(role), starts[:, inside], inside)
        AlchemicalLeg(
            folder=folder,
            leg="complex" if leg == "complex" else "solvent",
            transformation=system.name,
            states=states,
            topology=topology,
            start=start,
            ligand_atoms=tuple(ligand) if leg == "complex" else tuple(range(len(ligand))),
            receptor_atoms=tuple(int(i) for i in system.meta["receptor_atoms"]) if leg == "complex" else (),
            restraint=restraint if leg == "complex" else None,
            md=md,
            fe=fe,
            seed=config.run.seed,
            replicates=config.run.replicates,
        ).write()
    term = {
        "analytic_kcal_per_mol": standard_state.analytic_kcal_per_mol,
        "numeric_kcal_per_mol": standard_state.numeric_kcal_per_mol,
    }
    result.seed = config.run.seed
    result.figures |= {
        "restraint": restraint_as_dict(restraint),
        "standard_state": term | ({"warning": standard_state.warning} if standard_state.warning else {}),
        "windows": {leg: len(states) for leg, states in schedules.items()},
        "samples_per_window": plan.samples - plan.discarded,
    }
    prepared = carried.with_artifacts(legs="legs").with_meta(
        fe=fe.model_dump(mode="json"),
        run={"seed": config.run.seed, "replicates": config.run.replicates},
        restraint=restraint_as_dict(restraint),
        standard_state=term,
    )
    prepared.write()
    return prepared


def _bound_frames(system: SimSystem) -> np.ndarray:
    """Thermal frames to start windows from, shape (F, N, 3), nm: the second half of the free equilibration."""
    with np.load(system.path("equil_frames"), allow_pickle=False) as file:
        frames = np.asarray(file["positions_nm"], dtype=float)[~file["heating"].astype(bool)]
    return frames[len(frames) // 2 :]


def choose_restraint(system: SimSystem, fe: Fe) -> Restraint:
    """Make the restraint asked for; ``auto`` takes the centre of mass for hosts, Boresch for proteins.

    A symmetric host cannot carry an orientational restraint without its symmetry being sampled too (or −kT ln σ).

    Raises
    ------
    InputError
        For Boresch without anchors.
    """
    kind = fe.restraint
    if kind == "auto":
        kind = "com" if system.meta["receptor_kind"] == "host" else "boresch"
    if kind == "boresch":
        anchors = system.meta.get("anchors")
        if anchors is None:
            why = system.meta.get("anchors_problem", "the equilibration was not analysed")
            raise InputError(
                Problem(system.name, f"no anchors for a Boresch restraint: {why}", "com", field="restraint")
            )
        if system.meta["receptor_kind"] == "host":
            log.warning(
                "Boresch restraint in a host: unless the guest turns through all equivalent poses of a symmetric host, "
                "the binding free energy lacks -kT ln(number of poses); a centre-of-mass restraint does not"
            )
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in anchors.items()}
        return BoreschRestraint(
            **values,
            k_r_kcal_per_mol_angstrom2=fe.boresch_k_r_kcal_per_mol_angstrom2,
            k_angle_kcal_per_mol_rad2=fe.boresch_k_angle_kcal_per_mol_rad2,
        )
    heavy = set(heavy_atoms(system.path("complex_prmtop")))
    distance = float(system.meta["ligand_site_distance_angstrom"])
    r0 = 0.0 if distance < CENTRED_ANGSTROM else round(distance, 3)
    site = tuple(int(i) for i in system.meta["site_atoms"])
    guest = tuple(int(i) for i in system.meta["ligand_atoms"] if i in heavy)
    why = (
        f"centroids of {len(site)} site atoms and {len(guest)} heavy atoms of the ligand, {distance:.2f} Å apart "
        f"in the equilibration, held at {r0:g} Å"
    )
    return CentreOfMassRestraint(site, guest, fe.com_force_constant_kcal_per_mol_angstrom2, r0, why)


def _same_ligand(system: SimSystem, md: Md, ligand: list[int]) -> None:
    """Check that the ligand's own topology is that of the ligand in the complex, atom by atom."""

    def particles(role: str, atoms: list[int] | None) -> list[tuple[float, ...]]:
        parent = create_system(system.path(role), md)
        (force,) = (f for f in parent.getForces() if isinstance(f, openmm.NonbondedForce))
        chosen = range(parent.getNumParticles()) if atoms is None else atoms
        return [tuple(p._value for p in force.getParticleParameters(i)) for i in chosen]

    if not np.allclose(particles("complex_prmtop", ligand), particles("ligand_prmtop", None), atol=1e-6):
        raise StateError(f"{system.name}: the ligand in the complex and in its own topology differ in parameters")
