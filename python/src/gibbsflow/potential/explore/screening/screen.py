"""Structures before their label: those out of all measure by a cheap model are left out, or relaxed until they are not.

A structure on which the model fails is kept: only figures speak against one. What the model has said is kept in a state
folder, so that a screening that was stopped goes on; what it failed on, it is asked again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.optimize import FIRE

from gibbsflow.config.potential_training import Surrogate
from gibbsflow.errors import EngineError
from gibbsflow.potential.data.formats.electrons import Electrons
from gibbsflow.potential.data.formats.mesh_cells import kept_mesh
from gibbsflow.potential.data.structures import structure_id, tag
from gibbsflow.potential.explore.screening.looked_at import LookedAt
from gibbsflow.potential.explore.screening.surrogates import SurrogateModel
from gibbsflow.workflow.files import inputs_hash
from gibbsflow.workflow.state.segments import Stopper

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


def screen(
    frames: Sequence[Atoms],
    model: SurrogateModel,
    settings: Surrogate,
    *,
    state: Path | None = None,
    stopper: Stopper | None = None,
) -> list[Screened]:
    """Decide the fate of each structure.

    Parameters
    ----------
    frames
        The structures; isolated atoms are always kept.
    model
        Cheap model.
    settings
        Section ``surrogate``: limits, and what is done with those above them.
    state
        Folder in which the model's figures are kept, and found again; default: nowhere.
    stopper
        Says when to stop.

    Returns
    -------
    list of Screened
        In the same order.

    Raises
    ------
    StoppedEarly
        After a signal: the same call goes on from `state`.
    """
    looks = _Looks(model, settings, LookedAt(state, model.identity), stopper or Stopper())
    found = [looks.figures(atoms) for atoms in frames]
    lowest: dict[str, float] = {}
    for atoms, (energy, _, _) in zip(frames, found, strict=True):
        if energy is not None:
            formula = _formula(atoms)
            lowest[formula] = min(energy, lowest.get(formula, energy))
    return [
        looks.fate(atoms, figures, lowest.get(_formula(atoms), 0.0))
        for atoms, figures in zip(frames, found, strict=True)
    ]


def _formula(atoms: Atoms) -> str:
    return str(atoms.symbols.formula.reduce()[0].format("hill"))


def _above(energy: float, force: float, lowest: float, settings: Surrogate) -> str:
    """Say which limit is passed; empty for none."""
    limit, window = settings.max_force_ev_per_angstrom, settings.energy_window_ev_per_atom
    if force > limit:
        return f"largest force {force:.3g} eV/Å, at most {limit:g} eV/Å"
    if window is not None and energy - lowest > window:
        return f"{energy - lowest:.3g} eV/atom above the lowest of its composition, at most {window:g} eV/atom"
    return ""


@dataclass(frozen=True)
class _Looks:
    """One model's looks at structures, each taken once."""

    model: SurrogateModel
    settings: Surrogate
    known: LookedAt
    stopper: Stopper

    def figures(self, atoms: Atoms) -> tuple[float | None, float | None, str]:
        """Energy an atom, largest force, and the model's words where there are neither."""
        self.stopper.check()
        try:
            Electrons.of(atoms)
        except ValueError as error:
            return None, None, str(error)
        said = self.known.get(atoms)
        if said is None:
            try:
                energy, forces = self.model.evaluate(atoms)
            except EngineError as error:
                return None, None, str(error)
            largest = float(np.linalg.norm(forces, axis=1).max())
            said = self.known.keep(atoms, {"energy_ev_per_atom": energy / len(atoms), "force_ev_per_angstrom": largest})
        return said["energy_ev_per_atom"], said["force_ev_per_angstrom"], ""

    def fate(self, atoms: Atoms, figures: tuple[float | None, float | None, str], lowest: float) -> Screened:
        """What becomes of a structure with these figures."""
        energy, force, fault = figures
        if energy is None or force is None:
            return Screened(atoms, atoms, "unknown", f"{self.model.name} failed: {fault}")
        why = _above(energy, force, lowest, self.settings) if len(atoms) > 1 else ""
        kept = Screened(atoms, atoms, "kept", largest_force_ev_per_angstrom=force, energy_ev_per_atom=energy)
        if not why:
            return kept
        left_out = replace(kept, fate="screened", reason=why)
        return left_out if self.settings.action == "screen" else self._relaxed(left_out, lowest)

    def _relaxed(self, before: Screened, lowest: float) -> Screened:
        """Relax until the limits hold, at a fixed cell; what does not get there is left out."""
        own = {"limits": self.settings.model_dump(mode="json", exclude={"pair_file", "potential"}), "lowest": lowest}
        how = f"relaxed {inputs_hash(files={}, settings=own, physics=PHYSICS)[:16]}"
        end = self.known.get(before.given, how)
        if end is None:
            try:
                end = self.known.keep(before.given, self._descend(before.given, lowest), how)
            except EngineError as error:
                why = f"{before.reason}; {self.model.name} failed as it was relaxed: {error}"
                return replace(before, fate="unknown", reason=why)
        energy, force = end["energy_ev_per_atom"], end["force_ev_per_angstrom"]
        still = _above(energy, force, lowest, self.settings)
        moved = before.given.copy()
        moved.positions[:] = end["positions_angstrom"]
        info = before.given.info
        made = tag(
            moved, str(info.get("config_type", "relaxed")), generator="screen", seed=_count(info.get("seed")),
            parent=info.get("parent") or structure_id(before.given), generation=_count(info.get("generation")),
            relaxed_from=structure_id(before.given), relaxed_by=self.model.name, **kept_mesh(before.given),
        )  # fmt: skip
        return replace(
            before, atoms=before.given if still else made, fate="screened" if still else "relaxed",
            reason=f"{before.reason}; after {end['steps']} steps: {still or 'below the limits'}", steps=end["steps"],
            relaxed_force_ev_per_angstrom=force, relaxed_energy_ev_per_atom=energy,
        )  # fmt: skip

    def _descend(self, atoms: Atoms, lowest: float) -> dict[str, Any]:
        """Where a relaxation ends, and after how many steps."""
        moving = atoms.copy()
        moving.set_constraint()
        moving.calc = _Model(self.model)
        energy = force = np.inf
        steps = 0
        with FIRE(moving, logfile=None) as optimiser:
            for _ in optimiser.irun(fmax=0.0, steps=self.settings.steps):
                self.stopper.check()
                steps = int(optimiser.nsteps)
                energy = float(moving.get_potential_energy()) / len(moving)
                force = float(np.linalg.norm(moving.get_forces(), axis=1).max())
                if not _above(energy, force, lowest, self.settings):
                    break
        return {
            "steps": steps, "energy_ev_per_atom": energy, "force_ev_per_angstrom": force,
            "positions_angstrom": moving.positions.tolist(),
        }  # fmt: skip


def _count(said: object) -> int:
    """A tag of ours; 0 for what another program means by the same word."""
    return int(said) if isinstance(said, int | np.integer) else 0


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
