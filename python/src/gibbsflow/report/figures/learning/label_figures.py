"""Figures of labels, as SVG and PNG: what an audit holds, and how settings converge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.report.figures.learning.learning_figures import new_figure, save_figure

_HELD, _COUNTS = "#c2410c", "#7a8ca3"
_LEAST = 1e-4
_ERRORS = (("energy_mev_per_atom", "meV/atom"), ("force_ev_per_angstrom", "eV/Å"), ("stress_gpa", "GPa"))


def audit_plot(rows: Sequence[Mapping[str, Any]], stated: Mapping[str, float], stem: Path) -> list[Path]:
    """Energy above the lowest against the largest force, and the differences from tighter settings where there are any.

    Parameters
    ----------
    rows
        Labels, as :meth:`.LabelAudit.rows` gives them.
    stated
        Stated error of each kind of difference.
    stem
        Path without suffix.

    Returns
    -------
    list of Path
        SVG and PNG.
    """
    figure, axes = new_figure(1, 1 + bool(stated), (4.6 * (1 + bool(stated)), 3.8))
    whole = [row for row in rows if row["energy_ev_per_atom"] != ""]
    lowest = {
        formula: min(float(row["energy_ev_per_atom"]) for row in whole if row["formula"] == formula)
        for formula in {row["formula"] for row in whole}
    }
    for status, colour, mark in (("labelled", _COUNTS, "."), ("held", _HELD, "x")):
        own = [row for row in whole if row["status"] == status]
        force = [max(float(row["largest_force_ev_per_angstrom"]), _LEAST) for row in own]
        energy = [float(row["energy_ev_per_atom"]) - lowest[row["formula"]] + _LEAST for row in own]
        axes[0].plot(force, energy, mark, ms=4, color=colour, label=f"{status} ({len(own)})")
    axes[0].set(xscale="log", yscale="log", xlabel="largest force, eV/Å", ylabel="energy above the lowest, eV/atom")
    axes[0].legend(frameon=False, fontsize=8)
    for place, (kind, limit) in enumerate(stated.items()):
        values = np.array([abs(float(row[f"relabel_{kind}"])) for row in rows if row[f"relabel_{kind}"] != ""])
        shares = np.maximum(values / limit, _LEAST)
        unit = dict(_ERRORS)[kind]
        axes[1].plot(np.full(len(values), place) + np.linspace(-0.2, 0.2, len(values)), shares, ".", color=_COUNTS)
        axes[1].text(place, 1.05, f"{limit:g} {unit}", ha="center", va="bottom", fontsize=8)
    if stated:
        axes[1].axhline(1.0, color="black", lw=0.8)
        axes[1].set(yscale="log", ylabel="off tighter settings, in stated errors")
        axes[1].set_xticks(range(len(stated)), [kind.partition("_")[0] for kind in stated])
    return save_figure(figure, stem)


def convergence_plot(rows: Sequence[Mapping[str, Any]], stated: Mapping[str, float], stem: Path) -> list[Path]:
    """Errors along each ladder, in stated errors, with the rung that was chosen.

    Parameters
    ----------
    rows
        Rungs, as :meth:`.Converged.rows` gives them.
    stated
        Stated error of each kind.
    stem
        Path without suffix.

    Returns
    -------
    list of Path
        SVG and PNG.
    """
    ladders = list(dict.fromkeys(row["ladder"] for row in rows))
    figure, axes = new_figure(1, len(ladders), (4.2 * len(ladders), 3.6))
    varied = {"cutoff": ("ecutwfc_ry", "gpaw_cutoff_ev"), "density cutoff": ("ecutrho_ry",)}
    for axis, ladder in zip(axes, ladders, strict=True):
        own = [row for row in rows if row["ladder"] == ladder]
        names = varied.get(ladder, ("kspacing_per_angstrom",))
        name = next(key for key in names if own[0].get(key, "") != "")
        x = [float(row[name]) for row in own]
        for (kind, unit), mark in zip(_ERRORS, "os^", strict=True):
            y = [max(float(row[kind]) / stated[kind], _LEAST) for row in own[:-1]]
            axis.plot(x[:-1], y, f"{mark}-", ms=4, label=f"{kind.partition('_')[0]}, in {stated[kind]:g} {unit}")
        axis.axhline(1.0, color="black", lw=0.8)
        axis.axvline(next(value for value, row in zip(x, own, strict=True) if row["chosen"]), color=_HELD, lw=0.8)
        axis.set(yscale="log", xlabel=name, ylabel="error against the finest, in stated errors")
        if name == "kspacing_per_angstrom":
            axis.invert_xaxis()
        axis.legend(frameon=False, fontsize=8)
    return save_figure(figure, stem)
