"""From a table of edges to the free energy of every ligand: errors, estimate, cycles, outliers, experiment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from scipy.stats import chi2

from gibbsflow.binding.network.agreement import agreement
from gibbsflow.binding.network.anchoring import Scale, check_anchor, scales
from gibbsflow.binding.network.closures import Cycle, closures
from gibbsflow.binding.network.edge_errors import Prior, settle_errors
from gibbsflow.binding.network.edge_row import USED, EdgeRow
from gibbsflow.binding.network.edge_table import put_together
from gibbsflow.binding.network.experiment import Measured
from gibbsflow.binding.network.maximum_likelihood import ALPHA, Estimate, Link, Outlier, estimate, outliers
from gibbsflow.errors import first_few
from gibbsflow.workflow.account import Account

PHYSICS = 1
"""Raised where the same table would give other numbers."""
LEAST_OVERLAP = 0.03
"""Overlap of neighbouring states below which the free energy of an edge is in doubt (as in section ``analysis``)."""
_UNLIKELY = 0.01
_SAME_EXPERIMENT = 0.05
_NAMED = 8


@dataclass(frozen=True)
class LigandRow:
    """One row of ``ligands.csv``, columns in its order (docs/contracts.md).

    Attributes
    ----------
    ligand, rank
        Name, and place among the ligands of its component, the strongest first.
    component
        Number of the part of the network that it is in, from 1, each with its own scale; None without a free energy.
    edges
        How many its free energy rests on.
    status, verdict, cause
        ``finished`` or ``failed``; PASS, WARN or FAIL; why.
    dg_kcal_per_mol, dg_error_kcal_per_mol
        Free energy on the scale of its component, and its error, scaled by how cycles close.
    ml_error_kcal_per_mol
        The same error without that scaling: from the errors of the edges alone.
    experimental_dg_kcal_per_mol
        Measured.
    """

    ligand: str
    rank: int | None
    component: int | None
    edges: int
    status: str
    verdict: str
    dg_kcal_per_mol: float | None = None
    dg_error_kcal_per_mol: float | None = None
    ml_error_kcal_per_mol: float | None = None
    experimental_dg_kcal_per_mol: float | None = None
    cause: str = ""


LIGAND_COLUMNS = tuple(field.name for field in fields(LigandRow))


@dataclass(frozen=True)
class NetworkAnalysis:
    """What a table of edges gives.

    Attributes
    ----------
    edges
        One a pair, in the order of the table, with what was made of them; those that failed too.
    ligands
        By component and rank; those without a free energy last.
    cycles
        Independent ones.
    estimate
        Of the ligands that have one.
    measured
        ΔG by ligand that results are compared with, kcal/mol; with an arbitrary zero where only ΔΔG were given.
    figures
        Of ``result.json``.
    """

    edges: tuple[EdgeRow, ...]
    ligands: tuple[LigandRow, ...]
    cycles: tuple[Cycle, ...]
    estimate: Estimate
    measured: Mapping[str, float]
    figures: dict[str, Any]


def analyse_network(
    rows: Sequence[EdgeRow], account: Account, *, measured: Measured | None = None, anchor: str = "none", seed: int = 0
) -> NetworkAnalysis:
    """Analyse a network.

    Parameters
    ----------
    rows
        Edges as :func:`~.edge_table.read_edges` reads them, or :func:`~.edge_table.edge_of_repeats` makes them;
        several of one pair are repeats.
    account
        Of the table.
    measured
        Affinities, where they are known.
    anchor
        ``none``, ``mean`` (of the ligands that were measured) or the name of a ligand.
    seed
        Of the resampling that gives intervals.

    Returns
    -------
    NetworkAnalysis
        Whatever is wrong with single edges is in their rows.

    Raises
    ------
    InputError
        For all that is wrong with the table, at once; for an anchor that holds nothing.
    """
    edges = put_together(rows, account)
    edges, prior = settle_errors(edges, account)
    edges = _with_experiment(edges, measured, account)
    account.settle()
    used = [row for row in edges if row.used]
    links = [_link(row) for row in used]
    fit, wrong, cycles = estimate(links), outliers(links), closures(links)
    known = dict(measured.dg_kcal_per_mol) if measured else {}
    check_anchor(anchor, fit.ligands, known)
    parts = scales(fit, anchor, known)
    edges = _judged(edges, used, fit, wrong)
    compared = known or _from_differences(edges, account)
    ligands = _ligand_rows(edges, parts, fit, known)
    figures = _figures(edges, ligands, parts, fit, cycles, prior)
    figures |= _doubts(edges, ligands, fit, wrong, used, cycles, account)
    figures["agreement"] = _agreement(edges, parts, compared, seed)
    figures["anchor"] = anchor
    if measured:
        figures["temperature_k"] = measured.temperature_k
    return NetworkAnalysis(tuple(edges), tuple(ligands), tuple(cycles), fit, compared, figures)


def _link(row: EdgeRow) -> Link:
    return Link(row.ligand_a, row.ligand_b, float(row.ddg_kcal_per_mol or 0), float(row.ddg_error_kcal_per_mol or 0))


def _with_experiment(edges: Sequence[EdgeRow], measured: Measured | None, account: Account) -> list[EdgeRow]:
    """Give each edge the difference of its ligands' measured values; say where the table has another."""
    if measured is None:
        return list(edges)
    known = measured.dg_kcal_per_mol
    if strangers := sorted(set(known) - {name for row in edges for name in row.pair}):
        named = first_few(strangers, _NAMED)
        account.note(f"measured, but in no edge: {named}")
    found = []
    for row in edges:
        if row.ligand_a in known and row.ligand_b in known:
            value, told = known[row.ligand_b] - known[row.ligand_a], row.experimental_ddg_kcal_per_mol
            if told is not None and abs(told - value) > _SAME_EXPERIMENT:
                what = f"measured ΔΔG of {row.name} is {told:g}, and {value:.3g} kcal/mol by its ligands, which counts"
                account.warn(what, "the same experiment in both", row=row.line, field="experimental_ddg_kcal_per_mol")
            row = replace(row, experimental_ddg_kcal_per_mol=value)
        found.append(row)
    return found


def _judged(
    edges: Sequence[EdgeRow], used: Sequence[EdgeRow], fit: Estimate, wrong: Sequence[Outlier]
) -> list[EdgeRow]:
    """Give each edge its verdict: what it came with, or WARN where cycles or overlap speak against it."""
    said = dict[int, str]()
    for one in wrong:
        others = [used[k].name for k in one.links]
        text = (
            f"Outlier: differs by {one.difference_kcal_per_mol:+.2f} ± {one.error_kcal_per_mol:.2f} kcal/mol from what "
        )
        text += f"all other edges say (z {one.z:.1f})"
        text += f"; it may as well be another of {', '.join(others)}" if len(others) > 1 else ""
        said |= {id(used[k]): text for k in one.links}
    checked = {id(row): bool(math.isfinite(z)) for row, z in zip(used, fit.z, strict=True)}
    judged = []
    for row in edges:
        doubts = [said[id(row)]] if id(row) in said else []
        if row.used and row.overlap is not None and row.overlap < LEAST_OVERLAP:
            doubts.append(f"Overlap: {row.overlap:.3f} between neighbouring states, below {LEAST_OVERLAP}")
        verdict = "WARN" if doubts else row.verdict
        if not verdict and not row.used:
            verdict = "" if row.status == "waiting" else "FAIL"
        elif not verdict and checked.get(id(row)):
            verdict = "PASS"
        judged.append(replace(row, verdict=verdict, cause="; ".join([*([row.cause] if row.cause else []), *doubts])))
    return judged


def _ligand_rows(
    edges: Sequence[EdgeRow], parts: Sequence[Scale], fit: Estimate, known: Mapping[str, float]
) -> list[LigandRow]:
    own: dict[str, list[EdgeRow]] = {}
    for row in edges:
        for name in row.pair:
            own.setdefault(name, []).append(row)
    rows = []
    for number, scale in enumerate(parts, 1):
        errors = np.sqrt(np.maximum(np.diag(scale.covariance), 0))
        order = sorted(range(len(scale.ligands)), key=lambda k: (scale.dg_kcal_per_mol[k], scale.ligands[k]))
        for rank, k in enumerate(order, 1):
            name = scale.ligands[k]
            holding = [row for row in own[name] if row.used]
            doubted = [row for row in holding if "Outlier: " in row.cause]
            cause = "an outlier is among its edges: " + ", ".join(row.name for row in doubted) if doubted else ""
            if all(row.verdict == "WARN" for row in holding) and not doubted:
                cause = "each of its edges has the verdict WARN"
            rows.append(
                LigandRow(
                    name, rank, number, len(holding), "finished", "WARN" if cause else "PASS",
                    float(scale.dg_kcal_per_mol[k]), float(errors[k]) * fit.factor, float(errors[k]),
                    known.get(name), cause,
                )
            )  # fmt: skip
    for name in sorted(own.keys() - set(fit.ligands)):
        told = [f"{row.name} is {'FAIL' if row.status in USED else row.status}" for row in own[name]]
        cause = "no edge reaches it: " + ", ".join(told)
        rows.append(LigandRow(name, None, None, 0, "failed", "FAIL", None, None, None, known.get(name), cause))
    return rows


def _from_differences(edges: Sequence[EdgeRow], account: Account) -> dict[str, float]:
    """Measured values of ligands, but for a constant, from those of edges."""
    links = [
        Link(row.ligand_a, row.ligand_b, row.experimental_ddg_kcal_per_mol, 1.0)
        for row in edges
        if row.experimental_ddg_kcal_per_mol is not None
    ]
    if not links:
        return {}
    fit = estimate(links)
    worst = float(np.abs(fit.residuals).max(initial=0))
    if worst > _SAME_EXPERIMENT:
        what = f"measured ΔΔG do not add up around cycles, by up to {worst:.2f} kcal/mol"
        account.warn(what, "differences of one value a ligand", field="experimental_ddg_kcal_per_mol")
    if len(fit.parts) > 1:
        account.note("measured ΔΔG do not connect all ligands: only the largest part is compared")
    place = dict(zip(fit.ligands, fit.dg_kcal_per_mol, strict=True))
    return {name: float(place[name]) for name in fit.parts[0]}


def _agreement(
    edges: Sequence[EdgeRow], parts: Sequence[Scale], compared: Mapping[str, float], seed: int
) -> dict[str, Any]:
    both = [
        (row.ddg_kcal_per_mol, row.experimental_ddg_kcal_per_mol)
        for row in edges
        if row.used and row.experimental_ddg_kcal_per_mol is not None
    ]
    found: dict[str, Any] = {"edges": None, "ligands": []}
    if both:
        computed, measured = np.array(both, dtype=float).T
        found["edges"] = agreement(computed, measured, both_ways=True, seed=seed)
    for number, scale in enumerate(parts, 1):
        own = [k for k, name in enumerate(scale.ligands) if name in compared]
        if len(own) > 1:
            measured = np.array([compared[scale.ligands[k]] for k in own])
            said = agreement(scale.dg_kcal_per_mol[own], measured, centred=True, seed=seed)
            found["ligands"].append({"component": number} | said)
    return found


def _figures(
    edges: Sequence[EdgeRow],
    ligands: Sequence[LigandRow],
    parts: Sequence[Scale],
    fit: Estimate,
    cycles: Sequence[Cycle],
    prior: Prior | None,
) -> dict[str, Any]:
    rms = math.sqrt(sum(cycle.z**2 for cycle in cycles) / len(cycles)) if cycles else None
    return {
        "edges": len(edges),
        "edges_used": sum(row.used for row in edges),
        "ligands": len(ligands),
        "ligands_with_dg": len(fit.ligands),
        "components": [
            {"component": number, "ligands": list(scale.ligands), "offset_kcal_per_mol": scale.offset_kcal_per_mol}
            | {"anchored": scale.anchored, "why": scale.why}
            for number, scale in enumerate(parts, 1)
        ],
        "cycles": {
            "independent": fit.dof,
            "rms_z": rms,
            "chi2": fit.chi2,
            "p": float(chi2.sf(fit.chi2, fit.dof)) if fit.dof else None,
            "scatter": fit.scatter if fit.dof else None,
        },
        "error_factor": fit.factor,
        "error_prior": None
        if prior is None
        else {k: v if math.isfinite(v) else None for k, v in asdict(prior).items()},
    }


def _doubts(
    edges: Sequence[EdgeRow],
    ligands: Sequence[LigandRow],
    fit: Estimate,
    wrong: Sequence[Outlier],
    used: Sequence[EdgeRow],
    cycles: Sequence[Cycle],
    account: Account,
) -> dict[str, Any]:
    """Verdict of the network, what speaks for it, and what was noted."""
    reasons = [f"{used[one.links[0]].name} is an outlier (z {one.z:.1f})" if len(one.links) == 1
               else f"one of {', '.join(used[k].name for k in one.links)} is an outlier (z {one.z:.1f})"
               for one in wrong]  # fmt: skip
    open_cycles = [cycle for cycle in cycles if cycle.p(len(cycles)) < ALPHA]
    if fit.dof and chi2.sf(fit.chi2, fit.dof) < _UNLIKELY:
        text = (
            f"cycles do not close within the errors of their edges: χ² {fit.chi2:.1f} for {fit.dof} of them, so errors "
        )
        text += f"of ligands are {fit.factor:.2f} times as large"
        reasons.append(
            text + "".join(f"; {c}: {c.closure_kcal_per_mol:+.2f} (z {c.z:.1f})" for c in open_cycles[:_NAMED])
        )
    if len(fit.parts) > 1:
        reasons.append(f"{len(fit.parts)} components that no edge connects: each has a scale of its own")
    lost = [row.ligand for row in ligands if row.dg_kcal_per_mol is None]
    if lost:
        reasons.append(f"no free energy of {first_few(lost, _NAMED)}")
    reasons += [str(problem) for problem in account.of_weight("warn")]
    unchecked = [row.name for row, z in zip(used, fit.z, strict=True) if not math.isfinite(z)]
    return {
        "verdict": "FAIL" if not fit.ligands else "WARN" if reasons else "PASS",
        "reasons": reasons,
        "outliers": [
            {"edges": [used[k].name for k in one.links]} | {k: v for k, v in asdict(one).items() if k != "links"}
            for one in wrong
        ],
        "unchecked_edges": unchecked,
        "residuals": [
            {"ligand_a": row.ligand_a, "ligand_b": row.ligand_b, "residual_kcal_per_mol": float(residual)}
            | {"z": float(z) if math.isfinite(z) else None}
            for row, residual, z in zip(used, fit.residuals, fit.z, strict=True)
        ],
    } | account.as_figures()
