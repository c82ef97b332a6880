"""Equilibration analysed: bound or unbound, the representative frame, anchors, and what there is to plot."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from openmm import app, unit

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.anchor_facts import AnchorFacts
from gibbsflow.binding.equilibrate.anchoring.anchor_atoms import firm_pools, named_atoms
from gibbsflow.binding.equilibrate.anchoring.anchors import AnchorError, AnchorSearch
from gibbsflow.binding.equilibrate.bound_state import (
    LEAST_BURIED,
    BoundAnalysis,
    analyse_bound,
    least_buried_from,
    uncorrelated_samples,
)
from gibbsflow.binding.equilibrate.departure import Departure
from gibbsflow.binding.equilibrate.equilibration import BOXES
from gibbsflow.binding.equilibrate.frame_files import Selection, thinned, write_pdb
from gibbsflow.binding.equilibrate.membrane_analysis import MembraneAnalysis, analyse_membrane
from gibbsflow.binding.equilibrate.periodic_box import to_nearest_image
from gibbsflow.binding.equilibrate.xtc_file import XtcFile
from gibbsflow.binding.facts import BoundFacts, PreparedFacts, SettingsFacts, TopologyFacts
from gibbsflow.binding.forcefield.membrane.lipids import lipids_of
from gibbsflow.binding.forcefield.topology_file import heavy_atoms
from gibbsflow.binding.system import SimSystem
from gibbsflow.engines.openmm_systems import box_vectors_nm, load_topology
from gibbsflow.errors import UnboundError
from gibbsflow.units import Floats
from gibbsflow.workflow.files import atomic_open, inputs_hash, read_arrays
from gibbsflow.workflow.result import Result

log = logging.getLogger(__name__)
ANCHORS = 2
"""Raised by hand when other anchors are chosen of the same frames."""


@dataclass(frozen=True)
class EquilibrationAnalysis:
    """What an equilibration shows, bound or not.

    Attributes
    ----------
    system
        With the facts found; not yet written.
    outcome
        Bound or unbound, and the figures behind it; None without a receptor.
    time_ps
        Time of the unrestrained frames, shape (F,), ps.
    log
        Columns ``time_ps, potential_kcal_per_mol, temperature_k``, from the start of heating.
    membrane
        Its area and thickness; None for a box without one.
    """

    system: SimSystem
    outcome: BoundAnalysis | None
    time_ps: Floats
    log: npt.NDArray[np.void]
    membrane: MembraneAnalysis | None = None

    def require_bound(self) -> None:
        """Refuse a ligand that left its site.

        Raises
        ------
        UnboundError
            With the figures.
        """
        if self.outcome is not None and not self.outcome.bound:
            raise UnboundError(f"{self.system.name}: {self.outcome.why}")


def analyse_equilibration(
    system: SimSystem, out: Path, result: Result, *, plot: str | None = None
) -> EquilibrationAnalysis:
    """Judge an equilibration and pick what the free-energy legs start from.

    Parameters
    ----------
    system
        As left by ``equil run``.
    out
        Folder of the system that is returned.
    result
        Filled with figures.
    plot
        File below `out` that the caller will draw of what is returned: it becomes the artifact ``equil_plot``.

    Returns
    -------
    EquilibrationAnalysis
        Its system has ``bound`` and ``ligand_site_distance_angstrom``; of a bound ligand also ``representative``,
        ``representative_npz`` and ``anchors`` (None, with ``anchors_problem``, where there are none).

    Raises
    ------
    StateError
        For a system that was not equilibrated.
    """
    if "complex_prmtop" not in system.artifacts:
        return _analyse_solute(system, out, result, plot)
    roles = ("complex_prmtop", "equil_frames", "equil_log")
    threshold = system.facts(SettingsFacts).equil.unbound_threshold_angstrom
    start = Departure(system)
    least = _least_buried(start)
    at_face = {} if least == LEAST_BURIED else {"least_buried": round(least, 3)}
    result.inputs_hash = inputs_hash(
        files={role: system.path(role) for role in roles},
        settings={"threshold": threshold, "anchors": ANCHORS, **at_face},
        physics=PHYSICS,
    )
    file = read_arrays(system.path("equil_frames"), "positions_nm", "time_ps", "heating", optional=("box_nm",))
    frames, time_ps, heating = file["positions_nm"].astype(float) * 10, file["time_ps"], file["heating"]
    free = frames[~heating]
    atoms = system.facts(TopologyFacts)
    heavy = start.heavy
    outcome = analyse_bound(
        free, ligand=heavy["ligand"], site=atoms.site_atoms, receptor=heavy["receptor"], threshold_angstrom=threshold,
        least_buried=least,
    )  # fmt: skip
    judged = list(outcome.judged)
    distance = float(np.median(outcome.distance_angstrom[judged]))
    result.figures |= {
        "bound": outcome.bound,
        "ligand_site_distance_angstrom": distance,
        "buried_fraction": float(np.median(outcome.buried[judged])),
        "ligand_rmsd_angstrom": float(np.median(outcome.rmsd_angstrom[judged])),
        "why": outcome.why,
    }
    account, figures = start.account_of_equilibrated(free[judged])
    if at_face:
        account.note(f"the site is at the membrane's face: bound where {least:.0%} of the surroundings are receptor")
    result.figures |= figures | {"warnings": account.as_dict()["warnings"]}
    membrane = None
    if (boxes := file.get("box_nm")) is not None:
        solute = (*atoms.receptor_atoms, *atoms.ligand_atoms)
        vectors = boxes[~heating].astype(float) * 10
        membrane = analyse_membrane(system.path("complex_prmtop"), free, vectors, time_ps[~heating], solute)
    if membrane is not None:
        seen = membrane.account(system.name)
        account.take(seen)
        account.facts |= seen.facts
        result.figures |= seen.facts | {"warnings": account.as_dict()["warnings"]}
    log.info("%s: %s", "bound" if outcome.bound else "unbound", outcome.why)
    account.settle()
    largest = float(outcome.distance_angstrom[judged].max())
    table = np.genfromtxt(system.path("equil_log"), delimiter=",", names=True)
    series = [outcome.distance_angstrom, outcome.rmsd_angstrom]
    if "density_g_per_ml" in (table.dtype.names or ()):
        series.append(np.atleast_1d(table["density_g_per_ml"])[~heating])
    samples = round(uncorrelated_samples(judged, *series), 1)
    result.figures["uncorrelated_samples"] = samples
    found = BoundFacts(
        bound=outcome.bound,
        ligand_site_distance_angstrom=distance,
        ligand_site_largest_angstrom=largest,
        uncorrelated_samples=samples,
    )
    analysed = (
        system.copy_to(out)
        .with_facts(found)
        .with_account(account)
        .with_artifacts(**({"equil_plot": plot} if plot else {}))
    )
    analysed = _with_trajectories(analysed)
    if outcome.representative is not None:
        analysed = analysed.with_facts(_anchors(system, free[judged], result))
        analysed = _represented(analysed, free[outcome.representative])
    return EquilibrationAnalysis(analysed, outcome, time_ps[~heating], table, membrane)


def _least_buried(start: Departure) -> float:
    """How buried the ligand has to stay: less where its prepared pose is at the face of a membrane."""
    system, prmtop = start.system, start.system.path("complex_prmtop")
    lipids = lipids_of(prmtop, without=(*system.facts(TopologyFacts).receptor_atoms, *start.heavy["ligand"]))
    if not lipids.are_a_membrane:
        return LEAST_BURIED
    xyz, parts = start.start_angstrom, start.heavy
    centre = xyz[parts["ligand"]].mean(axis=0)
    around = np.intersect1d(lipids.atoms, heavy_atoms(prmtop))
    near = xyz[around] + to_nearest_image(xyz[around] - centre, box_vectors_nm(system.path("complex_inpcrd")) * 10)
    return least_buried_from(xyz[parts["ligand"]], xyz[parts["receptor"]], near)


def _analyse_solute(system: SimSystem, out: Path, result: Result, plot: str | None) -> EquilibrationAnalysis:
    """Look at a ligand that was equilibrated alone: there is no site that it could leave."""
    roles = ("solvent_prmtop", "solvent_equil_frames", "solvent_equil_log")
    result.inputs_hash = inputs_hash(files={role: system.path(role) for role in roles}, settings={}, physics=PHYSICS)
    frames = read_arrays(system.path("solvent_equil_frames"), "time_ps", "heating")
    time_ps, heating = frames["time_ps"], frames["heating"].astype(bool)
    table = np.genfromtxt(system.path("solvent_equil_log"), delimiter=",", names=True)
    free = table[~heating]
    result.figures["mean_temperature_k"] = float(free["temperature_k"].mean())
    if "density_g_per_ml" in (free.dtype.names or ()):
        result.figures["mean_density_g_per_ml"] = round(float(free["density_g_per_ml"].mean()), 4)
    analysed = _with_trajectories(system.copy_to(out).with_artifacts(**({"equil_plot": plot} if plot else {})))
    return EquilibrationAnalysis(analysed, None, time_ps[~heating], table)


def _with_trajectories(system: SimSystem) -> SimSystem:
    """Write the frames to be looked at, thinned, of each box that was equilibrated."""
    md = system.facts(SettingsFacts).md
    files: dict[str, str] = {}
    for topology, prefix in BOXES.values():
        if md.trajectory == "none" or not {f"{topology}_prmtop", f"{prefix}_frames"} <= system.artifacts.keys():
            continue
        file = read_arrays(system.path(f"{prefix}_frames"), "positions_nm", "time_ps", optional=("box_nm",))
        frames, time_ps, boxes = file["positions_nm"], file["time_ps"], file.get("box_nm")
        parts = system.facts(TopologyFacts).parts(f"{prefix}_frames", frames.shape[1])
        prmtop = system.path(f"{topology}_prmtop")
        chosen = Selection.read(prmtop, parts["receptor"], parts["ligand"], md.trajectory)
        every = thinned(round(md.trajectory_ps / time_ps[0]), len(frames), chosen.atoms * 12)
        trajectory = XtcFile(system.root / f"{prefix}.xtc")
        for number in range(every - 1, len(frames), every):
            box = None if boxes is None else boxes[number].astype(float)
            trajectory.add(time_ps[number], chosen.of(frames[number].astype(float), box), box)
        trajectory.close()
        first = chosen.of(frames[every - 1].astype(float), None if boxes is None else boxes[every - 1].astype(float))
        write_pdb(system.root / f"{prefix}_xtc.pdb", chosen.part(), first)
        files |= {f"{prefix}_xtc": f"{prefix}.xtc", f"{prefix}_xtc_pdb": f"{prefix}_xtc.pdb"}
    return system.with_artifacts(**files)


def anchor_search(system: SimSystem, frames: Floats) -> AnchorSearch:
    """Say where anchors of a complex are looked for.

    Parameters
    ----------
    system
        As left by ``equil run`` or a later verb.
    frames
        Bound frames, shape (F, N, 3), Å.

    Returns
    -------
    AnchorSearch
        Of the receptor's backbone or rings, and all heavy atoms of the ligand.
    """
    topology = load_topology(system.path("complex_prmtop")).topology
    atoms, heavy = system.facts(TopologyFacts), set(heavy_atoms(system.path("complex_prmtop")))
    receptor = [a for a in atoms.receptor_atoms if a in heavy]
    protein = system.facts(PreparedFacts).receptor_kind == "protein"
    return AnchorSearch(
        frames,
        ligand=[a for a in atoms.ligand_atoms if a in heavy],
        receptor_pools=firm_pools(topology, frames, receptor, protein=protein),
        bonds=[(a.index, b.index) for a, b in topology.bonds()],
        temperature_k=system.facts(SettingsFacts).md.temperature_k,
    )


def _anchors(system: SimSystem, frames: Floats, result: Result) -> AnchorFacts:
    """Look for anchors; a ligand that has none can still be held by its centre of mass."""
    try:
        found = anchor_search(system, frames).candidates()
    except AnchorError as error:
        log.info("no anchors for a Boresch restraint: %s", error)
        return AnchorFacts(anchors=None, anchors_problem=str(error))
    names = named_atoms(system)
    candidates = tuple(replace(one, names=tuple(names.of((*one.receptor, *one.ligand)))) for one in found)
    anchors = candidates[0].anchors
    log.info("anchors: %s", anchors.why)
    result.figures["anchors"] = anchors.as_dict()
    return AnchorFacts(anchors=anchors, anchor_candidates=candidates)


def _represented(system: SimSystem, frame_angstrom: Floats) -> SimSystem:
    with atomic_open(system.root / "representative.npz") as file:
        np.savez(file, positions_nm=frame_angstrom / 10)
    with atomic_open(system.root / "representative.pdb", "w") as file:
        topology = load_topology(system.path("complex_prmtop")).topology
        app.PDBFile.writeModel(topology, frame_angstrom * unit.angstrom, file)  # writeFile's header carries the date
        app.PDBFile.writeFooter(topology, file)
    return system.with_artifacts(representative="representative.pdb", representative_npz="representative.npz")
