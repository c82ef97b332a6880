"""Free-energy legs of a bound complex: restraint, standard state, λ states and starts."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg, place_leg
from gibbsflow.binding.alchemy.finite_size.leg_correction import leg_correction
from gibbsflow.binding.alchemy.gromacs_states import gromacs_problems
from gibbsflow.binding.alchemy.protocols import LegSpec, cycle_doubts, protocol_of, restrains
from gibbsflow.binding.alchemy.restraint.holding import hold_ligand, symmetry_problems
from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint, Restraint, restraint_as_dict
from gibbsflow.binding.alchemy.sampling_plan import sampling
from gibbsflow.binding.alchemy.schedules import LambdaState, leg_schedules
from gibbsflow.binding.equilibrate.periodic_box import kept_apart
from gibbsflow.binding.facts import (
    BoundFacts,
    LegFacts,
    PreparedFacts,
    RunFacts,
    SettingsFacts,
    StandardStateFacts,
    TopologyFacts,
)
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Fe, Md, hashed
from gibbsflow.engines.amber.choice import window_problems
from gibbsflow.engines.md_engine import MdEngine
from gibbsflow.engines.md_engines import EQUILIBRATES, WHOLE_RUNS, engine_for
from gibbsflow.errors import InputError, Problem, StateError, UnboundError
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import inputs_hash, read_arrays
from gibbsflow.workflow.result import Result

log = logging.getLogger(__name__)

_FAR = ("copy", "ions")
"""Parts that change with the ligand and are not the ligand."""


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
    protocol = protocol or protocol_of(config.run.mode, explicit=md.explicit, fe=config.fe)
    roles = {"complex_prmtop", "ligand_prmtop", "representative_npz", *(leg.topology for leg in protocol)}
    known = system.find(PreparedFacts)
    own = {"symmetry_number": known.symmetry_number} if known and known.symmetry_number else {}
    result.inputs_hash = inputs_hash(
        files={role: system.path(role) for role in roles if role in system.artifacts},
        settings={"fe": hashed(config.fe), "run": hashed(config.run), **own},
        physics=PHYSICS,
    )
    schedules, samples = begin_legs(system, protocol, config)
    amber = config.model_copy(update={"md": md})
    if md.engine == EQUILIBRATES and (problems := window_problems(amber, "fe", programs=False)):
        raise InputError(problems)
    if md.engine == WHOLE_RUNS and (problems := gromacs_problems(config, protocol, where="fe")):
        raise InputError(problems)
    account = cycle_doubts(protocol, md, known.ligand_charge if known else 0, where=system.name, fe=config.fe)
    if not restrains(protocol):
        for problem in symmetry_problems(config.fe.symmetry_number, None, (), where=system.name):
            account.refuse(problem.what, problem.right, field=problem.field)
    account.settle()
    _have_parts(system, protocol, known.ligand_charge if known else 0)
    engine = engine or engine_for(md)
    _same_alchemical(system, protocol, md, engine)
    charged = config.fe.charge_correction == "analytic" and known is not None and known.ligand_charge != 0
    corrections = None
    if charged:
        sizes = Account(system.name)
        corrections = _finite_size(system, protocol, md, engine, sizes)
        sizes.settle()
        account.take(sizes)
    restraint, told = _hold(system, config.fe, md, account) if restrains(protocol) else (None, {})
    if md.engine == EQUILIBRATES and restraint is not None and not isinstance(restraint, BoreschRestraint):
        what = f"{restraint.kind}: with λ pmemd.cuda scales restraints between atoms, not those between centres"
        account.refuse(what, "boresch, or engine openmm or gromacs", field="restraint")
    account.settle()
    prepared = system.copy_to(out)
    for leg in protocol:
        _write_leg(leg, prepared, schedules[leg.name], restraint, md, config)
    result.seed = config.run.seed
    result.figures |= told | ({"finite_size": corrections} if corrections else {})
    result.figures |= {
        "windows": {leg: len(states) for leg, states in schedules.items()},
        "samples_per_window": samples,
    }
    facts = LegFacts(
        fe=config.fe,
        run=RunFacts(seed=config.run.seed, replicates=config.run.replicates),
        restraint=told.get("restraint"),
        restraint_choice=told.get("restraint_choice"),
        standard_state=StandardStateFacts.from_meta(told["standard_state"], where=system.name) if told else None,
        finite_size=corrections,
    )
    prepared = prepared.with_artifacts(legs="legs").with_facts(facts).with_account(account)
    prepared.write()
    return prepared


def begin_legs(
    system: SimSystem, protocol: Sequence[LegSpec], config: BindingConfig
) -> tuple[dict[str, tuple[LambdaState, ...]], int]:
    """See that legs can begin with a system, of a ligand or of an edge that begins with it.

    Parameters
    ----------
    system
        After its equilibration.
    protocol
        The legs.
    config
        Section `fe` is used.

    Returns
    -------
    schedules
        States by name of the leg.
    samples
        Of each window, kept ones.

    Raises
    ------
    InputError
        For schedules and lengths that cannot be used.
    UnboundError
        Where a leg holds the receptor, and the system is not bound.
    """
    found = system.find(BoundFacts)
    if any("receptor" in leg.parts for leg in protocol) and (found is None or not found.bound):
        raise UnboundError(f"{system.name}: not bound after equilibration, so there is nothing to prepare")
    schedules, plan = leg_schedules(config.fe, protocol), sampling(system.facts(SettingsFacts).md, config.fe)
    return schedules, plan.samples - plan.discarded


def _hold(system: SimSystem, fe: Fe, md: Md, account: Account) -> tuple[Restraint, dict[str, Any]]:
    """Choose the restraint; what is to be told of it and of its standard state."""
    held = hold_ligand(system, fe)
    account.take(held.account)
    term = held.restraint.standard_state(md.temperature_k)
    if term.warning:
        log.warning("%s", term.warning)
    log.info("restraint: %s", held.restraint.why)
    values = {
        "analytic_kcal_per_mol": term.analytic_kcal_per_mol,
        "numeric_kcal_per_mol": term.numeric_kcal_per_mol,
        **({"warning": term.warning} if term.warning else {}),
    }
    told = {"restraint": restraint_as_dict(held.restraint), "standard_state": values}
    return held.restraint, told | {"restraint_choice": held.told(md.temperature_k)}


def _write_leg(
    leg: LegSpec,
    system: SimSystem,
    states: tuple[LambdaState, ...],
    restraint: Restraint | None,
    md: Md,
    config: BindingConfig,
) -> None:
    """Write the folder of one leg, its atoms counted as in its own topology."""
    starts_nm, boxes_nm = free_frames(system, leg.frames)
    parts = system.facts(TopologyFacts).parts(leg.frames, starts_nm.shape[1])
    inside = sorted(atom for part in leg.parts for atom in parts[part])
    place = {atom: index for index, atom in enumerate(inside)}
    folder = system.root / "legs" / leg.name
    boxes_nm = boxes_nm if leg.medium == "solvent" else None
    topology, start = place_leg(folder, system.path(leg.topology), starts_nm[:, inside], inside, boxes_nm)

    def here(atoms: Iterable[int]) -> tuple[int, ...]:
        return tuple(place[atom] for atom in atoms if atom in place)

    remote = system.facts(TopologyFacts).far_from(leg.frames)
    AlchemicalLeg(
        folder=folder,
        leg=leg.name,
        transformation=system.name,
        states=states,
        topology=topology,
        start=start,
        ligand_atoms=here(atom for part in leg.alchemical if part not in _FAR for atom in parts[part]),
        receptor_atoms=here(parts["receptor"]),
        restraint=restraint if leg.restrained else None,
        md=leg.md(md),
        fe=config.fe,
        seed=config.run.seed,
        replicates=config.run.replicates,
        copy_atoms=here(parts["copy"]) if "copy" in leg.alchemical else (),
        ion_atoms=here(parts["ions"]) if "ions" in leg.alchemical else (),
        apart=tuple(
            replace(pair, centre=here(pair.centre), away=here(pair.away))
            for pair in (kept_apart(remote) if leg.medium == "solvent" else ())
        ),
    ).write()


def _have_parts(system: SimSystem, protocol: Sequence[LegSpec], ligand_charge: int) -> None:
    """Refuse legs whose boxes were built for others: ``equil prepare`` puts in what changes far from the ligand."""
    for leg in protocol:
        remote = system.facts(TopologyFacts).far_from(leg.frames)
        copies, ions = (len(remote.copy_atoms), len(remote.ion_atoms)) if remote else (0, 0)
        wanted = abs(ligand_charge) if "ions" in leg.alchemical else 0
        if (copies > 0) != ("copy" in leg.parts) or (leg.medium == "solvent" and ions != wanted):
            what = f"the box of leg {leg.name} was built for another abfe_protocol or charge_correction"
            raise InputError(Problem(system.name, what, "those of equil prepare, or prepare it again", field="fe"))


def _finite_size(
    system: SimSystem, protocol: Sequence[LegSpec], md: Md, engine: MdEngine, account: Account
) -> dict[str, Any]:
    """Correct each leg in solvent for the size of its box, by the frames that it starts from."""
    corrections = {}
    for leg in protocol:
        if leg.medium != "solvent":
            continue
        frames_nm, boxes_nm = free_frames(system, leg.frames)
        parts = system.facts(TopologyFacts).parts(leg.frames, frames_nm.shape[1])
        topology = system.path(leg.topology)
        correction = leg_correction(
            topology,
            engine.nonbonded(engine.system(topology, leg.md(md))),
            ligand=parts["ligand"],
            receptor=parts["receptor"],
            frames_nm=frames_nm,
            boxes_nm=boxes_nm,
            md=md,
            account=account,
        )
        terms = ", ".join(f"{name.upper()} {value:+.2f}" for name, value in vars(correction.terms).items())
        log.info("finite size, charging in the %s: %s kcal/mol", leg.name, terms)
        corrections[leg.name] = correction.as_dict()
    return corrections


def free_frames(system: SimSystem, artifact: str) -> tuple[Floats, Floats | None]:
    """Read thermal frames to start windows from: the second half of what was free.

    Parameters
    ----------
    system
        After its equilibration.
    artifact
        With its frames.

    Returns
    -------
    frames
        Shape (F, N, 3), nm.
    boxes
        Periodic box of each, shape (F, 3, 3), nm; None without.
    """
    file = read_arrays(system.path(artifact), "positions_nm", "heating", optional=("box_nm",))
    free = ~file["heating"].astype(bool)
    frames = np.asarray(file["positions_nm"], dtype=float)[free]
    boxes = np.asarray(file["box_nm"], dtype=float)[free] if "box_nm" in file else None
    half = len(frames) // 2
    return frames[half:], None if boxes is None else boxes[half:]


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

    for leg in protocol:
        if "copy" in leg.alchemical:
            ligand, its_copy = np.split(particles(leg), 2)
            if not np.allclose(ligand, its_copy, atol=1e-6):
                raise StateError(f"{system.name}: the ligand and its copy in the {leg.name} differ in parameters")
    for other in others:
        if not np.allclose(particles(first), particles(other), atol=1e-6):
            where = "its own topology" if set(other.parts) == set(other.alchemical) else f"the {other.name}"
            what = f"the {' and '.join(first.alchemical)} in the {first.name} and in {where} differ in parameters"
            raise StateError(f"{system.name}: {what}")
