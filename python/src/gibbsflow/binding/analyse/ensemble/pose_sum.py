"""Several poses of one ligand, each computed by itself, summed up to the ligand's free energy of binding.

Poses that do not pass into each other are parts of one bound state: K = Σ K_i, and so ΔG = −kT ln Σ exp(−ΔG_i/kT)
(Mobley, Chodera, Dill, J. Chem. Phys. 125, 084902 (2006)). A part must not be counted twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, stdev
from typing import Any

import numpy as np

from gibbsflow.binding.alchemy.protocols import GONE_ON_WITH
from gibbsflow.binding.analyse.frames.pose_geometry import LigandGraph, closest_rmsd
from gibbsflow.binding.analyse.verdict import Finding, Level, overall, sentences
from gibbsflow.binding.geometry import superposed
from gibbsflow.units import kt_kcal_per_mol
from gibbsflow.workflow.result import versions

SAME_ANGSTROM = 1.5
"""Representative structures that are nearer (RMSD, sites laid on each other) are one pose."""
VISIT_ANGSTROM = 2.0
"""A frame within this of another pose, and nearer to it than to its own, is a visit there."""
MOST_VISITS = 0.05
"""Share of the frames of the coupled ligand, above which two poses pass into each other."""
LEAST_SITE_ATOMS = 4
"""Common atoms of two sites that lay them on each other; poses whose sites share fewer are apart."""
COUNTS = 0.01
"""A pose of a smaller weight decides nothing of the verdict."""
MERGED_SIGMAS = 3.0
"""Values of one pose that differ by more of their errors, and by more than kT, are not both right."""
OF_POSE = (
    "dg_kcal_per_mol", "dg_error_kcal_per_mol", "mbar_error_kcal_per_mol", "verdict", "status", "replicates", "pose",
    "settings",
)  # fmt: skip
"""What :func:`combine_poses` needs of a record."""


@dataclass(frozen=True)
class PoseTerm:
    """One term of the sum: a pose, or several that are one.

    Attributes
    ----------
    members
        Names of their transformations.
    dg_kcal_per_mol, dg_error_kcal_per_mol, mbar_error_kcal_per_mol
        Mean, its error, and MBAR's, kcal/mol.
    """

    members: tuple[str, ...]
    dg_kcal_per_mol: float
    dg_error_kcal_per_mol: float
    mbar_error_kcal_per_mol: float


@dataclass(frozen=True)
class PoseSum:
    """Free energy of all poses.

    Attributes
    ----------
    dg_kcal_per_mol, dg_error_kcal_per_mol, mbar_error_kcal_per_mol
        Sum, its error and MBAR's, kcal/mol.
    weights
        Share of each term in the bound state; they add up to 1.
    """

    dg_kcal_per_mol: float
    dg_error_kcal_per_mol: float
    mbar_error_kcal_per_mol: float
    weights: tuple[float, ...]


def sum_poses(terms: Sequence[PoseTerm], kt: float) -> PoseSum:
    """Sum up poses that are apart.

    Parameters
    ----------
    terms
        One or more.
    kt
        Thermal energy, kcal/mol.

    Returns
    -------
    PoseSum
        ΔG = −kT ln Σ exp(−ΔG_i/kT); its error is √Σ (w_i σ_i)², with the weights w_i = exp(−(ΔG_i − ΔG)/kT), to first
        order, for errors that are independent, as those of poses are: each has all its legs to itself.
    """
    lowest = min(term.dg_kcal_per_mol for term in terms)
    factors = [math.exp(-(term.dg_kcal_per_mol - lowest) / kt) for term in terms]
    total = sum(factors)
    weights = [factor / total for factor in factors]
    error = math.hypot(*(w * term.dg_error_kcal_per_mol for w, term in zip(weights, terms, strict=True)))
    mbar = math.hypot(*(w * term.mbar_error_kcal_per_mol for w, term in zip(weights, terms, strict=True)))
    return PoseSum(lowest - kt * math.log(total), error, mbar, tuple(weights))


@dataclass(frozen=True)
class Apart:
    """How two poses stand to each other.

    Attributes
    ----------
    rmsd_angstrom
        Of their representative structures, sites laid on each other; None where their sites are apart.
    visits
        Share of the frames of each that are in the other's place.
    """

    rmsd_angstrom: float | None
    visits: tuple[float, float]

    @property
    def one(self) -> str:
        """Say why they are one pose.

        Returns
        -------
        str
            In words; empty where they are two.
        """
        if self.rmsd_angstrom is None:
            return ""
        if self.rmsd_angstrom <= SAME_ANGSTROM:
            return f"are the same within {self.rmsd_angstrom:.1f} Å"
        if max(self.visits) > MOST_VISITS:
            return f"pass into each other ({max(self.visits):.0%} of the frames of one are in the other's place)"
        return ""


def compare_poses(one: Mapping[str, Any], other: Mapping[str, Any]) -> Apart:
    """Compare where a ligand was in two transformations.

    Parameters
    ----------
    one, other
        `pose` of their records.

    Returns
    -------
    Apart
        After laying the atoms that both sites have on each other.
    """
    common = sorted(set(one["site_atoms"]) & set(other["site_atoms"]))
    if len(common) < LEAST_SITE_ATOMS:
        return Apart(None, (0.0, 0.0))
    sites = []
    for pose in (one, other):
        place = {atom: number for number, atom in enumerate(pose["site_atoms"])}
        sites.append(np.array(pose["site_angstrom"], dtype=float)[[place[atom] for atom in common]])
    frames = [np.array(pose["ligand_angstrom"], dtype=float) for pose in (one, other)]
    graphs = [LigandGraph.from_dict(pose["graph"]) for pose in (one, other)]
    count = len(common)
    moved = [np.concatenate([np.broadcast_to(sites[1], (len(frames[1]), count, 3)), frames[1]], axis=1)]
    filled = np.zeros((1, moved[0].shape[1], 3))
    filled[0, :count] = sites[0]
    frames[1] = superposed(np.concatenate([filled, *moved]), range(count))[1:, count:]
    rmsd = float(closest_rmsd(frames[1][:1], frames[0][0], graphs[1], graphs[0])[0])
    visits = []
    for mine, theirs in ((0, 1), (1, 0)):
        away = closest_rmsd(frames[mine], frames[mine][0], graphs[mine])
        there = closest_rmsd(frames[mine], frames[theirs][0], graphs[mine], graphs[theirs])
        visits.append(float(((there < away) & (there <= VISIT_ANGSTROM)).mean()))
    return Apart(rmsd, (visits[0], visits[1]))


def combine_poses(
    ligand: str,
    expected: Sequence[str],
    records: Mapping[str, Mapping[str, Any]],
    lost: Mapping[str, str],
    mode: str = GONE_ON_WITH,
) -> dict[str, Any]:
    """Make the record of a ligand from those of its poses.

    Parameters
    ----------
    ligand
        Its name.
    expected
        Its poses, by their names in the samplesheet.
    records
        Content of ``record.json`` of those that have one.
    lost
        Cause of each that has no value.
    mode
        Of the campaign.

    Returns
    -------
    dict
        Of the form of ``record.json``, with `poses` (docs/contracts.md).
    """
    valued = [name for name in expected if name in records and records[name]["dg_kcal_per_mol"] is not None]
    missing = [name for name in expected if name not in valued]
    findings = [Finding("WARN" if valued else "FAIL", "poses", _of_missing(name, lost)) for name in missing]
    record: dict[str, Any] = {
        "transformation": ligand,
        "ligand": ligand,
        "mode": mode,
        "legs": [],
        "settings": {},
        "versions": versions(),
        "replicates": None,
        "t95_kcal_per_mol": None,
        "ci95_low_kcal_per_mol": None,
        "ci95_high_kcal_per_mol": None,
        "error_method": "",
        "experimental_dg_kcal_per_mol": None,
        "overlaps": [],
    }
    cause = "; ".join(f"{name}: {lost.get(name) or 'no value'}" for name in missing)
    if not valued:
        figures = dict.fromkeys(("dg_kcal_per_mol", "dg_error_kcal_per_mol", "mbar_error_kcal_per_mol"))
        lacking = [_without_value(name, lost) for name in expected]
        said = {"status": "failed", "verdict": "FAIL", "reasons": sentences(findings), "cause": f"Poses: {cause}"}
        return {**record, **figures, **said, "poses": lacking}
    kt = kt_kcal_per_mol(records[valued[0]]["settings"]["md"]["temperature_k"])
    groups, overlaps, doubts = _grouped(valued, records)
    findings += doubts
    terms = [_merged([records[name] for name in group], group) for group in groups]
    total = sum_poses(terms, kt)
    for term, weight in zip(terms, total.weights, strict=True):
        for name in term.members:
            verdict = records[name]["verdict"]
            if verdict != "PASS":
                level: Level = "FAIL" if verdict == "FAIL" and weight >= COUNTS else "WARN"
                findings.append(Finding(level, "pose", f"{name} ({weight:.0%} of the bound state) is {verdict}"))
        values = [records[name]["dg_kcal_per_mol"] for name in term.members]
        apart = math.hypot(*(records[name]["dg_error_kcal_per_mol"] for name in term.members))
        if max(values) - min(values) > max(MERGED_SIGMAS * apart, kt):
            reason = f"{' and '.join(term.members)} are one pose and differ by {max(values) - min(values):.2f} kcal/mol"
            findings.append(Finding("WARN", "merged", reason))
    weight_of = {  # those that are one share their weight, so that all add up to 1
        name: weight / len(term.members)
        for term, weight in zip(terms, total.weights, strict=True)
        for name in term.members
    }
    merged = {name: [other for other in group if other != name] for group in groups for name in group}
    kept = ("dg_kcal_per_mol", "dg_error_kcal_per_mol", "mbar_error_kcal_per_mol", "verdict", "status")
    poses = [
        {
            "transformation": name,
            **{key: records[name][key] for key in kept},
            "weight": weight_of[name],
            "merged_with": merged[name],
            "cause": "",
        }
        if name in weight_of
        else _without_value(name, lost)
        for name in expected
    ]
    many = len(terms) > 1
    return {
        **record,
        "status": "partial" if missing else "finished",
        "verdict": overall(findings),
        "reasons": sentences(findings),
        "cause": f"Poses: {cause}" if missing else "",
        "dg_kcal_per_mol": total.dg_kcal_per_mol,
        "dg_error_kcal_per_mol": total.dg_error_kcal_per_mol,
        "mbar_error_kcal_per_mol": total.mbar_error_kcal_per_mol,
        "error_method": f"errors of {len(terms)} poses, by their weights" if many else "that of its one pose",
        "replicates": min(records[name]["replicates"] for name in valued),
        "poses": poses,
        "overlaps": overlaps,
    }


def _without_value(name: str, lost: Mapping[str, str]) -> dict[str, Any]:
    """What a record says of a pose that has no value."""
    kept = dict.fromkeys(("dg_kcal_per_mol", "dg_error_kcal_per_mol", "mbar_error_kcal_per_mol", "weight"))
    cause = lost.get(name) or "no value"
    return {"transformation": name, **kept, "verdict": "FAIL", "status": "failed", "merged_with": [], "cause": cause}


def _of_missing(name: str, lost: Mapping[str, str]) -> str:
    return f"pose {name} has no value ({lost.get(name) or 'no record'}): with it ΔG can only be lower"


def _grouped(
    names: Sequence[str], records: Mapping[str, Mapping[str, Any]]
) -> tuple[list[tuple[str, ...]], list[dict[str, Any]], list[Finding]]:
    """Poses that are one in a group, how each two stand to each other, and what is doubted of that."""
    group_of = {name: {name} for name in names}
    overlaps, findings = [], []
    for one, other in combinations(names, 2):
        poses = records[one].get("pose"), records[other].get("pose")
        if poses[0] is None or poses[1] is None:
            reason = f"not known whether {one} and {other} are two poses: no structure was kept"
            findings.append(Finding("WARN", "poses", reason))
            continue
        apart = compare_poses(poses[0], poses[1])
        overlaps.append({"poses": [one, other], "rmsd_angstrom": apart.rmsd_angstrom, "visits": list(apart.visits)})
        if apart.one:
            reason = f"{one} and {other} {apart.one}: counted once, by their mean"
            findings.append(Finding("WARN", "poses", reason))
            joined = group_of[one] | group_of[other]
            group_of |= dict.fromkeys(joined, joined)
    groups = list(dict.fromkeys(tuple(name for name in names if name in group_of[member]) for member in names))
    return groups, overlaps, findings


def _merged(records: Sequence[Mapping[str, Any]], members: tuple[str, ...]) -> PoseTerm:
    """Mean of poses that are one, as over replicates: the error is never below what their own errors give."""
    values = [record["dg_kcal_per_mol"] for record in records]
    count = len(values)
    spread = stdev(values) / math.sqrt(count) if count > 1 else 0.0
    errors = [
        math.hypot(*(record[key] for record in records)) / count
        for key in ("dg_error_kcal_per_mol", "mbar_error_kcal_per_mol")
    ]
    return PoseTerm(members, fmean(values), max(errors[0], spread), errors[1])
