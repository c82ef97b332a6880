"""Errors of a potential against its labels, over all frames and by config_type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3, Floats


@dataclass(frozen=True)
class Prediction:
    """What a potential says of one frame; units and signs as in :class:`LabelledFrame`.

    Attributes
    ----------
    energy_ev
        Total energy, eV.
    forces_ev_per_angstrom
        Forces, eV/Å, shape (n, 3).
    stress_ev_per_angstrom3
        Stress, eV/Å^3, Voigt xx yy zz yz xz xy, shape (6,); None where the frame is not periodic.
    """

    energy_ev: float
    forces_ev_per_angstrom: Floats
    stress_ev_per_angstrom3: Floats | None


def summarise_errors(frames: Sequence[LabelledFrame], predictions: Sequence[Prediction]) -> dict[str, Any]:
    """MAE and RMSE of energies an atom, force components and stress components, of labels whose weight is not 0.

    Parameters
    ----------
    frames, predictions
        In the same order.

    Returns
    -------
    dict
        ``frames``, ``atoms``, ``energy_frames`` and ``force_frames`` (those with such a label that counts; errors are
        None where there is none), ``energy_mae_mev_per_atom``, ``energy_rmse_mev_per_atom``,
        ``force_mae_ev_per_angstrom``, ``force_rmse_ev_per_angstrom``, ``stress_mae_gpa``, ``stress_rmse_gpa`` (where
        there is none, with ``stress_reason``), and the same again under ``by_config_type``.
    """
    result = _errors(frames, predictions)
    kinds = sorted({frame.config_type for frame in frames})
    result["by_config_type"] = {
        kind: _errors(
            *zip(*[(f, p) for f, p in zip(frames, predictions, strict=True) if f.config_type == kind], strict=True)
        )
        for kind in kinds
    }
    return result


def _errors(frames: Sequence[LabelledFrame], predictions: Sequence[Prediction]) -> dict[str, Any]:
    pairs = list(zip(frames, predictions, strict=True))
    energy = np.array([(p.energy_ev - f.energy_ev) / len(f.atoms) for f, p in pairs if f.weights.energy > 0]) * 1e3
    force = np.concatenate(
        [(p.forces_ev_per_angstrom - f.forces_ev_per_angstrom)[f.force_mask].ravel() for f, p in pairs]
    )
    stress = [
        p.stress_ev_per_angstrom3 - f.stress_ev_per_angstrom3
        for f, p in pairs
        if f.stress_ev_per_angstrom3 is not None and p.stress_ev_per_angstrom3 is not None
    ]
    result: dict[str, Any] = {
        "frames": len(frames),
        "atoms": sum(len(f.atoms) for f in frames),
        "energy_frames": len(energy),
        "force_frames": sum(bool(f.force_mask.any()) for f in frames),
        "energy_mae_mev_per_atom": _mae(energy),
        "energy_rmse_mev_per_atom": _rmse(energy),
        "force_mae_ev_per_angstrom": _mae(force),
        "force_rmse_ev_per_angstrom": _rmse(force),
        "stress_mae_gpa": None,
        "stress_rmse_gpa": None,
    }
    if stress:
        values = np.concatenate(stress) * GPA_PER_EV_PER_ANGSTROM3
        result |= {"stress_mae_gpa": _mae(values), "stress_rmse_gpa": _rmse(values), "stress_frames": len(stress)}
    else:
        result["stress_reason"] = "no frame has a stress"
    return result


def _mae(values: Floats) -> float | None:
    return float(np.abs(values).mean()) if values.size else None


def _rmse(values: Floats) -> float | None:
    return float(np.sqrt((values**2).mean())) if values.size else None


def parity(
    frames: Sequence[LabelledFrame], predictions: Sequence[Prediction], of: Callable[[LabelledFrame], float]
) -> dict[str, Floats]:
    """Reference and predicted values for a parity plot.

    Parameters
    ----------
    frames, predictions
        In the same order.
    of
        Gives the energy that is taken off a frame, eV.

    Returns
    -------
    dict
        ``energy`` and ``force``: shape (2, values), eV an atom and eV/Å.
    """
    pairs = list(zip(frames, predictions, strict=True))
    energy = [[(f.energy_ev - of(f)) / len(f.atoms), (p.energy_ev - of(f)) / len(f.atoms)]
              for f, p in pairs if f.weights.energy > 0]  # fmt: skip
    forces = [np.stack([f.forces_ev_per_angstrom[f.force_mask].ravel(), p.forces_ev_per_angstrom[f.force_mask].ravel()])
              for f, p in pairs if f.weights.force > 0]  # fmt: skip
    return {"energy": np.array(energy).reshape(-1, 2).T, "force": np.concatenate([np.zeros((2, 0)), *forces], axis=1)}
