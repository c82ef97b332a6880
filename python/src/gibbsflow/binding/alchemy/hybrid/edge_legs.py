"""Legs of an edge: from ligand A to ligand B, in the equilibrated surroundings of A."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.alchemy.alchemical_leg import place_leg
from gibbsflow.binding.alchemy.hybrid.ends import Pair
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg, share_files
from gibbsflow.binding.alchemy.hybrid.hybrid_system import charge_problem
from gibbsflow.binding.alchemy.hybrid.placing import clashes, hybrid_positions
from gibbsflow.binding.alchemy.prepare_fe import begin_legs, free_frames
from gibbsflow.binding.alchemy.protocols import RELATIVE, RELATIVE_IN_WATER, LegSpec, of_hard_map
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.facts import (
    EdgeFacts,
    GivenFacts,
    LegFacts,
    RunFacts,
    SettingsFacts,
    TopologyFacts,
)
from gibbsflow.binding.prepare.ligands import POSE_NOTE
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Md, hashed
from gibbsflow.engines.md_engine import MdEngine
from gibbsflow.engines.md_engines import WHOLE_RUNS, engine_for
from gibbsflow.engines.openmm_systems import read_positions_nm
from gibbsflow.errors import InputError
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import inputs_hash
from gibbsflow.workflow.result import Result

log = logging.getLogger(__name__)


def prepare_edge(
    a: SimSystem,
    b: SimSystem,
    pairs: Sequence[Pair],
    config: BindingConfig,
    out: Path,
    result: Result,
    *,
    name: str | None = None,
    protocol: Sequence[LegSpec] | None = None,
    engine: MdEngine | None = None,
    difficulty: float | None = None,
) -> SimSystem:
    """Write the legs of an edge.

    Parameters
    ----------
    a
        Ligand A as left by ``equil analyse``, bound; for legs of the ligand alone, as left by ``equil run``.
    b
        Ligand B with its topology alone (``ligand_prmtop``, ``ligand_inpcrd``: its pose), not equilibrated.
    pairs
        Shared atoms: 0-based numbers in A's and in B's molecule.
    config
        Sections `fe` and `run` are used; `md` is that of A's equilibration.
    out
        Folder of the system that is returned, with a folder ``legs/<name>`` for each leg.
    result
        Filled with windows, the pairs that are shared in the end, and what becomes of the dummies' terms.
    name
        Of the transformation; default: both names.
    protocol
        The legs; default: complex and solvent.
    engine
        What reads the topologies; default: that of the settings.
    difficulty
        Of the map, between 0 and 1; a hard one gets more windows. None where nobody has said.

    Returns
    -------
    SimSystem
        In `out`, written, with ``legs`` and their facts.

    Raises
    ------
    InputError
        For a map, schedules or lengths that cannot be used, a net charge that changes in a box, or GROMACS.
    UnboundError
        Where a leg holds the receptor, and A is not bound.
    """
    md = a.facts(SettingsFacts).md
    protocol = protocol or (RELATIVE_IN_WATER if md.explicit else RELATIVE)
    hard = difficulty is not None and config.relative.hard_map <= difficulty < 1
    protocol = of_hard_map(protocol) if hard else protocol
    name = name or f"{a.name}-{b.name}"
    schedules, samples = begin_legs(a, protocol, config)
    files = {f"a_{role}": a.path(role) for leg in protocol for role in (leg.topology, leg.frames)}
    files |= {f"b_{role}": b.path(role) for role in ("ligand_prmtop", "ligand_inpcrd")}
    result.inputs_hash = inputs_hash(
        files=files,
        settings={"fe": hashed(config.fe), "run": hashed(config.run), "pairs": [list(pair) for pair in pairs]}
        | ({"windows": "hard map"} if hard else {}),
        physics=PHYSICS,
    )
    _check(a, protocol, md, name)
    account = Account(name)
    if hard and (more := [leg.name for leg in protocol if getattr(config.fe, leg.schedule) == "auto"]):
        what = f"the map's difficulty is {difficulty:.2f}, {config.relative.hard_map:g} or more (hard_map)"
        account.note(f"{what}: {len(schedules[more[0]])} windows in {' and '.join(more)}")
    for told in b.account().of_weight("note"):  # what is noted of A goes with its system
        if told.what.startswith(POSE_NOTE):
            account.note(f"{b.name}: {told.what}")
    engine = engine or engine_for(md.model_copy(update={"engine": "openmm"}))
    of_a_alone = GivenFacts.model_fields.keys()  # its name and what was measured of it are not the edge's
    prepared = SimSystem(name, out, {}, {key: value for key, value in a.meta.items() if key not in of_a_alone})
    legs = [
        _write_leg(leg, a, b, tuple(pairs), out, name, schedules[leg.name], md, config, engine, account)
        for leg in protocol
    ]
    account.settle()
    made = legs[-1].hybrid(engine)
    words = made.words
    for line in words:
        log.info("%s", line)
    result.seed = config.run.seed
    result.figures |= {
        "windows": {leg: len(states) for leg, states in schedules.items()},
        "samples_per_window": samples,
        "pairs": [list(pair) for pair in made.shared.pairs],
        "dummies": words,
    }
    facts = LegFacts(fe=config.fe, run=RunFacts(seed=config.run.seed, replicates=config.run.replicates))
    ends = EdgeFacts(edge_ligands=(a.name, b.name), edge_pairs=made.shared.pairs, edge_difficulty=difficulty)
    prepared = prepared.with_artifacts(legs="legs").with_facts(facts, ends).with_account(account)
    prepared.write()
    return prepared


def _check(a: SimSystem, protocol: Sequence[LegSpec], md: Md, name: str) -> None:
    account = Account(name)
    if md.engine == WHOLE_RUNS and md.explicit:
        account.refuse(f"{WHOLE_RUNS} runs no edge from ligand to ligand", "engine openmm", field="engine")
    for leg in protocol:
        if a.facts(TopologyFacts).far_from(leg.frames) is not None:
            what = f"the box of leg {leg.name} was built for sdr or counter_ion"
            account.refuse(what, "a box of double decoupling without ions that change", field="fe")
    account.settle()


def _write_leg(
    leg: LegSpec,
    a: SimSystem,
    b: SimSystem,
    pairs: tuple[Pair, ...],
    out: Path,
    name: str,
    states: tuple[LambdaState, ...],
    md: Md,
    config: BindingConfig,
    engine: MdEngine,
    account: Account,
) -> HybridLeg:
    """Write the folder of one leg, its atoms counted as in its own topology."""
    frames_nm, boxes_nm = free_frames(a, leg.frames)
    parts = a.facts(TopologyFacts).parts(leg.frames, frames_nm.shape[1])
    inside = sorted(atom for part in leg.parts for atom in parts[part])
    place = {atom: index for index, atom in enumerate(inside)}
    boxes_nm = boxes_nm if leg.medium == "solvent" else None
    ligand = tuple(place[atom] for atom in parts["ligand"])
    own_md = leg.md(md)
    shared = share_files((a.name, b.name), a.path(leg.topology), ligand, b.path("ligand_prmtop"), pairs, own_md, engine)
    if problem := charge_problem(shared):
        raise InputError(problem)
    positions = hybrid_positions(shared, frames_nm[:, inside], read_positions_nm(b.path("ligand_inpcrd")))
    for note in shared.notes:
        account.note(note)
    for clash in clashes(shared, positions[0], None if boxes_nm is None else boxes_nm[0]):
        if not clash.solvent:
            account.warn(f"{leg.name}: {clash}", "a pose, or a map, in which it has room")
    folder = out / "legs" / leg.name
    topology, start = place_leg(folder, a.path(leg.topology), positions, range(shared.size), boxes_nm)
    other = "other.prmtop"
    (folder / other).write_bytes(b.path("ligand_prmtop").read_bytes())
    made = HybridLeg(
        folder=folder,
        leg=leg.name,
        transformation=name,
        states=states,
        topology=topology,
        start=start,
        ligand_atoms=shared.ligand,
        receptor_atoms=tuple(place[atom] for atom in parts["receptor"] if atom in place),
        restraint=None,
        md=own_md,
        fe=config.fe,
        seed=config.run.seed,
        replicates=config.run.replicates,
        other_topology=other,
        old_atoms=ligand,
        pairs=shared.pairs,
        ligands=(a.name, b.name),
    )
    made.write()
    return made
