"""What the frames of a transformation show: how ligand and site moved, waters in the pocket, walkers along λ.

All is seen from one structure, the representative frame of the equilibration, which the legs start from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding.alchemy.alchemical_leg import FILE_NAME
from gibbsflow.binding.analyse.frames.bound_ligands import Bound, BoundLigands
from gibbsflow.binding.analyse.frames.edge_ends import EdgeEnds
from gibbsflow.binding.analyse.frames.pose_geometry import closest_rmsd
from gibbsflow.binding.analyse.frames.turning import LEAST_FRAMES, edge_orientations, missing_kcal_per_mol
from gibbsflow.binding.analyse.frames.wetting import judge_waters
from gibbsflow.binding.analyse.frames.window_frames import Frames, evenly, frames_of, kept_any
from gibbsflow.binding.burial import Rays, buriedness
from gibbsflow.binding.equilibrate.bound_state import LEAST_BURIED
from gibbsflow.binding.equilibrate.frame_files import Selection
from gibbsflow.binding.facts import ENDS, SettingsFacts, TopologyFacts
from gibbsflow.binding.geometry import superposed
from gibbsflow.binding.sample.energies import read_window_meta
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
MISSING_KCAL_PER_MOL = 0.5
"""Of orientations that an edge's ligands did not come to, from where on it is doubted; less is noted."""
_NOTED_KCAL_PER_MOL = 0.1
_WHOLE = ("coupled", *ENDS)
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


def look(bound: Bound, frames: Frames) -> dict[str, Any]:
    """Follow ligand, site and waters through frames.

    Parameters
    ----------
    bound
        What is looked at.
    frames
        With all of its atoms.

    Returns
    -------
    dict
        ``time_ps`` and, for each frame, RMSD of ligand (site laid on site, equivalent atoms exchanged where that is
        nearer) and of the site, distance of their centres, and, where there is water, how many molecules are in the
        pocket; of each its ``median``; ``start_distance_angstrom``, that of the centres in the structure that all is
        seen from.

    Notes
    -----
    A water is in the pocket where its oxygen is within `NEAR_ANGSTROM` of an atom that marks it (of the ligand,
    decoupled or not; of either ligand of an edge), and at least `LEAST_BURIED` of the directions from it end at the
    receptor.
    """
    frames, count = frames.spread(MOST_FRAMES), len(bound.site)
    laid = _laid(bound, frames)
    site, ligand = laid[:, :count], laid[:, count:]
    away = np.linalg.norm(ligand.mean(axis=1) - site.mean(axis=1), axis=-1)
    series: dict[str, Any] = {
        "ligand_rmsd_angstrom": closest_rmsd(ligand[1:], ligand[0], bound.graph),
        "site_rmsd_angstrom": np.sqrt(((site[1:] - site[0]) ** 2).sum(axis=-1).mean(axis=-1)),
        "ligand_site_distance_angstrom": away[1:],
    }
    if frames.oxygens_nm.shape[1]:
        each = zip(frames.oxygens_nm, frames.angstrom(bound.pocket), frames.angstrom(bound.receptor), strict=True)
        series["buried_waters"] = np.array([_buried(water.astype(np.float64) * 10, *one) for water, *one in each])
    return {
        "time_ps": [round(float(time), 6) for time in frames.time_ps],
        **{name: [round(float(value), 3) for value in values] for name, values in series.items()},
        "median": {name: round(float(np.median(values)), 3) for name, values in series.items()},
        "start_distance_angstrom": round(float(away[0]), 3),
    }


def _laid(bound: Bound, frames: Frames) -> Floats:
    """Site and ligand of the reference, then of all frames, their sites laid on its own, shape (1 + F, n, 3)."""
    seen = [*bound.site, *bound.ligand]
    found = np.concatenate([bound.reference_angstrom[None, seen], frames.angstrom(seen)])
    return superposed(found, range(len(bound.site)))


def _buried(oxygens: Floats, pocket: Floats, receptor: Floats) -> int:
    apart = np.min([((oxygens - atom) ** 2).sum(axis=1) for atom in pocket], axis=0)
    near = oxygens[apart <= NEAR_ANGSTROM**2]
    return int((buriedness(near, receptor, _RAYS) >= LEAST_BURIED).sum())


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
    chosen = evenly(len(times), MOST_STEPS)
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
    noted = partial(unreadable_noted, motion["unreadable"])
    ligands, base, coupled = None, None, []
    with noted():
        ligands = BoundLigands(system)
        base = ligands.prepared
    if base is not None:
        coupled.append(base.reference_angstrom[None, list(base.ligand)])
        with noted():
            if "equil_frames" in system.artifacts and (found := _look_at_equilibration(system, base)):
                motion["equilibration"] = found
    for where, (leg, parts) in _by_leg(system, runs if ligands is not None else (), noted).items():
        with noted():
            assert ligands is not None
            edge, ends, last = ligands.edge(leg), ligands.ends(leg), len(leg["states"]) - 1
            atoms = [*(edge.atoms if edge else ()), *(atom for *_, one in ends for atom in one.atoms)]
            kept = dict[int, Frames]()
            for window in {0, last} if atoms else ():
                with noted():
                    if (frames := frames_of(parts, window, atoms)) is not None:
                        kept[window] = frames
            for end, window, one in ends:
                if window in kept:
                    told = {"window": window, **({"ligand": one.name} if one.name else {})}
                    seen.setdefault(where, {})[end] = told | look(one, kept[window])
                    if end == "coupled":
                        coupled.append(_laid(one, kept[window])[1:, len(one.site) :])
            if edge and kept.keys() == {0, last} and (turned := _turned(edge, [kept[0], kept[last]], system)):
                seen.setdefault(where, {})["orientations"] = turned
    motion["legs"] = [{"leg": leg, "replicate": number, **found} for (leg, number), found in sorted(seen.items())]
    return motion, None if base is None else _pose(base, coupled)


@contextmanager
def unreadable_noted(notes: list[str]) -> Iterator[None]:
    """Note what cannot be read, and go on: what cannot be looked at any more costs no free energy.

    Parameters
    ----------
    notes
        Those so far; one that is among them is not said again.

    Yields
    ------
    None
        Once; what comes after a file that cannot be read is left out.
    """
    try:
        yield
    except (InputError, StateError) as error:
        if str(error) not in notes:
            notes.append(str(error))


def _by_leg(
    system: SimSystem, runs: Sequence[Path], noted: Callable[[], AbstractContextManager[None]]
) -> dict[tuple[str, int], tuple[dict[str, Any], list[Path]]]:
    """Runs that kept frames, by leg and replicate; of windows that are sampled by themselves each has its own."""
    found: dict[tuple[str, int], tuple[dict[str, Any], list[Path]]] = {}
    for run in map(Path, runs):
        with noted():
            if not (run / FILE_NAME).is_file() or not kept_any(run):
                continue
            leg = read_json(run / FILE_NAME)
            with as_written(run / FILE_NAME, "`fe run`"):
                within(system.root / "legs", leg["leg"])
                _ = len(leg["states"]), set(leg["ligand_atoms"]), set(leg["receptor_atoms"])
            found.setdefault((leg["leg"], _replicate(run)), (leg, []))[1].append(run)
    return found


def _turned(edge: EdgeEnds, frames: Sequence[Frames], system: SimSystem) -> dict[str, Any] | None:
    """Equivalent orientations of an edge's ligands, and what ΔΔG lacks without the others."""
    simulated = system.find(SettingsFacts)
    if simulated is None or (seen := edge_orientations(edge, frames)) is None:
        return None
    missing = missing_kcal_per_mol(seen, simulated.md.temperature_k)
    of = [{"ligand": name, **vars(one)} for name, one in seen.items()]
    return {"of": of, "missing_kcal_per_mol": missing}


def _replicate(run: Path) -> int:
    """Which replicate a run is of, as its windows say."""
    if (file := next(run.glob("window_*.parquet"), None)) is None:
        raise StateError(f"{run}: frames, and no window_*.parquet that says which replicate they are of")
    return int(read_window_meta(file)["replicate"])


def _pose(base: Bound, ligand: Sequence[Floats]) -> dict[str, Any]:
    frames = np.concatenate(ligand)
    chosen = evenly(len(frames), MOST_POSES)  # the first is in
    return {
        "site_atoms": list(base.site),
        "site_angstrom": np.round(base.reference_angstrom[list(base.site)], 2).tolist(),
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
        come to, replicates whose decoupled pockets, or those of one end of an edge, hold other numbers of waters, an
        edge whose ends differ in waters that did not come to rest.
    notes
        What is worth knowing: another pose, a number of waters that drifts, or differs between the ends of an edge,
        walkers without a round trip.
    """
    findings, notes = [], list(motion["unreadable"])
    for part in motion["legs"]:
        where, name = (part["leg"], part["replicate"]), f"{part['leg']} leg, replicate {part['replicate']}"
        if (part.get("walk") or {}).get("round_trips") and not sum(part["walk"]["round_trips"]):
            notes.append(f"{name}: no walker went from one end of λ to the other and back")
        for whole in (part[end] for end in _WHOLE if end in part and len(part[end]["time_ps"]) >= LEAST_FRAMES):
            left, other = _left(whole, unbound_threshold_angstrom)
            findings += [Doubted("pose", left, *where)] if left else []
            notes += [f"{name}: {other}"] if other else []
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
    for leg in dict.fromkeys(part["leg"] for part in motion["legs"]):
        doubts, told = judge_waters([part for part in motion["legs"] if part["leg"] == leg])
        findings += [Doubted("hydration", f"{leg} leg: {reason}") for reason in doubts]
        notes += [f"{leg} leg{text}" for text in told]
    return findings, notes


def _left(seen: Mapping[str, Any], threshold_angstrom: float) -> tuple[str, str]:
    """That a ligand is out of its site, or in another pose, in the second half; empty where it is not."""
    half, who = len(seen["time_ps"]) // 2, seen.get("ligand", "the coupled ligand")
    away, rmsd = (
        float(np.median(seen[key][half:])) for key in ("ligand_site_distance_angstrom", "ligand_rmsd_angstrom")
    )
    begun = seen.get("start_distance_angstrom", 0.0)  # a large ligand's centre may be off the site of a small one
    if away > threshold_angstrom and (begun <= threshold_angstrom or rmsd > OTHER_POSE_ANGSTROM):
        reason = f"{who} left its site: its centre is {away:.1f} Å from the site's in the median "
        return f"{reason}of the second half (unbound beyond {threshold_angstrom:g} Å)", ""
    if rmsd > OTHER_POSE_ANGSTROM:
        told = f"{who} is {rmsd:.1f} Å (RMSD, median of the second half) from where the legs started: another pose"
        return "", told
    return "", ""


def _look_at_equilibration(system: SimSystem, base: Bound) -> dict[str, Any] | None:
    path = system.path("equil_frames")
    file = read_arrays(path, "positions_nm", "heating", optional=("time_ps", "box_nm"))
    free = np.flatnonzero(~file["heating"])
    free = free[evenly(len(free), MOST_FRAMES)]
    if not len(free):
        return None
    time_ps = np.asarray(file.get("time_ps", np.arange(1, len(file["heating"]) + 1)), dtype=np.float64)
    atoms = system.facts(TopologyFacts)
    chosen = Selection.read(system.path("complex_prmtop"), atoms.receptor_atoms, atoms.ligand_atoms, "solute")
    boxes = file.get("box_nm")
    if bad := [n for n in free if not np.isfinite(file["positions_nm"][n]).all()]:
        raise StateError(f"{path}: frame {bad[0] + 1} has coordinates that are no numbers")
    kept = np.array(
        [
            chosen.of(file["positions_nm"][n].astype(float), None if boxes is None else boxes[n].astype(float))
            for n in free
        ]
    )
    count = len(chosen.solute)
    return look(base, Frames(chosen.solute, kept[:, :count], kept[:, chosen.oxygens], time_ps[free]))


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
