"""Equilibration analysed: bound or unbound, the representative frame, anchors, and a plot."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from openmm import app, unit

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.alchemy.anchors import AnchorError, choose_anchors
from gibbsflow.binding.equilibrate.bound_state import BoundAnalysis, analyse_bound
from gibbsflow.binding.forcefield.topology import heavy_atoms
from gibbsflow.binding.system import SimSystem
from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.errors import UnboundError
from gibbsflow.report.figures.equilibration_figure import plot_equilibration
from gibbsflow.workflow.files import atomic_open, inputs_hash
from gibbsflow.workflow.result import Result

log = logging.getLogger(__name__)
_BACKBONE = ("N", "CA", "C")


def analyse_equilibration(system: SimSystem, out: Path, result: Result) -> SimSystem:
    """Judge an equilibration and pick what the free-energy legs start from.

    Parameters
    ----------
    system
        As left by ``equil run``.
    out
        Folder of the system that is returned; the plot is written in any case.
    result
        Filled with figures.

    Returns
    -------
    SimSystem
        With ``representative``, ``representative_npz``, ``equil_plot`` and the meta ``bound``,
        ``ligand_site_distance_angstrom`` and ``anchors`` (None, with ``anchors_problem``, where there are none).

    Raises
    ------
    UnboundError
        Where the ligand left its site.
    """
    roles = ("complex_prmtop", "equil_frames", "equil_log")
    threshold = system.meta["equil"]["unbound_threshold_angstrom"]
    result.inputs_hash = inputs_hash(
        files={role: system.path(role) for role in roles}, settings={"threshold": threshold}, physics=PHYSICS
    )
    with np.load(system.path("equil_frames"), allow_pickle=False) as file:
        frames, time_ps, heating = file["positions_nm"].astype(float) * 10, file["time_ps"], file["heating"]
    prmtop = system.path("complex_prmtop")
    heavy = set(heavy_atoms(prmtop))
    ligand = [a for a in system.meta["ligand_atoms"] if a in heavy]
    receptor = [a for a in system.meta["receptor_atoms"] if a in heavy]
    outcome = analyse_bound(
        frames[~heating],
        ligand=ligand,
        site=system.meta["site_atoms"],
        receptor=receptor,
        threshold_angstrom=threshold,
    )
    judged = list(outcome.judged)
    distance = float(np.median(outcome.distance_angstrom[judged]))
    result.figures |= {
        "bound": outcome.bound,
        "ligand_site_distance_angstrom": distance,
        "buried_fraction": float(np.median(outcome.buried[judged])),
        "ligand_rmsd_angstrom": float(np.median(outcome.rmsd_angstrom[judged])),
        "why": outcome.why,
    }
    carried = system.carry(out).with_meta(bound=outcome.bound, ligand_site_distance_angstrom=distance)
    table = np.genfromtxt(system.path("equil_log"), delimiter=",", names=True)
    plot_equilibration(out / "equil.svg", table, time_ps[~heating], outcome, system.name)
    carried = carried.with_artifacts(equil_plot="equil.svg")
    carried.write()
    log.info("%s: %s", "bound" if outcome.bound else "unbound", outcome.why)
    if outcome.representative is None:
        raise UnboundError(f"{system.name}: {outcome.why}")
    chosen = _anchored(carried, frames[~heating], outcome, ligand, receptor, result)
    return _represented(chosen, frames[~heating][outcome.representative], prmtop)


def _anchored(
    system: SimSystem,
    frames: np.ndarray,
    outcome: BoundAnalysis,
    ligand: list[int],
    receptor: list[int],
    result: Result,
) -> SimSystem:
    """Add anchors; a ligand that has none can still be held by its centre of mass."""
    topology = load_topology(system.path("complex_prmtop")).topology
    protein = system.meta["receptor_kind"] == "protein"
    atoms = list(topology.atoms())
    try:
        anchors = choose_anchors(
            frames[list(outcome.judged)],
            ligand=ligand,
            receptor=receptor,
            bonds=[(a.index, b.index) for a, b in topology.bonds()],
            preferred=[i for i in receptor if atoms[i].name in _BACKBONE] if protein else [],
        )
    except AnchorError as error:
        log.warning("no anchors for a Boresch restraint: %s", error)
        return system.with_meta(anchors=None, anchors_problem=str(error))
    log.info("anchors: %s", anchors.why)
    result.figures["anchors"] = anchors.as_dict()
    return system.with_meta(anchors=anchors.as_dict())


def _represented(system: SimSystem, frame_angstrom: np.ndarray, prmtop: Path) -> SimSystem:
    with atomic_open(system.root / "representative.npz") as file:
        np.savez(file, positions_nm=frame_angstrom / 10)
    with atomic_open(system.root / "representative.pdb", "w") as file:
        topology = load_topology(prmtop).topology  # without writeFile's header, which carries the date
        app.PDBFile.writeModel(topology, frame_angstrom * unit.angstrom, file)
        app.PDBFile.writeFooter(topology, file)
    return system.with_artifacts(representative="representative.pdb", representative_npz="representative.npz")
