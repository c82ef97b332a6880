"""The modes of a campaign: what is computed, by the name that it is asked for with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["abfe", "asfe", "rbfe", "rsfe", "md", "potential"]


@dataclass(frozen=True)
class ModeRow:
    """What is to be known of a mode outside the science.

    Attributes
    ----------
    half
        ``binding`` or ``potential``: whose settings it reads and whose phases carry it out.
    needs
        Parameters that must be given.
    free_energies
        Whether its rows have free energies; else they say what happened.
    compares
        Whether these are of edges of a network, each from one ligand to another.
    text
        What it is, for the launch form.
    results
        What comes of it, for a crate.
    title, items
        Headings of its report: of the page, and of its parts.
    """

    half: Literal["binding", "potential"]
    needs: tuple[str, ...]
    free_energies: bool
    text: str
    results: str
    title: str = ""
    items: str = ""
    compares: bool = False


MODES: dict[str, ModeRow] = {
    "abfe": ModeRow(
        half="binding",
        needs=("input", "receptor"),
        free_energies=True,
        text="absolute binding free energies",
        results="Absolute binding free energies",
        title="Binding free energies",
        items="Transformations",
    ),
    "asfe": ModeRow(
        half="binding",
        needs=("input",),
        free_energies=True,
        text="absolute solvation free energies",
        results="Absolute solvation free energies",
        title="Solvation free energies",
        items="Transformations",
    ),
    "rbfe": ModeRow(
        half="binding",
        needs=("input", "receptor"),
        free_energies=True,
        text="relative binding free energies of a series of ligands",
        results="Relative binding free energies",
        title="Relative binding free energies",
        items="Edges",
        compares=True,
    ),
    "rsfe": ModeRow(
        half="binding",
        needs=("input",),
        free_energies=True,
        text="relative solvation free energies of a series of ligands",
        results="Relative solvation free energies",
        title="Relative solvation free energies",
        items="Edges",
        compares=True,
    ),
    "md": ModeRow(
        half="binding",
        needs=("input", "receptor"),
        free_energies=False,
        text="as far as the equilibrated complex",
        results="Equilibrated complexes",
        title="Simulated complexes",
        items="Complexes",
    ),
    "potential": ModeRow(
        half="potential",
        needs=("config",),
        free_energies=False,
        text="a machine-learned potential by active learning",
        results="A machine-learned interatomic potential",
    ),
}
"""By `Mode`."""
COMPARING = tuple(mode for mode, row in MODES.items() if row.compares)
"""Modes whose items are edges."""
