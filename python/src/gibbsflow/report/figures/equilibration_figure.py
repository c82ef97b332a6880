"""Plot of an equilibration: distance, burial, RMSD, energy and temperature over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gibbsflow.workflow.files import atomic_open

if TYPE_CHECKING:
    from gibbsflow.binding.equilibrate.bound_state import BoundAnalysis


def plot_equilibration(
    path: Path, log: npt.NDArray[np.void], time_ps: npt.NDArray[np.float64], outcome: BoundAnalysis, name: str
) -> None:
    """Write the plot as SVG, the same bytes for the same data.

    Parameters
    ----------
    path
        File to write.
    log
        Columns ``time_ps, potential_kcal_per_mol, temperature_k``, from the start of heating.
    time_ps
        Time of the unrestrained frames, shape (F,).
    outcome
        What was seen in these frames.
    name
        Title.
    """
    import matplotlib
    from matplotlib.figure import Figure

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
        figure.suptitle(f"{name}: {'bound' if outcome.bound else 'unbound'}")
        with atomic_open(path) as file:
            figure.savefig(file, format="svg", metadata={"Date": None})
