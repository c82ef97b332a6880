"""What a check has found in the rows of a samplesheet and later parts go by: net charges, and sizes of boxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gibbsflow.errors import first_few

MOST_LINES = 4
"""Lines for the charges of a campaign; each is of all ligands of the same charges."""
_NAMED = 3


@dataclass(frozen=True)
class RowContents:
    """What a row was found to hold.

    Attributes
    ----------
    ligand_e, receptor_e
        Net charges, e; None where it was not read, where there is no receptor, or for a protein, whose force field
        decides.
    boxes
        Atoms of the boxes that a system comes in, by ``complex`` and ``solvent``, as they will be computed, and of its
        ``ligand``; empty where it is built here, or was not read.
    molecule
        What the ligand of a system that comes solvated is, by elements and bonds; None for others.
    """

    ligand_e: int | None = None
    receptor_e: int | None = None
    boxes: Mapping[str, int] = field(default_factory=dict)
    molecule: str | None = None


def charge_lines(contents: Mapping[str, RowContents]) -> list[str]:
    """Say which net charges were found, in few lines however many ligands there are.

    Parameters
    ----------
    contents
        By ligand.

    Returns
    -------
    list of str
        One for all ligands of the same charges, the most frequent first; then those that were not read.
    """
    alike: dict[tuple[int | None, int | None], list[str]] = {}
    for name, row in contents.items():
        alike.setdefault((row.receptor_e, row.ligand_e), []).append(name)
    unread = [name for key, names in alike.items() if key[1] is None for name in names]
    known = sorted((key for key in alike if key[1] is not None), key=lambda key: -len(alike[key]))
    lines = [_line(*key, alike[key]) for key in known[:MOST_LINES]]
    if more := known[MOST_LINES:]:
        ligands = sum(len(alike[key]) for key in more)
        lines.append(f"net charge: others, of {ligands} ligand{'s' * (ligands != 1)}")
    if unread:
        lines.append(f"net charge: read in its first task ({_names(unread)})")
    return lines


def _line(receptor_e: int | None, ligand_e: int | None, names: Iterable[str]) -> str:
    receptor = "" if receptor_e is None else f"receptor {_e(receptor_e)}, "
    return f"net charge: {receptor}ligand {_e(ligand_e or 0)} ({_names(names)})"


def _e(charge: int) -> str:
    return f"{charge:+d} e" if charge else "0 e"


def _names(names: Iterable[str]) -> str:
    return first_few(list(names), _NAMED)
