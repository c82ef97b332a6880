"""Tables of edges, ours and those of other programs: each row checked, rows of one pair put together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding.network.design.exported_tables import OTHERS, SYSTEM, UNLIKE, check_one_system, meant
from gibbsflow.binding.network.design.links import Pair
from gibbsflow.binding.network.design.sheet import SheetRow, alike, name_of, number, read_sheet
from gibbsflow.binding.network.edge_row import (
    BINDING,
    COLUMNS,
    ENERGIES,
    LEGS,
    STATUSES,
    TOPOLOGIES,
    USED,
    VERDICTS,
    EdgeRow,
    Spread,
    reversed_row,
)
from gibbsflow.errors import shown
from gibbsflow.units import KJ_PER_KCAL
from gibbsflow.workflow.account import Account

_ROUNDING = 0.02
"""Where ΔΔG and the difference of its legs are the same number, kcal/mol."""
_LARGE = 50.0
_LARGEST = 1e5
_LOSABLE = (*ENERGIES, "ddg_sd_kcal_per_mol")
_ERRORS = (1e-4, 1e3)
_NO_VALUE = "no ΔΔG in the table"
_OPPOSED = 1.0
_ALIKE = 0.25
"""Both directions of an edge are in doubt from this sum, kcal/mol, where their difference is below this share of it."""
_LOST = "Error"
"""What `openfe gather --allow-partial` has in place of the ΔΔG of an edge that lacks results."""


def read_edges(path: Path, account: Account) -> list[EdgeRow]:
    """Read a table of edges.

    Parameters
    ----------
    path
        CSV with ``ligand_a, ligand_b`` and ``ddg_kcal_per_mol`` or both legs; energies also in ``…_kj_per_mol``.
    account
        Takes notes, warnings and all that is wrong; of no use before it is settled.

    Returns
    -------
    list of EdgeRow
        A row each, in the order of the file; those of one pair are put together by :func:`put_together`.

    Raises
    ------
    InputError
        For a file that is no table.
    """
    kilojoules = {name.replace("kcal", "kj"): name for name in ENERGIES}
    known = (*COLUMNS, *kilojoules, "ddg_sd_kcal_per_mol", "failed", *SYSTEM)
    given = read_sheet(path, account, known, needed=("ligand_a", "ligand_b"), others=OTHERS, unlike=UNLIKE)
    check_one_system(given, path)
    rows = []
    for row in given:
        rows += [read] if (read := _row(_without_lost(row), kilojoules, account)) else []
    for one, other in alike({name for row in rows for name in row.pair}):
        account.refuse(f"{shown(one)} and {shown(other)} differ in case alone", "one spelling for each ligand")
    if account.of_weight("refuse"):
        return rows  # a figure that cannot be read is no figure that is missing
    if rows and all(row.ddg_kcal_per_mol is None and row.cause == _NO_VALUE for row in rows):
        right = "ddg_kcal_per_mol (unit in the name), or complex_kcal_per_mol and solvent_kcal_per_mol"
        account.refuse(f"no edge has a ΔΔG{meant(given)}", right)
    elif (told := meant(given, error=True)) and not any(_told_error(row) for row in rows):
        if len({row.pair for row in rows}) == len(rows):  # no repeats, whose spread would be one
            account.refuse(f"no edge has an error{told}", "ddg_error_kcal_per_mol (unit in the name)")
    return rows


def _told_error(row: EdgeRow) -> bool:
    return any(getattr(row, name) is not None for name in ENERGIES if "error" in name)


def _without_lost(row: SheetRow) -> SheetRow:
    """A row without the words that stand for a value and its error where results are missing; it counts as failed."""
    if row.cells.get("ddg_kcal_per_mol") != _LOST:
        return row
    return SheetRow(row.line, {name: cell for name, cell in row.cells.items() if name not in _LOSABLE or cell != _LOST})


def _row(row: SheetRow, kilojoules: Mapping[str, str], account: Account) -> EdgeRow | None:
    def _wrong(field: str, right: str) -> None:
        account.refuse(f"{shown(row.cells[field])} is not usable", right, row=row.line, field=field)

    a, b = name_of(row, "ligand_a", account), name_of(row, "ligand_b", account)
    values: dict[str, float | None] = {name: number(row, name, account) for name in ENERGIES}
    for name, column in kilojoules.items():
        if (value := number(row, name, account)) is not None:
            if values[column] is not None:
                account.refuse("given in kcal/mol as well", "one of the two", row=row.line, field=name)
            values[column] = value / KJ_PER_KCAL
    if (sd := number(row, "ddg_sd_kcal_per_mol", account)) is not None:
        if values["ddg_error_kcal_per_mol"] is None:
            values["ddg_error_kcal_per_mol"] = sd
            account.note("errors are standard deviations of repeats, taken as errors of their means, as OpenFE does")
    for name in [name for name in ENERGIES if "error" in name]:
        value = values[name]
        if value is not None and not _ERRORS[0] <= value <= _ERRORS[1]:
            right = f"{_ERRORS[0]:g} to {_ERRORS[1]:g} kcal/mol, or empty where not known"
            account.refuse(f"{value:g} as an error", right, row=row.line, field=name)
    for name, value in values.items():
        if value is not None and abs(value) > _LARGEST:
            what = f"{value:g} kcal/mol is no free energy of a molecule"
            account.refuse(what, f"{_LARGEST:g} at the most", row=row.line, field=name)
    overlap = number(row, "overlap", account)
    if overlap is not None and not 0 <= overlap <= 1:
        _wrong("overlap", "0 to 1")
    counts = {f"{leg}_repeats": number(row, f"{leg}_repeats", account) for leg in LEGS}
    for name, count in counts.items():
        if count is not None and (count < 1 or count != int(count)):
            _wrong(name, "a whole number from 1")
    status, verdict = row.cells.get("status", "").lower(), row.cells.get("verdict", "").upper()
    failed = row.cells.get("failed", "").lower()
    if failed not in ("", "true", "false"):
        _wrong("failed", "true or false")
    if status not in ("", *STATUSES):
        _wrong("status", ", ".join(STATUSES))
    if verdict not in ("", *VERDICTS):
        _wrong("verdict", ", ".join(VERDICTS))
    topology = row.cells.get("topology", "").lower()
    if topology not in ("", *TOPOLOGIES):
        _wrong("topology", " or ".join(TOPOLOGIES))
    if a is None or b is None:
        return None
    if a == b:
        account.refuse(f"{shown(a)} with itself", "two ligands", row=row.line)
        return None
    edge = EdgeRow(
        a,
        b,
        **values,  # type: ignore[arg-type]  # energies alone
        **{name: None if count is None else int(count) for name, count in counts.items()},  # type: ignore[arg-type]
        overlap=overlap,
        status="failed" if failed == "true" else status or "finished",
        verdict=verdict,
        cause=row.cells.get("cause", "failed by the table" if failed == "true" else ""),
        topology=topology,
        line=row.line,
    )
    return _by_legs(edge, account)


def _by_legs(row: EdgeRow, account: Account) -> EdgeRow:
    """Hold ΔΔG against its legs, or make it of them; a finished row without a value has failed."""
    first, second = (getattr(row, f"{leg}_kcal_per_mol") for leg in row.legs)
    if first is not None and second is not None:
        difference = first - second
        if row.ddg_kcal_per_mol is None:
            row = replace(row, ddg_kcal_per_mol=difference)
        elif abs(row.ddg_kcal_per_mol - difference) > _ROUNDING:
            what = f"ΔΔG is {row.ddg_kcal_per_mol:g}, {' less '.join(row.legs)} {difference:.4g} kcal/mol"
            if abs(row.ddg_kcal_per_mol + difference) <= _ROUNDING:
                account.refuse(what, "ΔG of b less that of a in all of them", row=row.line)
            else:
                account.warn(what, "both the same, unless ΔΔG holds a correction", row=row.line)
    if row.ddg_kcal_per_mol is None:
        if row.status in USED:
            return replace(row, status="failed", cause=row.cause or _NO_VALUE)
        return row
    if abs(row.ddg_kcal_per_mol) > _LARGE:
        account.warn(f"a ΔΔG of {row.ddg_kcal_per_mol:g} kcal/mol", "is the unit right?", row=row.line)
    if row.ddg_error_kcal_per_mol is None:
        row = _leg_errors(row)
    return row


def _leg_errors(row: EdgeRow) -> EdgeRow:
    """The spread of the repeats of both legs, or their errors as they are where nobody says how many they are of."""
    errors = [getattr(row, f"{leg}_error_kcal_per_mol") for leg in row.legs]
    mbar = [getattr(row, f"{leg}_mbar_error_kcal_per_mol") for leg in row.legs]
    counts = [getattr(row, f"{leg}_repeats") for leg in row.legs]
    mbar_variance = None if None in mbar else float(sum(error**2 for error in mbar))
    if None not in errors and None in counts:
        return replace(row, ddg_error_kcal_per_mol=math.hypot(*errors))
    if None not in errors and None not in counts and min(counts) > 1:
        return replace(row, spread=_welch([error**2 for error in errors], counts, mbar_variance))
    return replace(row, spread=Spread(0.0, 0.0, 1.0, mbar_variance))


def _welch(variances: Sequence[float], counts: Sequence[int], mbar_variance: float | None) -> Spread:
    """Sum of two independent means: degrees of freedom after Welch and Satterthwaite."""
    total = sum(variances)
    parts = sum(v**2 / (n - 1) for v, n in zip(variances, counts, strict=True))
    dof = total**2 / parts if parts > 0 else sum(counts) - len(counts)
    return Spread(total, float(dof), len(counts) / sum(1 / n for n in counts), mbar_variance)


def edge_of_repeats(
    ligand_a: str,
    ligand_b: str,
    first_leg: Sequence[tuple[float, float | None]],
    second_leg: Sequence[tuple[float, float | None]],
    legs: tuple[str, ...] = BINDING,
) -> EdgeRow:
    """Make the row of an edge from the repeats of its legs; :func:`~.edge_errors.settle_errors` makes its error.

    Parameters
    ----------
    ligand_a, ligand_b
        Names.
    first_leg, second_leg
        ΔG of a → b and MBAR's error (None where not known) of each repeat, kcal/mol.
    legs
        What they are called; ΔΔG is the first less the second.

    Returns
    -------
    EdgeRow
        Status ``failed`` where a leg has no repeat.
    """
    values: dict[str, float | int | None] = {}
    for leg, repeats in zip(legs, (first_leg, second_leg), strict=True):
        dg, mbar, n = [dg for dg, _ in repeats], [error for _, error in repeats if error is not None], len(repeats)
        values[f"{leg}_repeats"] = n or None
        values[f"{leg}_kcal_per_mol"] = float(np.mean(dg)) if n else None
        values[f"{leg}_error_kcal_per_mol"] = float(np.std(dg, ddof=1)) / math.sqrt(n) if n > 1 else None
        values[f"{leg}_mbar_error_kcal_per_mol"] = math.hypot(*mbar) / n if n and len(mbar) == n else None
    return _by_legs(EdgeRow(ligand_a, ligand_b, **values), Account(f"{ligand_a}~{ligand_b}"))  # type: ignore[arg-type]


def put_together(rows: Sequence[EdgeRow], account: Account) -> list[EdgeRow]:
    """Put the rows of each pair together: they are repeats, whichever way they run.

    The value is their mean. Its error comes from their spread, held by their own errors from below
    (:func:`~.edge_errors.settle_errors`). A row that repeats another to the last digit is counted once.

    Parameters
    ----------
    rows
        As :func:`read_edges` has them.
    account
        Takes notes of what was put together, and what contradicts itself.

    Returns
    -------
    list of EdgeRow
        One row a pair, in the order and direction of their first rows.
    """
    groups: dict[Pair, list[EdgeRow]] = {}
    for row in rows:
        group = groups.setdefault(row.pair, [])
        group.append(row if not group or row.ligand_a == group[0].ligand_a else reversed_row(row))
    found, repeated = [], 0
    for group in groups.values():
        _same_experiment(group, account)
        _opposed([row for row in rows if row.pair == group[0].pair], account)
        distinct = _without_copies(group, account)
        repeated += len(distinct) > 1
        found.append(_mean(distinct) if len(distinct) > 1 else distinct[0])
    if repeated:
        account.note(
            f"{repeated} pairs have several rows, which are taken for repeats: their mean, error from the spread"
        )
    return found


def _opposed(group: Sequence[EdgeRow], account: Account) -> None:
    """Doubt rows of both directions that are alike only where one of them is not turned round."""
    told = [(row.ligand_a, row.ddg_kcal_per_mol) for row in group if row.used and row.ddg_kcal_per_mol is not None]
    there = [ddg for a, ddg in told if a == group[0].ligand_a]
    back = [ddg for a, ddg in told if a != group[0].ligand_a]
    if not there or not back:
        return
    one, other = float(np.mean(there)), float(np.mean(back))
    if abs(one + other) > _OPPOSED and abs(one - other) < _ALIKE * abs(one + other):
        what = (
            f"{group[0].name} is {one:g} and {group[0].ligand_b}~{group[0].ligand_a} {other:g} kcal/mol, the same sign"
        )
        account.warn(what, "ΔG of b less that of a: opposite signs", field="ddg_kcal_per_mol")


def _same_experiment(group: Sequence[EdgeRow], account: Account) -> None:
    told = [row for row in group if row.experimental_ddg_kcal_per_mol is not None]
    values = [float(row.experimental_ddg_kcal_per_mol or 0) for row in told]
    if values and max(values) - min(values) > _ROUNDING:
        what = f"measured ΔΔG of {group[0].name} is {min(values):g} and {max(values):g} kcal/mol (with the sign turned)"
        account.refuse(what, "one value in all its rows", row=told[-1].line, field="experimental_ddg_kcal_per_mol")


def _without_copies(group: Sequence[EdgeRow], account: Account) -> list[EdgeRow]:
    """Rows without those that are the same again, or that give the same number for the other direction."""
    kept: list[EdgeRow] = []
    for row in group:
        ddg, error = row.ddg_kcal_per_mol, row.ddg_error_kcal_per_mol
        twins = [k for k in kept if error is not None and k.ddg_error_kcal_per_mol == error and ddg is not None]
        if same := next((k for k in twins if _figures(k) == _figures(row)), None):
            account.note(f"row {row.line} is row {same.line} again, and is counted once", row=row.line)
            continue
        if turned := next(
            (k for k in twins if ddg and k.ddg_kcal_per_mol == -ddg and abs(ddg) > 2 * (error or 0)), None
        ):
            what = f"as row {turned.line} says, turned round, but with the same sign"
            account.refuse(what, "ΔG of b less that of a: the other sign", row=row.line, field="ddg_kcal_per_mol")
        kept.append(row)
    return kept


def _figures(row: EdgeRow) -> tuple[float | None, ...]:
    return tuple(getattr(row, name) for name in ENERGIES if "experimental" not in name)


def _mean(group: Sequence[EdgeRow]) -> EdgeRow:
    sound = [row for row in group if row.used] or [row for row in group if row.ddg_kcal_per_mol is not None]
    if not sound:
        return replace(group[0], cause="; ".join(dict.fromkeys(row.cause for row in group if row.cause)))
    if len(sound) == 1:
        only = sound[0]
    else:
        ddg = np.array([row.ddg_kcal_per_mol for row in sound])
        errors = [row.ddg_error_kcal_per_mol for row in sound if row.ddg_error_kcal_per_mol is not None]
        mbar = float(np.sum(np.square(errors))) / len(ddg) ** 2 if len(errors) == len(ddg) else None
        spread = Spread(float(np.var(ddg, ddof=1)) / len(ddg), len(ddg) - 1.0, float(len(ddg)), mbar)
        overlaps = [row.overlap for row in sound if row.overlap is not None]
        legs: dict[str, Any] = _legs(sound)
        only = replace(sound[0], ddg_kcal_per_mol=float(ddg.mean()), ddg_error_kcal_per_mol=None, spread=spread, **legs)
        only = replace(only, overlap=min(overlaps, default=None))
    verdicts = [row.verdict for row in sound if row.verdict]
    lost = [row for row in group if row not in sound]
    causes = list(dict.fromkeys(row.cause for row in (*sound, *lost) if row.cause))
    measured = next(
        (r.experimental_ddg_kcal_per_mol for r in group if r.experimental_ddg_kcal_per_mol is not None), None
    )
    return replace(
        only,
        line=group[0].line,
        status="partial" if lost or any(row.status == "partial" for row in sound) else sound[0].status,
        verdict=max(verdicts, key=VERDICTS.index, default=""),
        cause="; ".join(causes + [f"{len(lost)} of {len(group)} repeats not used"] * bool(lost)),
        experimental_ddg_kcal_per_mol=measured,
    )


def _legs(sound: Sequence[EdgeRow]) -> dict[str, float | int | None]:
    """Means of the legs over rows, and their errors from the spread."""
    found: dict[str, float | int | None] = {}
    for leg in LEGS:
        values = [getattr(row, f"{leg}_kcal_per_mol") for row in sound]
        mbar = [getattr(row, f"{leg}_mbar_error_kcal_per_mol") for row in sound]
        n = len(values)
        whole = None not in values
        found[f"{leg}_kcal_per_mol"] = float(np.mean(values)) if whole else None
        found[f"{leg}_error_kcal_per_mol"] = float(np.std(values, ddof=1)) / math.sqrt(n) if whole else None
        found[f"{leg}_mbar_error_kcal_per_mol"] = math.hypot(*mbar) / n if None not in mbar else None
        found[f"{leg}_repeats"] = n if whole else None
    return found
