"""Measured affinities: ΔG, or Ki, Kd and IC50 (or −log₁₀ of them) as ΔG = kT ln K with K in mol/L."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gibbsflow.binding.network.design.sheet import SheetRow, alike, name_of, number, read_sheet
from gibbsflow.errors import InputError, Problem, shown
from gibbsflow.units import KJ_PER_KCAL, kt_kcal_per_mol
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import SHEET_BYTES, read_text
from gibbsflow.workflow.settings_file import parse_json

TEMPERATURE_K = 298.15
_LARGEST, _CONSTANTS = 1000.0, (1e-30, 1e3)
_MOLAR = {"m": 1.0, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "pm": 1e-12}
_WRITTEN = {unit: f"{unit[:-1]}M" for unit in _MOLAR}
_ENERGY = {"kcal/mol": 1.0, "kj/mol": 1 / KJ_PER_KCAL}
_SPELT = {"kilocalories_per_mole": "kcal/mol", "kilocalorie_per_mole": "kcal/mol", "kilojoules_per_mole": "kj/mol"} | {
    "kilojoule_per_mole": "kj/mol", "nanomolar": "nm", "micromolar": "um", "millimolar": "mm", "molar": "m",
}  # fmt: skip
KINDS = ("dg", "ki", "kd", "ic50")
_LOGARITHMS = {f"p{kind}": kind for kind in KINDS[1:]}
"""−log₁₀ of a constant in mol/L."""
_LARGEST_LOGARITHM = 30.0
_WIDE = (
    {f"{kind}_{unit}": (kind, unit) for kind in KINDS[1:] for unit in _MOLAR}
    | {kind: (kind, "") for kind in _LOGARITHMS}
    | {f"{stem}dg_{unit}_per_mol": ("dg", f"{unit}/mol") for unit in ("kcal", "kj") for stem in ("", "experimental_")}
)
_LONG = ("kind", "value", "unit")
RIGHT = (
    "ligand with kind (dg, ki, kd, ic50), value and unit (kcal/mol, kJ/mol; pM, nM, uM, mM, M; none for pki, pkd, "
    "pic50), or with one column such as dg_kcal_per_mol, ki_nM or pki"
)


@dataclass(frozen=True)
class Measured:
    """Affinities that were measured.

    Attributes
    ----------
    dg_kcal_per_mol
        By ligand.
    temperature_k
        At which constants were turned into free energies, where it was one for all.
    """

    dg_kcal_per_mol: Mapping[str, float]
    temperature_k: float


def read_measured(path: Path, account: Account, temperature_k: float | None = None) -> Measured:
    """Read measured affinities.

    Parameters
    ----------
    path
        CSV in a long form (``ligand, kind, value, unit``) or with a column for each kind and unit, perhaps with
        ``temperature_k``; or OpenFE's JSON. Rows without a value are left out.
    account
        Takes notes, and all that is wrong: a value without a unit, a bound such as ``> 10``, a ligand twice.
    temperature_k
        Of all constants whose row names none; None for 298.15 K, which is noted.

    Returns
    -------
    Measured
        What could be read.

    Raises
    ------
    InputError
        For a file that is neither.
    """
    reading = _Reading(account, temperature_k or TEMPERATURE_K)
    if Path(path).suffix.lower() == ".json":
        _from_json(Path(path), reading)
    else:
        _from_table(Path(path), reading)
    for one, other in alike(reading.found):
        account.refuse(f"{shown(one)} and {shown(other)} differ in case alone", "one spelling for each ligand")
    if not reading.found and not account.of_weight("refuse"):
        account.refuse("no measured affinity", RIGHT)
    constants = reading.kinds - {"dg"}
    if reading.assumed and temperature_k is None:
        account.note(f"constants are taken at {TEMPERATURE_K} K, as no temperature is given")
    if "ic50" in constants:
        account.note("an IC50 is taken for a Ki: in one assay they differ by a factor, which shifts all ΔG alike")
    if "ic50" in reading.kinds and len(reading.kinds) > 1:
        others = ", ".join(sorted(reading.kinds - {"ic50"}))
        account.warn(f"IC50 beside {others}: the shift between them is not known", "one kind of measurement for all")
    return Measured(dict(sorted(reading.found.items())), reading.temperature_k)


class _Reading:
    """Values as they are read, each ligand once."""

    def __init__(self, account: Account, temperature_k: float) -> None:
        self.account, self.temperature_k = account, temperature_k
        self.found: dict[str, float] = {}
        self.kinds: set[str] = set()
        self.assumed = False

    def take(self, name: str, kind: str, value: float, unit: str, row: int | None, temperature: float | None) -> None:
        """Enter one value, in the unit that is named."""
        if name in self.found:
            self.account.refuse(f"{shown(name)} has a value already", "one value a ligand", row=row)
            return
        if kind in _LOGARITHMS:
            if abs(value) > _LARGEST_LOGARITHM:
                what = f"{shown(name)}: {kind} of {value:g} is none of a ligand"
                self.account.refuse(what, "-log10 of the constant in mol/L, such as 7.9", row=row)
                return
            kind, value, unit = _LOGARITHMS[kind], 10.0**-value, "m"
        if kind == "dg":
            dg = value * _ENERGY[unit]
            if abs(dg) > _LARGEST:
                self.account.refuse(f"{shown(name)}: {dg:g} kcal/mol is no affinity", RIGHT, row=row)
                return
            if dg > 0:
                self.account.warn(f"{shown(name)}: ΔG of {dg:g} kcal/mol, so it does not bind", "the sign?", row=row)
        else:
            if value <= 0:
                self.account.refuse(f"{shown(name)}: {value:g} {_WRITTEN[unit]} as a constant", "above 0", row=row)
                return
            self.assumed |= temperature is None
            molar = value * _MOLAR[unit]
            if not _CONSTANTS[0] < molar < _CONSTANTS[1]:
                self.account.refuse(f"{shown(name)}: {molar:g} mol/L is no constant of a ligand", RIGHT, row=row)
                return
            dg = kt_kcal_per_mol(temperature or self.temperature_k) * math.log(molar)
            if not 1e-15 < molar < 0.9:  # 10**-x of a constant that was given for its logarithm is 1 nearly
                self.account.warn(f"{shown(name)}: a constant of {molar:g} mol/L", "is the unit right?", row=row)
        self.kinds.add(kind)
        self.found[name] = dg


def _unit(text: str) -> str:
    plain = text.strip().replace("µ", "u").replace("μ", "u").lower()
    return _SPELT.get(plain, plain)


def _known_unit(kind: str, unit: str) -> bool:
    if kind in _LOGARITHMS:
        return unit in ("", "m")
    return unit in (_ENERGY if kind == "dg" else _MOLAR)


def _from_table(path: Path, reading: _Reading) -> None:
    account = reading.account
    text = read_text(path, RIGHT, SHEET_BYTES)
    header = [cell.strip().strip('"') for cell in re.split(r"[,\t]", text.lstrip().partition("\n")[0])]
    wide = {name: found for name in header if (found := _wide(name))}
    rows = read_sheet(path, account, ("ligand", "temperature_k", *_LONG, *wide), needed=("ligand",))
    if not wide and not {"kind", "value"} <= set(header):
        account.refuse("no column with a measured affinity and its unit", RIGHT)
        return
    for row in rows:
        name, temperature = name_of(row, "ligand", account), number(row, "temperature_k", account, "K")
        if temperature is not None and not 200 < temperature < 500:
            account.refuse(f"{temperature:g} K", "kelvin, 200 to 500", row=row.line, field="temperature_k")
            continue
        told = [(*found, column) for column, found in wide.items() if column in row.cells]
        if "value" in row.cells:
            told += [_long(row, account)]
        if name is None or not told:
            continue
        if len(told) > 1:
            account.refuse(f"{shown(name)} has {len(told)} values", "one value a ligand", row=row.line)
            continue
        kind, unit, column = told[0]
        if not kind:
            continue
        if (
            value := number(row, column, account, "a number; leave the cell empty for a bound such as > 10")
        ) is not None:
            reading.take(name, kind, value, unit, row.line, temperature)


def _wide(name: str) -> tuple[str, str] | None:
    """Kind and unit that the name of a column tells, such as ``Ki (nM)`` or ``experimental_dg_kcal_per_mol``."""
    plain = re.sub(r"[ (\[)\]]+", "_", _unit(name).replace("kcal/mol", "kcal_per_mol").replace("kj/mol", "kj_per_mol"))
    return _WIDE.get(plain.strip("_").replace("Δ", "d").replace("δ", "d"))


def _long(row: SheetRow, account: Account) -> tuple[str, str, str]:
    kind, unit = row.cells.get("kind", "").lower().replace("δ", "d"), _unit(row.cells.get("unit", ""))
    if kind not in (*KINDS, *_LOGARITHMS):
        what = f"{shown(row.cells['kind'])} is no kind of affinity" if kind else "no kind"
        account.refuse(what, ", ".join((*KINDS, *_LOGARITHMS)), row=row.line, field="kind")
    elif not _known_unit(kind, unit):
        what = f"{shown(row.cells['unit'])} is no unit of {kind}" if unit else "no unit"
        of_constant = "none, or M" if kind in _LOGARITHMS else "pM, nM, uM, mM, M"
        account.refuse(what, "kcal/mol or kJ/mol" if kind == "dg" else of_constant, row=row.line, field="unit")
    else:
        return kind, unit, "value"
    return "", "", ""


def _from_json(path: Path, reading: _Reading) -> None:
    """Read OpenFE's form: ``{ligand: {dg: {magnitude, unit}}}``."""
    try:
        content = parse_json(read_text(path, RIGHT, SHEET_BYTES), path)
        if not isinstance(content, dict):
            raise ValueError("it holds no ligands")
    except (ValueError, RecursionError, OverflowError) as error:
        raise InputError(Problem(str(path), f"not readable: {error}", RIGHT)) from error
    for name, said in content.items():
        told = {kind: said[kind] for kind in KINDS if isinstance(said, dict) and kind in said}
        if len(told) != 1:
            reading.account.refuse(f"{len(told)} values", "one of " + ", ".join(KINDS), field=name)
            continue
        for kind, value in told.items():
            magnitude, unit = (value.get("magnitude"), value.get("unit")) if isinstance(value, dict) else (value, None)
            plain = _unit(unit) if isinstance(unit, str) else ""
            if not _known_unit(kind, plain):
                reading.account.refuse(f"{shown(unit)} is no unit of {kind}" if unit else "no unit", RIGHT, field=name)
            elif not _finite(magnitude):
                reading.account.refuse(f"{shown(magnitude)} is no number", "a number", field=name)
            else:
                reading.take(name, kind, float(magnitude or 0), plain, None, None)


def _finite(value: Any) -> bool:
    check: Callable[[float], bool] = math.isfinite
    return isinstance(value, int | float) and not isinstance(value, bool) and check(value)
