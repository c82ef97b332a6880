"""Structures before their label: those out of all measure by a cheap model are left out, or relaxed until they are not.

A structure on which the model fails is kept: only figures speak against one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.optimize import FIRE

from gibbsflow.config.potential_training import Surrogate
from gibbsflow.errors import EngineError
from gibbsflow.potential.data.structures import structure_id, tag
from gibbsflow.potential.explore.screening.surrogates import SurrogateModel

PHYSICS = 1
"""Raised by hand when the same structures get another fate."""


@dataclass(frozen=True)
class Screened:
    """Fate of one structure.

    Attributes
    ----------
    given, atoms
        As it came, and as it goes on: the same unless it was relaxed.
    fate
        ``kept``, ``relaxed``, ``screened`` (left out) or ``unknown`` (the model failed; it goes on).
    reason
        Why, in words.
    largest_force_ev_per_angstrom, energy_ev_per_atom
        By the model, as it came; None where it failed.
    steps
        Of the relaxation.
    relaxed_force_ev_per_angstrom, relaxed_energy_ev_per_atom
        At its end; None without one.
    """

    given: Atoms
    atoms: Atoms
    fate: str
    reason: str = ""
    largest_force_ev_per_angstrom: float | None = None
    energy_ev_per_atom: float | None = None
    steps: int = 0
    relaxed_force_ev_per_angstrom: float | None = None
    relaxed_energy_ev_per_atom: float | None = None

    def as_record(self) -> dict[str, Any]:
        """Tell it without its atoms.

        Returns
        -------
        dict
            JSON-serialisable: ``gibbsflow_id`` as it came, ``becomes`` where it was relaxed, and the fields above.
        """
        own = {key: value for key, value in vars(self).items() if key not in ("given", "atoms")}
        becomes = structure_id(self.atoms) if self.fate == "relaxed" else ""
        return {"gibbsflow_id": structure_id(self.given), "becomes": becomes, **own}


def screen(frames: Sequence[Atoms], model: SurrogateModel, settings: Surrogate) -> list[Screened]:
    """Decide the fate of each structure.

    Parameters
    ----------
    frames
        The structures; isolated atoms are always kept.
    model
        Cheap model.
    settings
        Section ``surrogate``: limits, and what is done with those above them.

    Returns
    -------
    list of Screened
        In the same order.
    """
    found = [_figures(atoms, model) for atoms in frames]
    lowest: dict[str, float] = {}
    for atoms, (energy, _, _) in zip(frames, found, strict=True):
        if energy is not None:
            formula = _formula(atoms)
            lowest[formula] = min(energy, lowest.get(formula, energy))
    return [
        _fate(atoms, figures, lowest.get(_formula(atoms), 0.0), model, settings)
        for atoms, figures in zip(frames, found, strict=True)
    ]


def _formula(atoms: Atoms) -> str:
    return str(atoms.symbols.formula.reduce()[0].format("hill"))


def _figures(atoms: Atoms, model: SurrogateModel) -> tuple[float | None, float | None, str]:
    """Energy an atom, largest force, and the model's words where there are neither."""
    try:
        energy, forces = model.evaluate(atoms)
    except EngineError as error:
        return None, None, str(error)
    return energy / len(atoms), float(np.linalg.norm(forces, axis=1).max()), ""


def _above(energy: float, force: float, lowest: float, settings: Surrogate) -> str:
    """Say which limit is passed; empty for none."""
    limit, window = settings.max_force_ev_per_angstrom, settings.energy_window_ev_per_atom
    if force > limit:
        return f"largest force {force:.3g} eV/Å, at most {limit:g} eV/Å"
    if window is not None and energy - lowest > window:
        return f"{energy - lowest:.3g} eV/atom above the lowest of its composition, at most {window:g} eV/atom"
    return ""


def _fate(
    atoms: Atoms, figures: tuple[float | None, float | None, str], lowest: float, model: SurrogateModel,
    settings: Surrogate,
) -> Screened:  # fmt: skip
    energy, force, fault = figures
    if energy is None or force is None:
        return Screened(atoms, atoms, "unknown", f"{model.name} failed: {fault}")
    why = _above(energy, force, lowest, settings) if len(atoms) > 1 else ""
    if not why:
        return Screened(atoms, atoms, "kept", "", force, energy)
    if settings.action == "screen":
        return Screened(atoms, atoms, "screened", why, force, energy)
    return _relaxed(Screened(atoms, atoms, "screened", why, force, energy), lowest, model, settings)


def _relaxed(before: Screened, lowest: float, model: SurrogateModel, settings: Surrogate) -> Screened:
    """Relax until the limits hold, at a fixed cell; what does not get there is left out."""
    moving = before.given.copy()
    moving.set_constraint()
    moving.calc = _Model(model)
    after: tuple[float, float] | None = None
    steps = 0
    try:
        with FIRE(moving, logfile=None) as optimiser:
            for _ in optimiser.irun(fmax=0.0, steps=settings.steps):
                steps = int(optimiser.nsteps)
                forces = moving.get_forces()
                after = moving.get_potential_energy() / len(moving), float(np.linalg.norm(forces, axis=1).max())
                if not _above(*after, lowest, settings):
                    break
    except EngineError as error:
        why = f"{before.reason}; {model.name} failed as it was relaxed: {error}"
        return Screened(
            before.given, before.given, "unknown", why, before.largest_force_ev_per_angstrom, before.energy_ev_per_atom,
            steps,
        )  # fmt: skip
    energy, force = after if after is not None else (np.inf, np.inf)
    still = _above(energy, force, lowest, settings)
    info = before.given.info
    made = tag(
        moving, str(info.get("config_type", "relaxed")), generator="screen", seed=int(info.get("seed", 0)),
        parent=info.get("parent") or structure_id(before.given), generation=int(info.get("generation", 0)),
        relaxed_from=structure_id(before.given), relaxed_by=model.name,
    )  # fmt: skip
    why = f"{before.reason}; after {steps} steps: {still or 'below the limits'}"
    return Screened(
        before.given, before.given if still else made, "screened" if still else "relaxed", why,
        before.largest_force_ev_per_angstrom, before.energy_ev_per_atom, steps, force, energy,
    )  # fmt: skip


class _Model(Calculator):  # type: ignore[misc]  # ASE has no types
    """The model as ASE's optimiser asks it."""

    implemented_properties = ["energy", "forces"]

    def __init__(self, model: SurrogateModel) -> None:
        super().__init__()
        self._surrogate = model

    def calculate(
        self, atoms: Atoms | None = None, properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:  # fmt: skip
        """Evaluate; see ASE."""
        super().calculate(atoms, properties, system_changes)
        energy, forces = self._surrogate.evaluate(self.atoms)
        self.results = {"energy": energy, "free_energy": energy, "forces": forces}


def figures(found: Sequence[Screened], model: SurrogateModel) -> dict[str, Any]:
    """What ``result.json`` says.

    Parameters
    ----------
    found
        Fates.
    model
        What decided them.

    Returns
    -------
    dict
        ``surrogate, identity, structures, fates{}, records[], notes[]``.
    """
    counts = Counter(one.fate for one in found)
    failed = [one for one in found if one.fate == "unknown"]
    notes = [f"{structure_id(one.given)} goes on to its label: {one.reason}" for one in failed]
    return {
        "surrogate": model.name,
        "identity": model.identity,
        "structures": len(found),
        "fates": dict(counts),
        "records": [one.as_record() for one in found],
        "notes": notes,
    }
