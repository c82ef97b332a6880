"""Free-energy legs of a bound complex: restraint, standard state, λ states and starts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg, place_leg, sampling
from gibbsflow.binding.alchemy.gromacs_states import gromacs_problems
from gibbsflow.binding.alchemy.protocols import LegSpec, cycle_doubts, protocol_of, restrains
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
from gibbsflow.binding.forcefield.topology_file import heavy_atoms
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Fe, Md, hashed
from gibbsflow.engines.md_engine import MdEngine
from gibbsflow.engines.md_engines import WHOLE_RUNS, engine_for
from gibbsflow.errors import InputError, Problem, StateError, UnboundError
from gibbsflow.units import Floats
from gibbsflow.workflow.files import inputs_hash, read_arrays
from gibbsflow.workflow.result import Result

log = logging.getLogger(__name__)

CENTRED_ANGSTROM = 1.0
"""A ligand whose centre is nearer to its site's than this is held at distance 0; another one where it was."""


def prepare_legs(
    system: SimSystem,
    config: BindingConfig,
    out: Path,
    result: Result,
    protocol: Sequence[LegSpec] | None = None,
    engine: MdEngine | None = None,
) -> SimSystem:
    """Write the legs of a protocol.

    Parameters
    ----------
    system
        As left by ``equil analyse``, bound; for legs of the ligand alone, as left by ``equil run``.
    config
        Sections `fe` and `run` are used; `md` is that of the equilibration.
    out
        Folder of the system that is returned, with a folder ``legs/<name>`` for each leg.
    result
        Filled with the restraint and the standard state.
    protocol
        The legs; default: those of the mode.
    engine
        What reads the topologies; default: that of the settings.

    Returns
    -------
    SimSystem
        In `out`, written, with ``legs`` and their facts.

    Raises
    ------
    InputError
        For schedules, lengths or restraints that cannot be used.
    UnboundError
        Where a leg holds the receptor, and the system is not bound.
    StateError
        Where what changes with λ is not the same in all topologies, such as the ligand of the complex in its own.
    """
    md = system.facts(SettingsFacts).md
    protocol = protocol or protocol_of(config.run.mode, explicit=md.explicit)
    roles = {"complex_prmtop", "ligand_prmtop", "representative_npz", *(leg.topology for leg in protocol)}
    result.inputs_hash = inputs_hash(
        files={role: system.path(role) for role in roles if role in system.artifacts},
        settings={"fe": hashed(config.fe), "run": hashed(config.run)},
        physics=PHYSICS,
    )
    found = system.find(BoundFacts)
    if any("receptor" in leg.parts for leg in protocol) and (found is None or not found.bound):
        raise UnboundError(f"{system.name}: not bound after equilibration, so there is nothing to prepare")
    schedules = leg_schedules(config.fe, protocol)
    plan = sampling(md, config.fe)
    if md.engine == WHOLE_RUNS and (problems := gromacs_problems(config, protocol, where="fe")):
        raise InputError(problems)
    known = system.find(PreparedFacts)
    account = cycle_doubts(protocol, md, known.ligand_charge if known else 0, where=system.name)
    account.settle()
    _same_alchemical(system, protocol, md, engine or engine_for(md))
    restraint, told = _hold(system, config.fe, md) if restrains(protocol) else (None, {})
    prepared = system.copy_to(out)
    for leg in protocol:
        _write_leg(leg, prepared, schedules[leg.name], restraint, md, config)
    result.seed = config.run.seed
    result.figures |= told | {
        "windows": {leg: len(states) for leg, states in schedules.items()},
        "samples_per_window": plan.samples - plan.discarded,
    }
    facts = LegFacts(
        fe=config.fe,
        run=RunFacts(seed=config.run.seed, replicates=config.run.replicates),
        restraint=told.get("restraint"),
        standard_state=StandardStateFacts.from_meta(told["standard_state"], where=system.name) if told else None,
    )
    prepared = prepared.with_artifacts(legs="legs").with_facts(facts).with_account(account)
    prepared.write()
    return prepared


def _hold(system: SimSystem, fe: Fe, md: Md) -> tuple[Restraint, dict[str, Any]]:
    """Choose the restraint; what is to be told of it and of its standard state."""
    restraint = choose_restraint(system, fe)
    term = restraint.standard_state(md.temperature_k)
    if term.warning:
        log.warning("%s", term.warning)
    log.info("restraint: %s", restraint.why)
    values = {
        "analytic_kcal_per_mol": term.analytic_kcal_per_mol,
        "numeric_kcal_per_mol": term.numeric_kcal_per_mol,
        **({"warning": term.warning} if term.warning else {}),
    }
    return restraint, {"restraint": restraint_as_dict(restraint), "standard_state": values}


def _write_leg(
    leg: LegSpec,
    system: SimSystem,
    states: tuple[LambdaState, ...],
    restraint: Restraint | None,
    md: Md,
    config: BindingConfig,
) -> None:
    """Write the folder of one leg, its atoms counted as in its own topology."""
    starts_nm, boxes_nm = _free_frames(system, leg.frames)
    parts = system.facts(TopologyFacts).parts(leg.frames, starts_nm.shape[1])
    inside = sorted(atom for part in leg.parts for atom in parts[part])
    place = {atom: index for index, atom in enumerate(inside)}
    folder = system.root / "legs" / leg.name
    boxes_nm = boxes_nm if leg.medium == "solvent" else None
    topology, start = place_leg(folder, system.path(leg.topology), starts_nm[:, inside], inside, boxes_nm)
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
        md=leg.md(md),
        fe=config.fe,
        seed=config.run.seed,
        replicates=config.run.replicates,
    ).write()


def _free_frames(system: SimSystem, artifact: str) -> tuple[Floats, Floats | None]:
    """Thermal frames to start windows from, shape (F, N, 3), and their boxes, nm: the second half of what was free."""
    file = read_arrays(system.path(artifact), "positions_nm", "heating", optional=("box_nm",))
    free = ~file["heating"].astype(bool)
    frames = np.asarray(file["positions_nm"], dtype=float)[free]
    boxes = np.asarray(file["box_nm"], dtype=float)[free] if "box_nm" in file else None
    half = len(frames) // 2
    return frames[half:], None if boxes is None else boxes[half:]


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


def _same_alchemical(system: SimSystem, protocol: Sequence[LegSpec], md: Md, engine: MdEngine) -> None:
    """Check that what changes with λ has the same parameters in the topologies of all legs, atom by atom."""
    known = system.facts(TopologyFacts)
    by_topology: dict[str, LegSpec] = {}
    for leg in protocol:
        by_topology.setdefault(leg.topology, leg)
    first, *others = by_topology.values()

    def particles(leg: LegSpec) -> Floats:
        every = engine.nonbonded(engine.system(system.path(leg.topology), leg.md(md)))
        parts = known.parts(leg.frames, len(every)) if "environment" in leg.parts else known.parts(leg.frames, 0)
        inside = sorted(atom for part in leg.parts for atom in parts[part])
        if len(every) != len(inside):
            raise StateError(f"{system.path(leg.topology)}: {len(every)} atoms, not {len(inside)}")
        return every[[inside.index(atom) for part in leg.alchemical for atom in parts[part]]]

    for other in others:
        if not np.allclose(particles(first), particles(other), atol=1e-6):
            where = "its own topology" if set(other.parts) == set(other.alchemical) else f"the {other.name}"
            what = f"the {' and '.join(first.alchemical)} in the {first.name} and in {where} differ in parameters"
            raise StateError(f"{system.name}: {what}")
