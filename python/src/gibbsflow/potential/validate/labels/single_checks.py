"""Checks of a label by itself: that it is whole and converged, that forces balance, that nothing is beyond a cap."""

from __future__ import annotations

import numpy as np

from gibbsflow.config.potential import Audit, Labels
from gibbsflow.potential.data.labels import over_threshold
from gibbsflow.potential.validate.labels.audited import Audited
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3

_ASYMMETRY = 0.01


def check_alone(label: Audited, settings: Audit, labels: Labels) -> None:
    """Enter what speaks against a label without looking at others.

    Parameters
    ----------
    label
        Gets reasons (``convergence``, ``net_force``, ``threshold``, ``stress``) and figures.
    settings
        Section ``audit``.
    labels
        Section ``labels``: the cap of forces and the least distance.
    """
    if fault := _not_converged(label):
        label.reasons["convergence"] = fault
    frame = label.frame
    if frame is None:
        return
    forces = frame.forces_ev_per_angstrom
    net = float(np.linalg.norm(forces.sum(axis=0))) / len(forces)
    label.figures |= {
        "energy_ev_per_atom": label.energy_ev_per_atom,
        "largest_force_ev_per_angstrom": float(np.linalg.norm(forces, axis=1).max()),
        "net_force_ev_per_angstrom": net,
    }
    if net > settings.net_force_ev_per_angstrom:
        label.reasons["net_force"] = (
            f"forces do not balance: {net:.3g} eV/Å an atom, {settings.net_force_ev_per_angstrom:g} are allowed"
        )
    if fault := over_threshold(frame.atoms, forces, labels):
        label.reasons["threshold"] = fault
    if frame.stress_ev_per_angstrom3 is not None:
        largest = float(np.abs(frame.stress_ev_per_angstrom3).max()) * GPA_PER_EV_PER_ANGSTROM3
        label.figures["largest_stress_gpa"] = largest
        if largest > settings.stress_cap_gpa:
            label.reasons["stress"] = f"a stress of {largest:.4g} GPa, the cap is {settings.stress_cap_gpa:g} GPa"
    tensor = np.asarray(label.known.figures.get("stress", ()), dtype=float)
    if tensor.shape == (3, 3) and np.abs(tensor - tensor.T).max() > _ASYMMETRY * np.abs(tensor).max():
        label.reasons["stress"] = "the stress is not symmetric"


def _not_converged(label: Audited) -> str:
    """Say what is missing of a label that converged; empty where nothing is."""
    result, figures, atoms = label.known.result, label.known.figures, label.known.atoms
    if result.get("physics_changed"):
        return f"converged only with changed physics: {', '.join(result.get('corrections', ())) or 'not said which'}"
    if result and result.get("status") != "labelled":
        return f"its run says {result.get('status')}: {result.get('cause', '')}"
    if label.frame is None:
        for name in ("energy", "forces", "stress"):
            if name in figures and not np.isfinite(np.asarray(figures[name], dtype=float)).all():
                return f"{name} not finite"
        return "energy or forces are missing, or of another number of atoms"
    # labels of another program may have none
    if result and atoms.pbc.all() and label.frame.stress_ev_per_angstrom3 is None:
        return "periodic, and without a stress"
    return ""
