"""Plots of an equilibration over time: distance, burial, RMSD, energy, temperature, density, membrane; restraints."""

from __future__ import annotations

from pathlib import Path

from gibbsflow.binding.alchemy.restraint.holding import Motion
from gibbsflow.binding.equilibrate.equil_analysis import EquilibrationAnalysis
from gibbsflow.workflow.files import atomic_open


def plot_equilibration(path: Path, analysis: EquilibrationAnalysis) -> None:
    """Write the plot as SVG, the same bytes for the same data.

    Parameters
    ----------
    path
        File to write.
    analysis
        What was seen, bound or not.
    """
    import matplotlib
    from matplotlib.figure import Figure

    outcome, log, time_ps, membrane = analysis.outcome, analysis.log, analysis.time_ps, analysis.membrane
    curves = {"potential, kcal/mol": "potential_kcal_per_mol", "temperature, K": "temperature_k"}
    if "density_g_per_ml" in (log.dtype.names or ()):
        curves["density, g/mL"] = "density_g_per_ml"
    above = 0 if outcome is None else 2
    below = 0 if membrane is None else 2
    with matplotlib.rc_context({"svg.hashsalt": "gibbsflow", "font.size": 9}):
        rows = above + len(curves) + below
        figure = Figure(figsize=(7.0, 1.65 * rows), layout="constrained")
        axes = figure.subplots(rows, 1, sharex=True)
        if outcome is not None:
            axes[0].plot(time_ps, outcome.distance_angstrom, label="ligand centre to site centre")
            axes[0].plot(time_ps, outcome.rmsd_angstrom, label="ligand RMSD, site superposed")
            axes[0].set_ylabel("Å")
            axes[0].legend(frameon=False, ncols=2)
            axes[1].plot(time_ps, outcome.buried)
            axes[1].set_ylabel("buried share")
            axes[1].set_ylim(0, 1)
            for axis in axes[:2]:
                axis.axvspan(time_ps[outcome.judged[0]], time_ps[-1], color="0.93", zorder=0)
        for axis, (label, column) in zip(axes[above : above + len(curves)], curves.items(), strict=True):
            axis.plot(log["time_ps"], log[column])
            axis.set_ylabel(label)
        if membrane is not None:
            for side, areas in zip(("upper leaflet", "lower leaflet"), membrane.area_angstrom2.T, strict=True):
                axes[-2].plot(membrane.time_ps, areas, label=side)
            axes[-2].set_ylabel("area per lipid, Å²")
            axes[-2].legend(frameon=False, ncols=2)
            axes[-1].plot(membrane.time_ps, membrane.thickness_angstrom)
            axes[-1].set_ylabel("thickness, Å")
        axes[-1].set_xlabel("time, ps (heating first, positions held)")
        state = "" if outcome is None else f": {'bound' if outcome.bound else 'unbound'}"
        figure.suptitle(f"{analysis.system.name}{state}")
        with atomic_open(path) as file:
            figure.savefig(file, format="svg", metadata={"Date": None})


def plot_restraint(path: Path, motion: Motion, title: str) -> None:
    """Write the plot of what a restraint holds, as SVG, the same bytes for the same data.

    Parameters
    ----------
    path
        File to write.
    motion
        Its coordinates over the equilibration, and the values that are held.
    title
        Over the plot.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "gibbsflow", "font.size": 8}):
        rows = -(-len(motion.curves) // 3)
        figure = Figure(figsize=(7.0, 0.5 + 1.4 * rows), layout="constrained")
        axes = figure.subplots(rows, min(3, len(motion.curves)), sharex=True, squeeze=False)
        for axis, (name, (values, held)) in zip(axes.flat, motion.curves.items(), strict=True):
            axis.plot(motion.time_ps, values, linewidth=0.8)
            axis.axhline(held, color="0.4", linestyle="--", linewidth=0.8)
            axis.set_ylabel(name)
        for axis in axes[-1]:
            axis.set_xlabel("time, ps")
        figure.suptitle(title)
        with atomic_open(path) as file:
            figure.savefig(file, format="svg", metadata={"Date": None})
