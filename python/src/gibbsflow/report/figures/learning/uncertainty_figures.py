"""Figures of what a potential knows of its own errors, as SVG and PNG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.report.figures.learning.learning_figures import new_figure, save_figure
from gibbsflow.units import Floats

_DOTS = 5000


def grade_error_plot(
    pairs: Floats, curve: Mapping[str, Any] | None, lower: float, upper: float, stem: Path
) -> list[Path]:
    """Force error against extrapolation grade, atom by atom and in bins, with both thresholds.

    Parameters
    ----------
    pairs
        Grade and length of the force error in eV/Å of each atom, shape (2, atoms).
    curve
        Figures of an :class:`.ErrorCurve`; None where there were too few atoms.
    lower, upper
        Thresholds.
    stem
        Path without suffix.

    Returns
    -------
    list of Path
        SVG and PNG.
    """
    figure, (axis,) = new_figure(1, 1, (5.4, 3.8))
    step = max(1, pairs.shape[1] // _DOTS)
    axis.plot(pairs[0, ::step], pairs[1, ::step], ".", ms=2, color="#7a8ca3", label="atoms", rasterized=True)
    if curve is not None:
        bins = curve["bins"]
        place = [own["mean"] for own in bins]
        axis.plot(place, [own["error_ev_per_angstrom"] for own in bins], "o-", ms=4, color="#c2410c", label="mean")
        quantiles = [own["error_q90_ev_per_angstrom"] for own in bins]
        axis.plot(place, quantiles, "--", lw=1, color="#c2410c", label="90 % quantile")
        if (rank := curve["rank_correlation_atoms"]) is not None:
            axis.set_title(f"rank correlation {rank:.2f}", fontsize=9)
    axis.set(xscale="log", yscale="log", xlabel="extrapolation grade γ of an atom", ylabel="force error, eV/Å")
    # atoms on sites of symmetry have no error to speak of
    least = max(float(np.median(pairs[1])) / 100, 1e-6) if pairs.shape[1] else 1e-6
    axis.set_ylim(least, max(float(pairs[1].max(initial=0.0)) * 2, 100 * least))
    for value, text in ((lower, "label"), (upper, "stop")):
        axis.axvline(value, color="black", lw=0.8)
        axis.text(value, axis.get_ylim()[1], f" {text} {value:.3g}", va="top", fontsize=8)
    axis.legend(frameon=False, fontsize=8)
    return save_figure(figure, stem)
