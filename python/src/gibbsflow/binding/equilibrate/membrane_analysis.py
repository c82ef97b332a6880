"""A membrane in its equilibration: area and thickness over time, leaflets, water where none should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding.forcefield.membrane.bilayer import BilayerFrame, leaflets, measured
from gibbsflow.binding.forcefield.membrane.lipids import Lipids, lipids_of
from gibbsflow.binding.forcefield.topology_file import heavy_atoms, water_oxygens
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account

THICKNESS_ANGSTROM = (25.0, 55.0)
"""Between the heads of both leaflets: from short saturated to long chains 30 to 48 Å (Kučerka et al., Biochim. Biophys.
Acta 1808, 2761 (2011)), with room for the liquid-ordered phase. What is outside is no bilayer."""
DRIFT = 0.05
"""Of the area per lipid between the halves of the free part, above which it has not settled."""
WATERS_DOUBTED = 1.0
"""Mean number in the core, away from the solute."""
MOST_FRAMES = 200


@dataclass(frozen=True)
class MembraneAnalysis:
    """What the frames show of a membrane.

    Attributes
    ----------
    time_ps
        Of the frames that were measured, shape (F,).
    frames
        What each shows.
    lipids
        How many of each kind.
    sides
        How many are in the upper and the lower leaflet.
    changed_sides, sterols_changed
        How many phospholipids, and how many sterols, are in another leaflet at the end than at the start.
    """

    time_ps: Floats
    frames: tuple[BilayerFrame, ...]
    lipids: dict[str, int]
    sides: tuple[int, int]
    changed_sides: int
    sterols_changed: int = 0

    @property
    def area_angstrom2(self) -> Floats:
        """Area per lipid in each leaflet.

        Returns
        -------
        ndarray
            Shape (F, 2), Å².
        """
        return np.array([frame.area_per_lipid_angstrom2 for frame in self.frames])

    @property
    def thickness_angstrom(self) -> Floats:
        """Distance of the heads' mean heights.

        Returns
        -------
        ndarray
            Shape (F,), Å.
        """
        return np.array([frame.thickness_angstrom for frame in self.frames])

    @property
    def waters_inside(self) -> float:
        """Waters in the core.

        Returns
        -------
        float
            Mean over the frames.
        """
        return float(np.mean([frame.waters_inside for frame in self.frames]))

    def figures(self) -> dict[str, Any]:
        """Give the figures for record and report.

        Returns
        -------
        dict
            Means over the frames.
        """
        upper, lower = np.round(self.area_angstrom2.mean(axis=0), 2).tolist()
        return {
            "lipids": self.lipids,
            "leaflets": {"upper": self.sides[0], "lower": self.sides[1]},
            "area_per_lipid_angstrom2": {"upper": upper, "lower": lower},
            "thickness_angstrom": round(float(self.thickness_angstrom.mean()), 2),
            "waters_in_core": round(self.waters_inside, 2),
        }

    def account(self, name: str) -> Account:
        """Say what is in doubt.

        Parameters
        ----------
        name
            Of the system.

        Returns
        -------
        Account
            With the fact ``membrane``; not yet settled.
        """
        account = Account(name)
        account.facts["membrane"] = self.figures()
        upper, lower = self.sides
        if upper != lower:
            account.note(f"membrane: {upper} lipids in the upper and {lower} in the lower leaflet")
        if self.changed_sides:
            what = f"membrane: {self.changed_sides} phospholipids end in another leaflet than they started in"
            account.warn(what, "phospholipids that keep to their leaflets, as they do for hours")
        if self.sterols_changed:
            account.note(f"membrane: {self.sterols_changed} sterols end in another leaflet, as they may within μs")
        low, high = THICKNESS_ANGSTROM
        if not low < (thick := float(self.thickness_angstrom.mean())) < high:
            what = f"membrane: {thick:.1f} Å from head to head, outside {low:g} to {high:g} Å"
            account.warn(what, "a bilayer in the plane xy, equilibrated before")
        if self.waters_inside >= WATERS_DOUBTED:
            what = f"membrane: {self.waters_inside:.1f} waters in its core, away from receptor and ligand"
            account.warn(what, "a start without water between the tails, or a longer equilibration")
        if len(self.frames) > 1:
            half = len(self.frames) // 2
            area = self.area_angstrom2.mean(axis=1)
            change = float(area[half:].mean() / area[:half].mean() - 1)
            if abs(change) > DRIFT:
                what = f"membrane: its area has changed by {100 * change:+.0f} % from the first half to the second"
                account.warn(what, "a longer equilibration")
        return account


def analyse_membrane(
    prmtop: Path, frames_angstrom: Floats, vectors_angstrom: Floats, time_ps: Floats, solute: Sequence[int]
) -> MembraneAnalysis | None:
    """Measure the membrane of a box over its frames.

    Parameters
    ----------
    prmtop
        Its topology.
    frames_angstrom
        Shape (F, N, 3), Å; molecules whole.
    vectors_angstrom
        Boxes, shape (F, 3, 3), Å.
    time_ps
        Shape (F,), ps.
    solute
        Atoms of receptor and ligand.

    Returns
    -------
    MembraneAnalysis or None
        Of `MOST_FRAMES` frames at the most, evenly spread; None for a box without a membrane.
    """
    lipids = lipids_of(prmtop, without=solute)
    if not lipids.are_a_membrane or not len(frames_angstrom):
        return None
    heavy = sorted(set(heavy_atoms(prmtop)) & set(solute))
    oxygens = water_oxygens(prmtop)
    chosen = np.unique(np.linspace(0, len(frames_angstrom) - 1, min(MOST_FRAMES, len(frames_angstrom))).astype(int))
    seen = [measured(lipids, frames_angstrom[k], vectors_angstrom[k], heavy, oxygens) for k in chosen]
    upper, lower = leaflets(lipids, frames_angstrom[0], vectors_angstrom[0])
    ends_up = _sides(lipids, frames_angstrom[-1], vectors_angstrom[-1])
    changed = {*upper[~ends_up[upper]].tolist(), *lower[ends_up[lower]].tolist()}
    sterols = changed & set(lipids.sterols)
    sides = (len(upper), len(lower))
    return MembraneAnalysis(
        time_ps[chosen], tuple(seen), lipids.counts(), sides, len(changed - sterols), len(sterols)
    )  # fmt: skip


def _sides(lipids: Lipids, frame: Floats, vectors: Floats) -> np.ndarray:
    up = np.zeros(len(lipids.molecules), dtype=bool)
    up[leaflets(lipids, frame, vectors)[0]] = True
    return up
