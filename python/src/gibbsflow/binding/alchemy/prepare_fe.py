"""Free-energy legs of a bound complex: restraint, standard state, λ states and starts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import openmm

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg, place_leg, sampling
from gibbsflow.binding.alchemy.protocols import DOUBLE_DECOUPLING, LegSpec
from gibbsflow.binding.alchemy.restraints import BoreschRestraint, CentreOfMassRestraint, Restraint, restraint_as_dict
from gibbsflow.binding.alchemy.schedules import LambdaState, leg_schedules
from gibbsflow.binding.facts import (
    AnchorFacts,
    BoundFacts,
    LegFacts,
    PreparedFacts,
    RunFacts,
    SettingsFacts,
    StandardStateFacts,
    TopologyFacts,
)
from gibbsflow.binding.forcefield.topology import heavy_atoms
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Fe, Md
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.errors import InputError, Problem, StateError, UnboundError
from gibbsflow.units import Floats
from gibbsflow.workflow.files import inputs_hash
from gibbsflow.workflow.result import Result

log = logging.getLogger(__name__)

CENTRED_ANGSTROM = 1.0
"""A ligand whose centre is nearer to its site's than this is held at distance 0; another one where it was."""


def prepare_legs(
    system: SimSystem,
    config: BindingConfig,
    out: Path,
    result: Result,
    protocol: Sequence[LegSpec] = DOUBLE_DECOUPLING,
) -> SimSystem:
    """Write the legs of a protocol.

    Parameters
    ----------
    system
        As left by ``equil analyse``, bound.
    config
        Sections `fe` and `run` are used; `md` is that of the equilibration.
    out
        Folder of the system that is returned, with a folder ``legs/<name>`` for each leg.
    result
        Filled with the restraint and the standard state.
    protocol
        The legs.

    Returns
    -------
    SimSystem
        In `out`, written, with ``legs`` and their facts.

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
    found = system.find(BoundFacts)
    if found is None or not found.bound:
        raise UnboundError(f"{system.name}: not bound after equilibration, so there is nothing to prepare")
    md = system.facts(SettingsFacts).md
    schedules = leg_schedules(config.fe, protocol)
    plan = sampling(md, config.fe)
    starts = _bound_frames(system)
    _same_ligand(system, md)
    restraint = choose_restraint(system, config.fe)
    standard_state = restraint.standard_state(md.temperature_k)
    if standard_state.warning:
        log.warning("%s", standard_state.warning)
    log.info("restraint: %s", restraint.why)
    prepared = system.copy_to(out)
    for leg in protocol:
        _write_leg(leg, prepared, starts, schedules[leg.name], restraint, md, config)
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
    facts = LegFacts(
        fe=config.fe,
        run=RunFacts(seed=config.run.seed, replicates=config.run.replicates),
        restraint=restraint_as_dict(restraint),
        standard_state=StandardStateFacts(**term),
    )
    prepared = prepared.with_artifacts(legs="legs").with_facts(facts)
    prepared.write()
    return prepared


def _write_leg(
    leg: LegSpec,
    system: SimSystem,
    starts_nm: Floats,
    states: tuple[LambdaState, ...],
    restraint: Restraint,
    md: Md,
    config: BindingConfig,
) -> None:
    """Write the folder of one leg, its atoms counted as in its own topology."""
    parts = system.facts(TopologyFacts).parts
    inside = sorted(atom for part in leg.parts for atom in parts[part])
    place = {atom: index for index, atom in enumerate(inside)}
    folder = system.root / "legs" / leg.name
    topology, start = place_leg(folder, system.path(leg.topology), starts_nm[:, inside], inside)
    AlchemicalLeg(
        folder=folder,
        leg=leg.name,
        transformation=system.name,
        states=states,
        topology=topology,
        start=start,
        ligand_atoms=tuple(place[atom] for part in leg.alchemical for atom in parts[part]),
        receptor_atoms=tuple(place[atom] for atom in parts["receptor"] if atom in place),
        restraint=restraint if leg.restrained else None,
        md=md,
        fe=config.fe,
        seed=config.run.seed,
        replicates=config.run.replicates,
    ).write()


def _bound_frames(system: SimSystem) -> Floats:
    """Thermal frames to start windows from, shape (F, N, 3), nm: the second half of the free equilibration."""
    with np.load(system.path("equil_frames"), allow_pickle=False) as file:
        frames = np.asarray(file["positions_nm"], dtype=float)[~file["heating"].astype(bool)]
    return frames[len(frames) // 2 :]


def choose_restraint(system: SimSystem, fe: Fe) -> Restraint:
    """Make the restraint asked for; ``auto`` takes the centre of mass for hosts, Boresch for proteins.

    A symmetric host cannot carry an orientational restraint without its symmetry being sampled too (or −kT ln σ).

    Parameters
    ----------
    system
        As left by ``equil analyse``, bound.
    fe
        Kind and force constants.

    Returns
    -------
    CentreOfMassRestraint or BoreschRestraint
        With atoms of the complex.

    Raises
    ------
    InputError
        For Boresch without anchors.
    """
    host = system.facts(PreparedFacts).receptor_kind == "host"
    kind = fe.restraint
    if kind == "auto":
        kind = "com" if host else "boresch"
    if kind == "boresch":
        found = system.find(AnchorFacts)
        if found is None or found.anchors is None:
            why = (found and found.anchors_problem) or "the equilibration was not analysed"
            raise InputError(
                Problem(system.name, f"no anchors for a Boresch restraint: {why}", "com", field="restraint")
            )
        if host:
            log.warning(
                "Boresch restraint in a host: unless the guest turns through all equivalent poses of a symmetric host, "
                "the binding free energy lacks -kT ln(number of poses); a centre-of-mass restraint does not"
            )
        return BoreschRestraint(
            **asdict(found.anchors),
            k_r_kcal_per_mol_angstrom2=fe.boresch_k_r_kcal_per_mol_angstrom2,
            k_angle_kcal_per_mol_rad2=fe.boresch_k_angle_kcal_per_mol_rad2,
        )
    heavy = set(heavy_atoms(system.path("complex_prmtop")))
    atoms = system.facts(TopologyFacts)
    distance = system.facts(BoundFacts).ligand_site_distance_angstrom
    r0 = 0.0 if distance < CENTRED_ANGSTROM else round(distance, 3)
    site = atoms.site_atoms
    guest = tuple(atom for atom in atoms.ligand_atoms if atom in heavy)
    why = (
        f"centroids of {len(site)} site atoms and {len(guest)} heavy atoms of the ligand, {distance:.2f} Å apart "
        f"in the equilibration, held at {r0:g} Å"
    )
    return CentreOfMassRestraint(site, guest, fe.com_force_constant_kcal_per_mol_angstrom2, r0, why)


def _same_ligand(system: SimSystem, md: Md) -> None:
    """Check that the ligand's own topology is that of the ligand in the complex, atom by atom."""

    def particles(role: str, atoms: Sequence[int] | None) -> list[tuple[float, ...]]:
        parent = create_system(system.path(role), md)
        (force,) = (f for f in parent.getForces() if isinstance(f, openmm.NonbondedForce))
        chosen = range(parent.getNumParticles()) if atoms is None else atoms
        return [tuple(p._value for p in force.getParticleParameters(i)) for i in chosen]

    bound = particles("complex_prmtop", system.facts(TopologyFacts).ligand_atoms)
    if not np.allclose(bound, particles("ligand_prmtop", None), atol=1e-6):
        raise StateError(f"{system.name}: the ligand in the complex and in its own topology differ in parameters")
