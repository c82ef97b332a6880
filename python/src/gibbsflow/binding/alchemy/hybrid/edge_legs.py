"""Legs of an edge: from ligand A to ligand B, in the equilibrated surroundings of A."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.alchemy.alchemical_leg import place_leg
from gibbsflow.binding.alchemy.gromacs_states import gromacs_problems
from gibbsflow.binding.alchemy.hybrid.co_ions import CoIons, far_waters
from gibbsflow.binding.alchemy.hybrid.gromacs_edge import edge_topology
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg, share_files
from gibbsflow.binding.alchemy.hybrid.hybrid_system import charge_problem
from gibbsflow.binding.alchemy.hybrid.pair.ends import Pair
from gibbsflow.binding.alchemy.hybrid.placing import Pose, clashes, hybrid_positions, turns_deg
from gibbsflow.binding.alchemy.hybrid.tether import TUMBLES_DEG, tether
from gibbsflow.binding.alchemy.prepare_fe import begin_legs, free_frames
from gibbsflow.binding.alchemy.protocols import LegSpec, cycle_doubts, ions_drop_out, of_edge, protocol_of
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.equilibrate.periodic_box import kept_apart
from gibbsflow.binding.facts import (
    EdgeFacts,
    GivenFacts,
    LegFacts,
    PreparedFacts,
    RunFacts,
    SettingsFacts,
    TopologyFacts,
)
from gibbsflow.binding.forcefield.ions import ANION, CATION, ion_of
from gibbsflow.binding.forcefield.topology_file import Topology
from gibbsflow.binding.prepare.ligands import POSE_NOTE
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Md, hashed
from gibbsflow.config.modes import COMPARING
from gibbsflow.engines.md_engine import Apart, MdEngine
from gibbsflow.engines.md_engines import WHOLE_RUNS, engine_for
from gibbsflow.engines.openmm_systems import read_positions_nm
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import inputs_hash
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.seeds import derive_seed

FEWEST_OF_SITE = 3
"""Atoms that say how something lies in a site."""
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
    dual: bool = False,
    difficulty: float | None = None,
    notes: Sequence[str] = (),
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
        The legs; default: those of the mode, of binding where it has no edges.
    engine
        What reads the topologies; default: that of the settings.
    dual
        Whether both ligands are there as a whole, tethered to each other; `pairs` are none then.
    difficulty
        Of the map, between 0 and 1; a hard one gets more windows. None where nobody has said.
    notes
        What is to be known of how `pairs` were found, for the record.

    Returns
    -------
    SimSystem
        In `out`, written, with ``legs`` and their facts.

    Raises
    ------
    InputError
        For a map, schedules or lengths that cannot be used, a net charge that changes in a box without a correction or
        without room for one, or what has no counterpart in GROMACS.
    UnboundError
        Where a leg holds the receptor, and A is not bound.
    """
    md = a.facts(SettingsFacts).md
    change = _net_charge(b) - _net_charge(a)
    mode = config.run.mode if config.run.mode in COMPARING else "rbfe"
    protocol = protocol or protocol_of(mode, explicit=md.explicit)
    hard = not dual and difficulty is not None and config.relative.hard_map <= difficulty < 1
    protocol = of_edge(protocol, hard=hard, dual=dual, charge_changes=change != 0, explicit=md.explicit)
    name = name or f"{a.name}-{b.name}"
    schedules, samples = begin_legs(a, protocol, config)
    files = {f"a_{role}": a.path(role) for leg in protocol for role in (leg.topology, leg.frames)}
    files |= {f"b_{role}": b.path(role) for role in ("ligand_prmtop", "ligand_inpcrd")}
    if dual:
        files |= {f"b_{leg.frames}": b.path(leg.frames) for leg in protocol if leg.frames in b.artifacts}
    result.inputs_hash = inputs_hash(
        files=files,
        settings={"fe": hashed(config.fe), "run": hashed(config.run), "pairs": [list(pair) for pair in pairs]}
        | ({"topology": "dual"} if dual else {})
        | ({"windows": "hard map"} if hard else {}),
        physics=PHYSICS,
    )
    _check(a, protocol, md, config, name, change)
    if dual and pairs:
        raise ValueError("two whole ligands share no atom")
    account = Account(name)
    for doubt in cycle_doubts(protocol, md, 0, where=name, fe=config.fe).of_weight("warn"):
        account.warn(doubt.what, doubt.right)  # refusals are the campaign's check
    for text in notes:
        account.note(text)
    if hard and (more := [leg.name for leg in protocol if getattr(config.fe, leg.schedule) == "auto"]):
        what = f"the map's difficulty is {difficulty:.2f}, {config.relative.hard_map:g} or more (hard_map)"
        account.note(f"{what}: {len(schedules[more[0]])} windows in {' and '.join(more)}")
    for told in b.account().of_weight("note"):  # what is noted of A goes with its system
        if told.what.startswith(POSE_NOTE):
            account.note(f"{b.name}: {told.what}")
    engine = engine or engine_for(md)
    of_a_alone = GivenFacts.model_fields.keys()  # its name and what was measured of it are not the edge's
    prepared = SimSystem(name, out, {}, {key: value for key, value in a.meta.items() if key not in of_a_alone})
    shared_atoms = None if dual else tuple(pairs)
    legs = [
        _write_leg(leg, a, b, shared_atoms, out, name, schedules[leg.name], md, config, engine, account)
        for leg in protocol
    ]
    if held := [f"in the {leg.leg} by {leg.tether.why}" for leg in legs if leg.tether is not None]:
        account.note(f"dual topology: both ligands in all states, held to each other {'; '.join(held)}")
    ions = next((str(leg.ions) for leg in legs if leg.ions is not None), None)
    if ions is not None:
        account.note(f"the net charge changes by {change:+d} e: in each box {ions}")
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
    ends = EdgeFacts(
        edge_ligands=(a.name, b.name),
        edge_pairs=made.shared.pairs,
        edge_difficulty=difficulty,
        edge_topology="dual" if dual else "hybrid",
        edge_ions=ions,
        edge_smiles=_smiles(a, b),
    )
    prepared = prepared.with_artifacts(legs="legs").with_facts(facts, ends).with_account(account)
    known = prepared.find(PreparedFacts)
    if known is not None and known.receptor_kind == "protein" and "receptor" in a.artifacts:
        numbered = a.path("receptor")  # its residues as the receptor's file numbers them, for the page
        shutil.copyfile(numbered, out / numbered.name)
        prepared = prepared.with_artifacts(receptor=numbered.name)
    prepared.write()
    return prepared


def _smiles(a: SimSystem, b: SimSystem) -> tuple[str, str] | None:
    known = a.find(PreparedFacts), b.find(PreparedFacts)
    return None if known[0] is None or known[1] is None else (known[0].ligand_smiles, known[1].ligand_smiles)


def _net_charge(system: SimSystem) -> int:
    """Of a ligand, e, by its topology."""
    path = system.path("ligand_prmtop")
    return round(float(Topology.read_prmtop(path, np.empty((0, 3))).charges_e.sum()))


def _check(
    a: SimSystem,
    protocol: Sequence[LegSpec],
    md: Md,
    config: BindingConfig,
    name: str,
    charge_change: int,
) -> None:
    account = Account(name)
    if charge_change and md.explicit:
        if config.fe.charge_correction != "counter_ion":
            what = f"the net charge changes by {charge_change:+d} e, and nothing in the boxes makes up for it"
            account.refuse(what, "charge_correction counter_ion, or obc2", field="charge_correction")
        elif not ions_drop_out(protocol):
            what = "the work of ions that change in one leg alone does not drop out"
            account.refuse(what, "legs in water that have both signs", field="charge_correction")
    if md.engine == WHOLE_RUNS and md.explicit:
        for problem in gromacs_problems(config, protocol, where="fe"):
            account.refuse(problem.what, problem.right, field=problem.field)
    for leg in protocol:
        if a.facts(TopologyFacts).far_from(leg.frames) is not None:
            what = f"the box of leg {leg.name} was built for sdr or counter_ion"
            account.refuse(what, "a box of double decoupling without ions that change", field="fe")
    account.settle()


def _pose(a: SimSystem, b: SimSystem, leg: LegSpec, ligand: tuple[int, ...], site: tuple[int, ...]) -> Pose:
    """Where B stands: in the site as its own equilibration left it, or else to A as their poses do."""
    here, there = a.facts(TopologyFacts), b.find(TopologyFacts)
    equilibrated = there is not None and leg.frames in b.artifacts and there.receptor_atoms == here.receptor_atoms
    if there is not None and equilibrated and len(site) >= FEWEST_OF_SITE:
        last = free_frames(b, leg.frames)[0][-1]
        return Pose(last[list(there.ligand_atoms)], site, last[list(here.site_atoms)])
    return Pose(read_positions_nm(b.path("ligand_inpcrd")), ligand, read_positions_nm(a.path("ligand_inpcrd")))


def _write_leg(
    leg: LegSpec,
    a: SimSystem,
    b: SimSystem,
    pairs: tuple[Pair, ...] | None,
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
    frames_nm, ions = frames_nm[:, inside], None
    apart: tuple[Apart, ...] = ()
    pose: Pose | None = None
    site: tuple[int, ...] = ()
    if shared.dual:
        if "receptor" in leg.parts:
            site = tuple(place[atom] for atom in a.facts(TopologyFacts).site_atoms)
        pose = _pose(a, b, leg, ligand, site)
    positions = hybrid_positions(shared, frames_nm, read_positions_nm(b.path("ligand_inpcrd")), pose)
    if charge_problem(shared) is not None:  # what is to be done about it was checked before
        assert boxes_nm is not None
        count = round(shared.b.charge - shared.a.charge)
        solute = [place[atom] for part in ("receptor", "ligand") if part in leg.parts for atom in parts[part]]
        positions, waters, wall = far_waters(
            Topology.read_prmtop(a.path(leg.topology), frames_nm[0] * 10), solute, positions, boxes_nm, abs(count), md,
            seed=derive_seed(config.run.seed, name, leg.name, "waters"), name=f"{name}, {leg.name}",
        )  # fmt: skip
        ions = CoIons.of(waters, ion_of(md.solvent, ANION if count > 0 else CATION))
        apart = kept_apart(wall.model_copy(update={"ion_atoms": tuple(atoms[0] for atoms in waters)}))
    for note in shared.notes:
        account.note(note)
    for clash in clashes(shared, positions[0], None if boxes_nm is None else boxes_nm[0]):
        if not clash.solvent:
            account.warn(f"{leg.name}: {clash}", "a pose, or a map, in which it has room")
    held = None
    if shared.dual:
        tumbles = len(site) >= FEWEST_OF_SITE and turns_deg(ligand, site, positions).max() > TUMBLES_DEG
        held = tether(shared, positions[0], tumbles=bool(tumbles))
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
        tether=held,
        ions=ions,
        apart=apart,
    )
    if md.engine == WHOLE_RUNS and made.periodic:
        edge_topology(made, engine)  # what it cannot be told is refused here, and not by the task that samples
    made.write()
    return made
