"""What the frames of a transformation show: how ligand and site moved, waters in the pocket, walkers along λ.

All is seen from one structure, the representative frame of the equilibration, which the legs start from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gibbsflow.binding.alchemy.alchemical_leg import FILE_NAME as LEG
from gibbsflow.binding.analyse.frames.pose_geometry import LigandGraph, closest_rmsd
from gibbsflow.binding.analyse.frames.turning import LEAST_FRAMES, edge_orientations, missing_kcal_per_mol
from gibbsflow.binding.equilibrate.bound_state import LEAST_BURIED
from gibbsflow.binding.equilibrate.frame_files import Selection, read_frames_nm
from gibbsflow.binding.facts import SettingsFacts, TopologyFacts
from gibbsflow.binding.forcefield.topology_file import heavy_atoms
from gibbsflow.binding.geometry import superposed
from gibbsflow.binding.prepare.burial import Rays, buriedness
from gibbsflow.binding.sample.energies import read_window_meta
from gibbsflow.binding.sample.kept_frames import ABOUT, trajectory_file
from gibbsflow.binding.system import SimSystem
from gibbsflow.errors import InputError, StateError
from gibbsflow.units import Floats, Ints
from gibbsflow.workflow.files import as_written, read_arrays, read_json, within

MOST_FRAMES = 200
"""Frames of one part that are looked at, evenly spread."""
MOST_POSES = 40
"""Places of the ligand that a record holds."""
MOST_STEPS = 120
"""Times at which a record says where each walker was."""
NEAR_ANGSTROM = 4.0
"""A water whose oxygen is farther than this from all heavy atoms of the ligand is not in its place."""
OTHER_POSE_ANGSTROM = 3.0
"""Median RMSD of the coupled ligand, above which it is noted as another pose."""
WATERS_DIFFER = 1.5
"""Mean numbers of water in the pocket that differ by less are the same."""
SIGMAS = 3.0
MISSING_KCAL_PER_MOL = 0.5
"""Of orientations that an edge's ligands did not come to, from where on it is doubted; less is noted."""
_NOTED_KCAL_PER_MOL = 0.1
_RAYS = Rays(200, radius_angstrom=2.0, sight_angstrom=10.0)
_SERIES = ("ligand_rmsd_angstrom", "site_rmsd_angstrom", "ligand_site_distance_angstrom", "buried_waters")


@dataclass(frozen=True)
class Doubted:
    """A reason for doubt, that makes the verdict WARN.

    Attributes
    ----------
    check
        What found it.
    reason
        In words, with its number and threshold.
    leg, replicate
        Where; empty and None for the result as a whole.
    """

    check: str
    reason: str
    leg: str = ""
    replicate: int | None = None


@dataclass(frozen=True)
class Places:
    """Where what is looked at stands in the frames of one trajectory, and how it stood at the beginning.

    Attributes
    ----------
    ligand, site, receptor
        Heavy atoms, by their index in a frame; `ligand` in the order of `graph`.
    oxygens
        Of waters; empty without.
    reference_angstrom
        The representative structure, of the atoms ``[*site, *ligand]``, shape (n, 3), Å.
    graph
        Bonds of the ligand.
    """

    ligand: Ints
    site: Ints
    receptor: Ints
    oxygens: Ints
    reference_angstrom: Floats
    graph: LigandGraph


def look(places: Places, frames_angstrom: Floats, time_ps: Floats) -> dict[str, Any]:
    """Follow ligand, site and waters through frames.

    Parameters
    ----------
    places
        Where they stand in a frame.
    frames_angstrom
        Shape (F, N, 3), Å.
    time_ps
        Shape (F,), ps.

    Returns
    -------
    dict
        ``time_ps`` and, for each frame, RMSD of ligand (site laid on site, equivalent atoms exchanged where that is
        nearer) and of the site, distance of their centres, and, where there is water, how many molecules are in the
        pocket; of each its ``median``.

    Notes
    -----
    A water is in the pocket where its oxygen is within `NEAR_ANGSTROM` of the ligand, decoupled or not, and at least
    `LEAST_BURIED` of the directions from it end at the receptor.
    """
    chosen = np.unique(np.linspace(0, len(frames_angstrom) - 1, min(len(frames_angstrom), MOST_FRAMES)).astype(int))
    frames, count = frames_angstrom[chosen], len(places.site)
    laid = _laid(places, frames)
    site, ligand = laid[:, :count], laid[:, count:]
    series: dict[str, Any] = {
        "ligand_rmsd_angstrom": closest_rmsd(ligand[1:], ligand[0], places.graph),
        "site_rmsd_angstrom": np.sqrt(((site[1:] - site[0]) ** 2).sum(axis=-1).mean(axis=-1)),
        "ligand_site_distance_angstrom": np.linalg.norm(ligand[1:].mean(axis=1) - site[1:].mean(axis=1), axis=-1),
    }
    if len(places.oxygens):
        series["buried_waters"] = np.array([_buried(places, frame) for frame in frames])
    return {
        "time_ps": [round(float(time), 6) for time in time_ps[chosen]],
        **{name: [round(float(value), 3) for value in values] for name, values in series.items()},
        "median": {name: round(float(np.median(values)), 3) for name, values in series.items()},
    }


def _laid(places: Places, frames: Floats) -> Floats:
    """Site and ligand of the reference, then of all frames, their sites laid on its own, shape (1 + F, n, 3)."""
    found = np.concatenate([places.reference_angstrom[None], frames[:, [*places.site, *places.ligand]]])
    return superposed(found, range(len(places.site)))


def _buried(places: Places, frame: Floats) -> int:
    oxygens = frame[places.oxygens]
    apart = np.min([((oxygens - atom) ** 2).sum(axis=1) for atom in frame[places.ligand]], axis=0)
    near = oxygens[apart <= NEAR_ANGSTROM**2]
    return int((buriedness(near, frame[places.receptor], _RAYS) >= LEAST_BURIED).sum())


def walk(time_ps: Floats, window: Ints, replica: Ints, states: int) -> dict[str, Any] | None:
    """Say where each walker was along λ, and how often it went from one end to the other and back.

    Parameters
    ----------
    time_ps, window, replica
        Of each sample: when, drawn from which state, by which walker; shape (n,).
    states
        States of the leg.

    Returns
    -------
    dict or None
        ``time_ps``, ``window_of_walker`` (a list of windows for each walker, thinned to `MOST_STEPS` times) and
        ``round_trips`` of each walker over all samples; None where walkers stay in their windows.
    """
    walkers = np.unique(replica)
    times = np.unique(time_ps)
    if len(walkers) < 2 or len(time_ps) != len(walkers) * len(times):
        return None  # windows are missing: who was there is not known
    order = np.lexsort((replica, time_ps))
    table = np.asarray(window, dtype=int)[order].reshape(len(times), len(walkers))
    if (table == table[0]).all():
        return None
    chosen = np.unique(np.linspace(0, len(times) - 1, min(len(times), MOST_STEPS)).astype(int))
    trips = []
    for path in table.T:
        ends = path[(path == 0) | (path == states - 1)]
        trips.append(int(np.count_nonzero(np.diff(ends))) // 2)
    return {
        "time_ps": [round(float(time), 6) for time in times[chosen]],
        "walkers": walkers.tolist(),
        "window_of_walker": table[chosen].T.tolist(),
        "round_trips": trips,
    }


def analyse_motion(
    system: SimSystem, runs: Sequence[Path], walks: Mapping[tuple[str, int], dict[str, Any] | None]
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Look at all frames of a transformation that were kept.

    Parameters
    ----------
    system
        What `fe prepare` left.
    runs
        Folders of `fe run`.
    walks
        By leg and replicate, from :func:`walk`.

    Returns
    -------
    motion
        ``equilibration``, ``legs`` (each with ``leg``, ``replicate``, ``coupled``, ``decoupled``, ``walk``, of an edge
        ``orientations``; what there is), ``unreadable``: `motion` of ``record.json``.
    pose
        Site, and ligand in the representative frame and in some of the coupled windows, by which poses of a ligand are
        told apart: `pose` of ``record.json``; None without a complex.
    """
    seen: dict[tuple[str, int], dict[str, Any]] = {key: {"walk": found} for key, found in walks.items() if found}
    motion: dict[str, Any] = {"unreadable": []}
    base, coupled = None, []
    try:
        base = _base(system)
        if base is not None and "equil_frames" in system.artifacts and (found := _look_at_equilibration(system, base)):
            motion["equilibration"] = found
    except InputError as error:  # what cannot be looked at any more costs no free energy
        motion["unreadable"].append(str(error))
    if base is not None:
        coupled.append(base.representative_angstrom[None, list(base.ligand)])
        for run in map(Path, runs):
            try:
                for leg, end, found, ligand in _ends_of(run, system, base, motion["unreadable"]):
                    seen.setdefault((leg, _replicate(run)), {})[end] = found
                    if end == "coupled":
                        coupled.append(ligand)
            except (InputError, StateError) as error:
                motion["unreadable"].append(str(error))
    for run in map(Path, runs):
        try:
            if turned := _turned(run, system):
                seen.setdefault((turned.pop("leg"), _replicate(run)), {})["orientations"] = turned
        except (InputError, StateError) as error:
            motion["unreadable"].append(str(error))
    motion["legs"] = [{"leg": leg, "replicate": number, **found} for (leg, number), found in sorted(seen.items())]
    return motion, None if base is None else _pose(base, coupled)


def _ends_of(
    run: Path, system: SimSystem, base: _Base, unreadable: list[str]
) -> Iterator[tuple[str, str, dict[str, Any], Floats]]:
    """Leg, end, what its window shows, and its ligand with the site laid on that of the representative frame."""
    if not (run / ABOUT).is_file() or not (run / LEG).is_file():
        return
    leg, about = read_json(run / LEG), read_json(run / ABOUT)
    with as_written(run / LEG, f"`fe prepare`, or {ABOUT} as `fe run`"):
        name, windows = str(leg["leg"]), {"coupled": 0, "decoupled": len(leg["states"]) - 1}
        places = _places_in_leg(base, system, leg, about)
    for end, window in windows.items():
        file = run / trajectory_file(window)
        if places is None or not file.is_file():
            continue
        try:
            frames, time_ps = read_frames_nm(file)
            if frames.shape[1] <= np.concatenate([places.ligand, places.site, places.receptor, places.oxygens]).max():
                raise StateError(f"{file}: frames of {frames.shape[1]} atoms, not those that {ABOUT} names")
        except StateError as error:
            unreadable.append(str(error))
            continue
        found = {"window": window, **look(places, frames * 10, time_ps)}
        yield name, end, found, _laid(places, frames * 10)[1:, len(places.site) :]


def _turned(run: Path, system: SimSystem) -> dict[str, Any] | None:
    """Equivalent orientations of an edge's ligands, and what ΔΔG lacks without the others."""
    simulated = system.find(SettingsFacts)
    if simulated is None or not (run / LEG).is_file():
        return None
    leg = read_json(run / LEG)
    with as_written(run / LEG, "`fe prepare`"):
        folder = within(system.root / "legs", leg["leg"])
    if (seen := edge_orientations(leg, run, folder)) is None:
        return None
    missing = missing_kcal_per_mol(seen, simulated.md.temperature_k)
    of = [{"ligand": name, **vars(one)} for name, one in seen.items()]
    return {"leg": leg["leg"], "of": of, "missing_kcal_per_mol": missing}


def _replicate(run: Path) -> int:
    """Which replicate a run is of, as its windows say."""
    windows = sorted(run.glob("window_*.parquet"))
    if not windows:
        raise StateError(f"{run}: frames, but the samples of no window")
    return int(read_window_meta(windows[0])["replicate"])


def _pose(base: _Base, ligand: Sequence[Floats]) -> dict[str, Any]:
    frames = np.concatenate(ligand)
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), MOST_POSES)).astype(int))  # the first is in
    return {
        "site_atoms": list(base.site),
        "site_angstrom": np.round(base.representative_angstrom[list(base.site)], 2).tolist(),
        "graph": base.graph.as_dict(),
        "ligand_angstrom": np.round(frames[chosen], 2).tolist(),
    }


def judge_motion(motion: Mapping[str, Any], unbound_threshold_angstrom: float) -> tuple[list[Doubted], list[str]]:
    """Judge what was seen.

    Parameters
    ----------
    motion
        From :func:`analyse_motion`.
    unbound_threshold_angstrom
        Setting of the equilibration: a centre that is farther from the site's is outside.

    Returns
    -------
    doubts
        Reasons for doubt: a coupled ligand that left its site, equivalent orientations that an edge's ligands did not
        come to, replicates whose decoupled pockets hold other numbers of waters.
    notes
        What is worth knowing: another pose, a number of waters that drifts, walkers without a round trip.
    """
    findings, notes = [], list(motion["unreadable"])
    dry: dict[str, list[tuple[int, float, float]]] = {}
    for part in motion["legs"]:
        where, name = (part["leg"], part["replicate"]), f"{part['leg']} leg, replicate {part['replicate']}"
        if (part.get("walk") or {}).get("round_trips") and not sum(part["walk"]["round_trips"]):
            notes.append(f"{name}: no walker went from one end of λ to the other and back")
        coupled = part.get("coupled")
        if coupled and len(coupled["time_ps"]) >= LEAST_FRAMES:
            half = len(coupled["time_ps"]) // 2
            away = float(np.median(coupled["ligand_site_distance_angstrom"][half:]))
            rmsd = float(np.median(coupled["ligand_rmsd_angstrom"][half:]))
            if away > unbound_threshold_angstrom:
                reason = f"the coupled ligand left its site: its centre is {away:.1f} Å from the site's in the median "
                reason += f"of the second half (unbound beyond {unbound_threshold_angstrom:g} Å)"
                findings.append(Doubted("pose", reason, *where))
            elif rmsd > OTHER_POSE_ANGSTROM:
                notes.append(
                    f"{name}: the coupled ligand is {rmsd:.1f} Å (RMSD, median of the second half) from where the legs "
                    "started: another pose"
                )
        missing = (turned := part.get("orientations") or {}).get("missing_kcal_per_mol", 0.0)
        if abs(missing) >= _NOTED_KCAL_PER_MOL:
            reason = " and ".join("{ligand} in {seen} of {ways}".format(**one) for one in turned["of"])
            reason += (
                " equivalent orientations, beside those that both have at all λ: as long as they do not turn in the "
            )
            reason += f"site, ΔΔG lacks up to {missing:+.2f} kcal/mol (-kT ln of the others, by symmetry alone)"
            if abs(missing) >= MISSING_KCAL_PER_MOL:
                findings.append(Doubted("orientations", reason, *where))
            else:
                notes.append(f"{name}: {reason}")
        for end in ("coupled", "decoupled"):
            counts = (part.get(end) or {}).get("buried_waters", [])
            if len(counts) < LEAST_FRAMES:
                continue
            (first, one), (second, other) = (_mean(half) for half in np.array_split(np.array(counts, float), 2))
            if abs(first - second) > max(WATERS_DIFFER, SIGMAS * float(np.hypot(one, other))):
                notes.append(
                    f"{name}, {end}: {first:.1f} waters in the pocket in the first half, {second:.1f} after it"
                )
            if end == "decoupled":
                dry.setdefault(part["leg"], []).append((part["replicate"], *_mean(np.array(counts, float))))
    for leg, means in dry.items():
        (low, least, low_error), (high, most, high_error) = min(means, key=_second), max(means, key=_second)
        if most - least > max(WATERS_DIFFER, SIGMAS * float(np.hypot(low_error, high_error))):
            reason = f"the decoupled pocket holds {least:.1f} waters in replicate {low} and {most:.1f} in {high}: "
            findings.append(Doubted("hydration", f"{leg} leg: {reason}its hydration is not converged"))
    return findings, notes


def _second(item: tuple[int, float, float]) -> float:
    return item[1]


def _mean(counts: Floats) -> tuple[float, float]:
    """Mean and its error from five blocks, since frames are correlated."""
    blocks = [block.mean() for block in np.array_split(counts, 5)]
    return float(counts.mean()), float(np.std(blocks, ddof=1) / np.sqrt(len(blocks)))


@dataclass(frozen=True)
class _Base:
    """Heavy atoms by their index in the topology of the complex, and where they are in the representative frame."""

    ligand: tuple[int, ...]
    site: tuple[int, ...]
    receptor: tuple[int, ...]
    graph: LigandGraph
    representative_angstrom: Floats


def _base(system: SimSystem) -> _Base | None:
    """What is looked for; None where there is no complex, or no representative frame of it."""
    atoms = system.find(TopologyFacts)
    if atoms is None or not atoms.site_atoms or not {"complex_prmtop", "representative_npz"} <= system.artifacts.keys():
        return None
    prmtop = system.path("complex_prmtop")
    heavy = set(heavy_atoms(prmtop))
    ligand, receptor = ([a for a in part if a in heavy] for part in (atoms.ligand_atoms, atoms.receptor_atoms))
    where = np.asarray(read_arrays(system.path("representative_npz"), "positions_nm")["positions_nm"], float) * 10
    return _Base(tuple(ligand), atoms.site_atoms, tuple(receptor), LigandGraph.read(prmtop, ligand), where)


def _places(base: _Base, place_of: npt.NDArray[np.integer], oxygens: Ints) -> Places | None:
    """Where it all stands in a frame; None where something is not in it."""
    wanted = [*base.site, *base.ligand, *base.receptor]
    if max(wanted) >= len(place_of) or (place_of[wanted] < 0).any():
        return None
    at: list[Ints] = [place_of[list(part)].astype(np.int32) for part in (base.ligand, base.site, base.receptor)]
    reference = base.representative_angstrom[[*base.site, *base.ligand]]
    return Places(at[0], at[1], at[2], oxygens, reference, base.graph)


def _places_in_leg(base: _Base, system: SimSystem, leg: Mapping[str, Any], about: Mapping[str, Any]) -> Places | None:
    """The same in a leg's frames; None where the leg does not hold the complex, atom by atom as it was prepared."""
    atoms = system.facts(TopologyFacts)
    if not set(base.ligand) <= set(leg["ligand_atoms"]) or not set(atoms.receptor_atoms) <= set(leg["receptor_atoms"]):
        return None
    kept, count = about["atoms"], len(base.representative_angstrom)
    place_of = np.arange(count, dtype=np.int32)
    if kept is not None:
        place_of = np.full(max(count, *kept) + 1, -1, dtype=np.int32)
        place_of[kept] = np.arange(len(kept))
    return _places(base, place_of, np.array(about["water_oxygens"], dtype=np.int32))


def _look_at_equilibration(system: SimSystem, base: _Base) -> dict[str, Any] | None:
    file = read_arrays(system.path("equil_frames"), "positions_nm", "heating", optional=("time_ps", "box_nm"))
    free = np.flatnonzero(~file["heating"])
    free = free[np.unique(np.linspace(0, len(free) - 1, min(len(free), MOST_FRAMES)).astype(int))]
    time_ps = np.asarray(file.get("time_ps", np.arange(1, len(file["heating"]) + 1)), dtype=np.float64)
    atoms = system.facts(TopologyFacts)
    chosen = Selection.read(system.path("complex_prmtop"), atoms.receptor_atoms, atoms.ligand_atoms, "solute")
    places = _places(base, chosen.places, chosen.oxygens)
    if places is None or not len(free):
        return None
    boxes = file.get("box_nm")
    kept = [
        chosen.of(file["positions_nm"][n].astype(float), None if boxes is None else boxes[n].astype(float))
        for n in free
    ]
    return look(places, np.array(kept, dtype=np.float64) * 10, time_ps[free])


def threshold_of(system: SimSystem) -> float:
    """Distance beyond which a ligand is outside its site.

    Parameters
    ----------
    system
        With the settings of its equilibration.

    Returns
    -------
    float
        Å.
    """
    known = system.find(SettingsFacts)
    return known.equil.unbound_threshold_angstrom if known else float("inf")
