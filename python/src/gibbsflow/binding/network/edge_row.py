"""One edge of a network, as a row of ``edges.csv``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from gibbsflow.binding.network.design.links import Pair, pair_of

USED = ("finished", "partial")
STATUSES = (*USED, "failed", "unbound", "unconverged", "waiting")
TOPOLOGIES = ("hybrid", "dual")
VERDICTS = ("PASS", "WARN", "FAIL")
LEGS = ("complex", "solvent", "vacuum")
BINDING, SOLVATION = LEGS[:2], LEGS[1:]


@dataclass(frozen=True)
class Spread:
    """How far the repeats of an edge differ.

    Attributes
    ----------
    variance
        Estimated variance of their mean, (kcal/mol)².
    dof
        Its degrees of freedom; 0 for one repeat, whose variance is not known.
    repeats
        How many the mean is of.
    mbar_variance
        Variance of the mean as MBAR states it; None where it is not known.
    """

    variance: float
    dof: float
    repeats: float
    mbar_variance: float | None


@dataclass(frozen=True)
class EdgeRow:
    """One row of ``edges.csv``, columns in its order (docs/contracts.md), but for the last two attributes.

    Attributes
    ----------
    ligand_a, ligand_b
        Names.
    ddg_kcal_per_mol, ddg_error_kcal_per_mol
        ΔG of b less that of a, and its standard error; None where not known.
    complex_kcal_per_mol, complex_error_kcal_per_mol, complex_mbar_error_kcal_per_mol, complex_repeats
        ΔG of a → b in the complex: mean over repeats, its error from their spread, MBAR's own, and how many they are.
    solvent_kcal_per_mol, solvent_error_kcal_per_mol, solvent_mbar_error_kcal_per_mol, solvent_repeats
        The same in solvent.
    vacuum_kcal_per_mol, vacuum_error_kcal_per_mol, vacuum_mbar_error_kcal_per_mol, vacuum_repeats
        The same in vacuum, where edges are of solvation.
    overlap
        Smallest between neighbouring states, 0 to 1.
    status, verdict, cause
        As in ``results.csv``; ``waiting`` for an edge that has yet to be run.
    experimental_ddg_kcal_per_mol
        Measured ΔG of b less that of a.
    topology
        ``hybrid`` where the ligands share atoms, ``dual`` where both are there as a whole; empty where it is not known.
    line
        Of the file; None where it has none.
    spread
        Of the repeats, where the error is yet to be made of it.
    """

    ligand_a: str
    ligand_b: str
    ddg_kcal_per_mol: float | None = None
    ddg_error_kcal_per_mol: float | None = None
    complex_kcal_per_mol: float | None = None
    complex_error_kcal_per_mol: float | None = None
    complex_mbar_error_kcal_per_mol: float | None = None
    complex_repeats: int | None = None
    solvent_kcal_per_mol: float | None = None
    solvent_error_kcal_per_mol: float | None = None
    solvent_mbar_error_kcal_per_mol: float | None = None
    solvent_repeats: int | None = None
    vacuum_kcal_per_mol: float | None = None
    vacuum_error_kcal_per_mol: float | None = None
    vacuum_mbar_error_kcal_per_mol: float | None = None
    vacuum_repeats: int | None = None
    overlap: float | None = None
    status: str = "finished"
    verdict: str = ""
    cause: str = ""
    experimental_ddg_kcal_per_mol: float | None = None
    topology: str = ""
    line: int | None = None
    spread: Spread | None = None

    @property
    def pair(self) -> Pair:
        """Its two ligands, whichever way it runs.

        Returns
        -------
        tuple of str
            In alphabetical order.
        """
        return pair_of(self.ligand_a, self.ligand_b)

    @property
    def name(self) -> str:
        """What it is called.

        Returns
        -------
        str
            Such as ``benzene~toluene``.
        """
        return f"{self.ligand_a}~{self.ligand_b}"

    @property
    def legs(self) -> tuple[str, str]:
        """Which legs ΔΔG is the difference of, the first less the second.

        Returns
        -------
        tuple of str
            ``complex`` and ``solvent`` of binding, ``solvent`` and ``vacuum`` of solvation.
        """
        return SOLVATION if self.vacuum_kcal_per_mol is not None and self.complex_kcal_per_mol is None else BINDING

    @property
    def used(self) -> bool:
        """Whether ligands may rest on it.

        Returns
        -------
        bool
            False without a value, or where it failed or was judged to be wrong.
        """
        return self.ddg_kcal_per_mol is not None and self.status in USED and self.verdict != "FAIL"


COLUMNS = tuple(field.name for field in fields(EdgeRow) if field.name not in ("line", "spread"))
"""Of all tables; `columns_of` says which of them one has."""
ENERGIES = tuple(name for name in COLUMNS if name.endswith("_kcal_per_mol"))


def columns_of(rows: Sequence[EdgeRow]) -> tuple[str, ...]:
    """Name the columns of a table.

    Parameters
    ----------
    rows
        Its edges.

    Returns
    -------
    tuple of str
        Without the legs that none of them has: of binding those in vacuum, of solvation those of the complex.
    """
    without = f"{BINDING[0]}_" if any(row.legs == SOLVATION for row in rows) else f"{SOLVATION[1]}_"
    return tuple(name for name in COLUMNS if not name.startswith(without))


def reversed_row(row: EdgeRow) -> EdgeRow:
    """Turn an edge round.

    Parameters
    ----------
    row
        The edge.

    Returns
    -------
    EdgeRow
        From b to a: every free energy with the other sign, errors as they are.
    """
    signed = [name for name in ENERGIES if "error" not in name and getattr(row, name) is not None]
    turned = {name: -getattr(row, name) for name in signed}
    return replace(row, ligand_a=row.ligand_b, ligand_b=row.ligand_a, **turned)
