"""Plot of an equilibration: distance, burial, RMSD, energy and temperature over time."""

from __future__ import annotations

from pathlib import Path

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

    outcome, log, time_ps = analysis.outcome, analysis.log, analysis.time_ps
    with matplotlib.rc_context({"svg.hashsalt": "gibbsflow", "font.size": 9}):
        figure = Figure(figsize=(7.0, 6.6), layout="constrained")
        axes = figure.subplots(4, 1, sharex=True)
        axes[0].plot(time_ps, outcome.distance_angstrom, label="ligand centre to site centre")
        axes[0].plot(time_ps, outcome.rmsd_angstrom, label="ligand RMSD, site superposed")
        axes[0].set_ylabel("Å")
        axes[0].legend(frameon=False, ncols=2)
        axes[1].plot(time_ps, outcome.buried)
        axes[1].set_ylabel("buried share")
        axes[1].set_ylim(0, 1)
        axes[2].plot(log["time_ps"], log["potential_kcal_per_mol"])
        axes[2].set_ylabel("potential, kcal/mol")
        axes[3].plot(log["time_ps"], log["temperature_k"])
        axes[3].set_ylabel("temperature, K")
        axes[3].set_xlabel("time, ps (heating first, positions held)")
        for axis in axes[:2]:
            axis.axvspan(time_ps[outcome.judged[0]], time_ps[-1], color="0.93", zorder=0)
        figure.suptitle(f"{analysis.system.name}: {'bound' if outcome.bound else 'unbound'}")
        with atomic_open(path) as file:
            figure.savefig(file, format="svg", metadata={"Date": None})
