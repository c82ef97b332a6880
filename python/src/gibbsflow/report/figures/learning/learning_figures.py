"""Figures of the potential half, as SVG and PNG: parity, grades, learning curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.units import Floats

_COLOURS = {"train": "#7a8ca3", "test": "#c2410c"}
# sets are told apart without their colours
_MARKS = {"train": ".", "test": "+"}
# dots beyond this number only make the file larger
_DOTS = 5000


def parity_plot(pairs: Mapping[str, Mapping[str, Floats]], stem: Path) -> list[Path]:
    """Predicted against reference energies and forces.

    Parameters
    ----------
    pairs
        For each set, ``energy`` and ``force`` of shape (2, values): reference and prediction.
    stem
        Path without suffix.

    Returns
    -------
    list of Path
        SVG and PNG.
    """
    figure, axes = new_figure(1, 2, (8.4, 4.0))
    for axis, kind, unit in zip(axes, ("energy", "force"), ("eV/atom", "eV/Å"), strict=True):
        for name, values in pairs.items():
            x, y = values[kind]
            if not len(x):
                continue  # no such label counts in this set
            mae = float(np.abs(x - y).mean())
            step = max(1, len(x) // _DOTS)
            scale, small = (1e3, "meV/atom") if kind == "energy" else (1.0, unit)
            label = f"{name}: MAE {mae * scale:.3g} {small}"
            style = {"marker": _MARKS.get(name, "x"), "ms": 4, "color": _COLOURS.get(name)}
            axis.plot(x[::step], y[::step], ls="", label=label, rasterized=True, **style)
        low, high = axis.get_xlim()
        axis.plot([low, high], [low, high], "-", lw=0.8, color="black")
        axis.set(xlabel=f"reference {kind}, {unit}", ylabel=f"predicted {kind}, {unit}")
        if axis.lines[:-1]:
            axis.legend(frameon=False, fontsize=8, markerscale=2)
    return save_figure(figure, stem)


def grade_histogram(grades: Mapping[str, Floats], lower: float, upper: float, stem: Path) -> list[Path]:
    """Largest grade of each frame, with both thresholds.

    Parameters
    ----------
    grades
        By name of the set, shape (frames,).
    lower, upper
        Thresholds.
    stem
        Path without suffix.

    Returns
    -------
    list of Path
        SVG and PNG.
    """
    figure, (axis,) = new_figure(1, 1, (5.0, 3.4))
    finite = {name: np.asarray(v)[np.isfinite(v)] for name, v in grades.items()}
    every = np.concatenate([*finite.values(), [lower, upper]])
    bins = np.geomspace(max(every.min(), 1e-2) * 0.9, every.max() * 3.0, 40)
    for name, values in finite.items():
        axis.hist(values, bins=bins, alpha=0.6, color=_COLOURS.get(name), label=f"{name} ({len(values)} frames)")
    for value, text in ((lower, "label"), (upper, "stop")):
        axis.axvline(value, color="black", lw=0.8)
        axis.text(value, axis.get_ylim()[1], f" {text} {value:.3g}", va="top", fontsize=8)
    axis.set(xscale="log", xlabel="largest extrapolation grade γ of a frame", ylabel="frames")
    axis.legend(frameon=False, fontsize=8)
    return save_figure(figure, stem)


def pareto_plot(tried: Sequence[Mapping[str, Any]], front: Sequence[Mapping[str, Any]], stem: Path) -> list[Path]:
    """Validation errors of all that a search has tried against the cost of MD, and the best for their cost.

    Parameters
    ----------
    tried
        Records of the search; those without a cost are left out.
    front
        Of them, the most accurate for their cost, the fastest first.
    stem
        Path without suffix.

    Returns
    -------
    list of Path
        SVG and PNG.
    """
    figure, axes = new_figure(1, 2, (8.4, 3.6))
    errors = (("force_rmse_ev_per_angstrom", "force RMSE, eV/Å"), ("energy_rmse_mev_per_atom", "energy RMSE, meV/atom"))
    for axis, (key, text) in zip(axes, errors, strict=True):
        for records, style, label in ((tried, "o", "tried"), (front, "o-", "best for their cost")):
            points = [(r["md_us_per_atom_step"], r[f"validation_{key}"]) for r in records if "md_us_per_atom_step" in r]
            axis.plot(
                *zip(*points, strict=True),
                style,
                ms=4,
                color=_COLOURS["test" if "-" in style else "train"],
                label=label,
            )
        for record in front:
            at = record["md_us_per_atom_step"], record[f"validation_{key}"]
            axis.annotate(f" {record['coefficients']}", at, fontsize=7)
        axis.set(xlabel="MD on one core, µs an atom and step", ylabel=f"left-out {text}", xscale="log")
        axis.legend(frameon=False, fontsize=8)
    return save_figure(figure, stem)


def learning_curve(generations: Sequence[Mapping[str, Any]], stem: Path) -> list[Path]:
    """Hold-out errors and largest grade against the number of labels.

    Parameters
    ----------
    generations
        One record a generation: ``labels``, ``force_mae_ev_per_angstrom``, ``energy_mae_mev_per_atom`` and
        ``largest_grade``.
    stem
        Path without suffix.

    Returns
    -------
    list of Path
        SVG and PNG.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    panels = (
        ("force_mae_ev_per_angstrom", "hold-out force MAE, eV/Å"),
        ("energy_mae_mev_per_atom", "hold-out energy MAE, meV/atom"),
        ("largest_grade", "largest grade γ"),
    )
    figure, axes = new_figure(1, len(panels), (11.0, 3.4))
    labels = [record["labels"] for record in generations]
    for axis, (key, text) in zip(axes, panels, strict=True):
        values = [record[key] for record in generations]
        axis.plot(labels, values, "o-", color=_COLOURS["test"])
        axis.set(xlabel="labels", ylabel=text)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        # within a decade a logarithmic axis has hardly a number on it
        if 0 < 10 * min(values) <= max(values):
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.yaxis.set_minor_formatter(NullFormatter())
        else:
            axis.set_ylim(0.0, 1.08 * max(values) or 1.0)
    return save_figure(figure, stem)


def new_figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    """Make a figure that needs no display.

    Parameters
    ----------
    rows, columns
        Of its axes.
    size
        Width and height, inches.

    Returns
    -------
    figure : object
        Matplotlib's.
    axes : ndarray
        Those of the first row.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)[0]


def save_figure(figure: Any, stem: Path) -> list[Path]:
    """Write a figure.

    Parameters
    ----------
    figure
        Of :func:`new_figure`.
    stem
        Path without suffix.

    Returns
    -------
    list of Path
        SVG and PNG; the same figure gives the same bytes.
    """
    from matplotlib import rc_context

    paths = [Path(stem).with_suffix(suffix) for suffix in (".svg", ".png")]
    for path in paths:
        # without a date and without names drawn at random
        with rc_context({"svg.hashsalt": Path(stem).name}):
            figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})
    return paths
