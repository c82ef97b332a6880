"""Settings of labels that are converged: cutoffs, then k points, then all of them together against finer ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential import Dft, StructureSettings
from gibbsflow.errors import InputError, Problem, ScienceError
from gibbsflow.potential.data.labels import LabelResult
from gibbsflow.potential.label.batch import Batch, LabelStore, label_batch
from gibbsflow.potential.label.convergence.ladders import Climbed, Errors, Rung, climb
from gibbsflow.potential.label.engines import make_engine
from gibbsflow.potential.label.plane_waves import in_cell, k_mesh
from gibbsflow.potential.label.pseudopotentials import pseudo_table
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.state.segments import Stopper

if TYPE_CHECKING:
    from ase import Atoms

_CUTOFF_STEP, _CUTOFF_RUNGS = 1.2, 10
_DENSITY_RATIOS = (4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0)
_START_SHARE = 0.6  # of the cutoff that a table suggests
_SPACING_STEP, _SPACING_RUNGS, _COARSEST_PER_ANGSTROM, _FINEST_PER_ANGSTROM = 1.2, 16, 0.9, 0.03
_MESH_OF_CUTOFFS_PER_ANGSTROM = 0.5
_ROUNDS = 4
_LARGEST = {"ecutwfc_ry": 400.0, "ecutrho_ry": 4000.0, "gpaw_cutoff_ev": 2000.0}
_STILL_EV_PER_ANGSTROM = 1e-3
Values = dict[str, float]


@dataclass(frozen=True)
class Converged:
    """Settings that are converged, and how that was found.

    Attributes
    ----------
    values
        Of section ``dft``.
    ladders
        That were climbed, in order.
    together
        Errors of these settings against the next finer of all at once.
    finer
        Those finer settings.
    """

    values: Values
    ladders: Sequence[Climbed]
    together: Errors
    finer: Values

    def rows(self) -> list[dict[str, Any]]:
        """Give the table: a row a rung.

        Returns
        -------
        list of dict
            Ladder, settings, errors against its finest rung, seconds, and whether it was chosen.
        """
        names = dict.fromkeys(name for ladder in self.ladders for rung in ladder.rungs for name in rung.values)
        return [
            {
                "ladder": ladder.name, **{name: rung.values.get(name, "") for name in names}, **asdict(errors),
                "seconds": round(rung.seconds, 3), "chosen": number == ladder.chosen,
            }
            for ladder in self.ladders
            for number, (rung, errors) in enumerate(zip(ladder.rungs, ladder.errors, strict=True))
        ]  # fmt: skip

    def figures(self) -> dict[str, Any]:
        """Say in figures what was found.

        Returns
        -------
        dict
            ``dft`` (the settings), ``errors`` (all together against ``finer``), ``ladders`` (what each chose).
        """
        return {
            "dft": self.values, "errors": asdict(self.together), "finer": self.finer,
            "ladders": {ladder.name: ladder.values for ladder in self.ladders},
        }  # fmt: skip


class SettingsSearch:
    """Looks for the coarsest settings that are converged for some structures.

    Parameters
    ----------
    frames
        The structures.
    config
        Sections ``target``, ``dft`` and ``labels``; what is not looked for stays as it is.
    stated
        Errors that are allowed.
    state
        Where finished labels are kept: the same search goes on.
    account
        Gets notes on what the structures cannot tell.
    workers
        Labels at a time; default: the settings'.
    stopper
        Says when to stop.

    Raises
    ------
    InputError
        For an engine that has neither cutoffs nor k points, or elements that are not the target's.
    """

    def __init__(
        self, frames: Sequence[Atoms], config: StructureSettings, stated: Errors, state: Path, account: Account, *,
        workers: int | None = None, stopper: Stopper | None = None,
    ) -> None:  # fmt: skip
        self.frames, self.config, self.stated, self.state = list(frames), config, stated, state
        self.account, self.workers, self.stopper = account, workers or config.labels.workers, stopper
        if config.dft.engine not in ("quantum_espresso", "gpaw"):
            what = f"{config.dft.engine} has neither cutoff nor k points to converge"
            raise InputError(Problem("dft converge", what, "quantum_espresso or gpaw", field="dft.engine"))
        there = dict.fromkeys(symbol for frame in frames for symbol in frame.get_chemical_symbols())
        self.elements = config.target.elements or tuple(there)
        for number, frame in enumerate(frames, start=1):
            if others := [own for own in dict.fromkeys(frame.get_chemical_symbols()) if own not in self.elements]:
                what = f"frame {number} has {', '.join(others)}, which cannot be labelled"
                right = f"the elements of target.elements: {', '.join(self.elements)}"
                raise InputError(Problem("dft converge", what, right, row=number, field="input"))

    def run(self, seen: Callable[[Rung], object] = lambda rung: None) -> Converged:
        """Search.

        Parameters
        ----------
        seen
            Called with each rung as it is there.

        Returns
        -------
        Converged
            The settings, with their error.

        Raises
        ------
        ScienceError
            Where a structure gets no label, or a ladder ends before it is converged.
        StoppedEarly
            After a signal; what is finished is kept.
        """
        found: Values = {}
        ladders = []
        for name, steps in self._ladders():
            rungs = steps(found)
            if not rungs:
                continue
            climbed = climb(name, rungs, partial(self._label, dict(found)), self.stated, seen)
            found |= climbed.values
            ladders.append(climbed)
        if all(_still(label) for label in ladders[0].rungs[-1].labels):
            self.account.note("no structure has a force, so nothing is said of theirs: displaced ones would tell")
        return self._together(found, ladders)

    def _ladders(self) -> list[tuple[str, Callable[[Values], list[Values]]]]:
        if self.config.dft.engine == "gpaw":
            return [("cutoff", self._plane_waves), ("k points", self._spacings)]
        return [("cutoff", self._wavefunctions), ("density cutoff", self._densities), ("k points", self._spacings)]

    def _plane_waves(self, found: Values) -> list[Values]:  # noqa: ARG002 - the first of a row
        return _rising("gpaw_cutoff_ev", _START_SHARE * self.config.dft.gpaw_cutoff_ev)

    def _wavefunctions(self, found: Values) -> list[Values]:  # noqa: ARG002 - the first of a row
        pseudos = pseudo_table.choose(list(self.elements), self.config.dft)
        suggested = pseudo_table.cutoffs_ry(pseudos, self.config.dft.model_copy(update={"ecutrho_ry": None}))
        # the density keeps its ratio until its own turn, and is never the smaller part of the error
        ratio = suggested[1] / suggested[0]
        rungs = _rising("ecutwfc_ry", _START_SHARE * suggested[0])
        return [{**own, "ecutrho_ry": own["ecutwfc_ry"] * ratio} for own in rungs if own["ecutwfc_ry"] * ratio <= 4000]

    def _densities(self, found: Values) -> list[Values]:
        """Ratios from 4 on, of ultrasoft and PAW files; a norm-conserving density ends at 4."""
        pseudos = pseudo_table.choose(list(self.elements), self.config.dft)
        if all(pseudo.type == "NC" for pseudo in pseudos.values()):
            return []
        rungs = [{"ecutrho_ry": ratio * found["ecutwfc_ry"]} for ratio in _DENSITY_RATIOS]
        return [own for own in rungs if own["ecutrho_ry"] <= _LARGEST["ecutrho_ry"]]

    def _spacings(self, found: Values) -> list[Values]:  # noqa: ARG002 - independent of cutoffs
        """Spacings at which the mesh of some structure changes; none where nothing is periodic."""
        if not any(frame.pbc.any() for frame in self.frames):
            return []
        rungs: list[Values] = []
        before = None
        spacing = _COARSEST_PER_ANGSTROM
        while len(rungs) < _SPACING_RUNGS and spacing > _FINEST_PER_ANGSTROM:
            meshes = [k_mesh(in_cell(frame), spacing) for frame in self.frames]
            if meshes != before:
                rungs.append({"kspacing_per_angstrom": round(spacing, 4)})
            before, spacing = meshes, spacing / _SPACING_STEP
        return rungs

    def _together(self, found: Values, ladders: Sequence[Climbed]) -> Converged:
        """Hold all settings at once against the next finer of all, and go there where they are not converged."""
        for _ in range(_ROUNDS):
            finer = {key: _finer(key, value) for key, value in found.items()}
            if "ecutrho_ry" in finer:
                # each in whole numbers, and still the density holds all of the wavefunctions' squares
                finer["ecutrho_ry"] = max(finer["ecutrho_ry"], 4 * finer["ecutwfc_ry"])
            if last := [key for key, value in finer.items() if value == found[key]]:
                # against itself every setting is converged
                what = f"{last[0]} {found[last[0]]:g} is the finest that can be asked for"
                raise ScienceError(f"{what}: nothing is left to hold it against", what_to_do="Allow larger errors.")
            errors = Rung(found, self._label(found, {})).against(Rung(finer, self._label(finer, {})))
            if errors.within(self.stated):
                return Converged(found, ladders, errors, finer)
            found = finer
        raise ScienceError(
            f"not converged with all settings at once, up to {found}: {errors}", what_to_do="Allow larger errors."
        )

    def _label(self, found: Mapping[str, float], own: Mapping[str, float]) -> list[LabelResult]:
        # an error of the cutoff hardly depends on the mesh, whose turn comes later
        spacing = max(self.config.dft.kspacing_per_angstrom, _MESH_OF_CUTOFFS_PER_ANGSTROM)
        values = {"kspacing_per_angstrom": spacing, **found, **own}
        dft = Dft.model_validate({**self.config.dft.model_dump(), **values})
        engine = make_engine(self.elements, dft, self.config.labels)
        batch = Batch(self.frames)
        label_batch(
            batch, engine, self.config.labels, store=LabelStore(self.state, engine.settings_hash),
            workers=self.workers, stopper=self.stopper,
        )  # fmt: skip
        results = batch.ordered()
        if bad := [result for result in results if result.status != "labelled"]:
            first = bad[0]
            said = ", ".join(f"{key} {value:g}" for key, value in values.items())
            raise ScienceError(
                f"{first.gibbsflow_id} has no label at {said} ({first.cause}: {first.message})",
                what_to_do="Leave the structure out, or mend it.",
            )
        return results


def _rising(name: str, start: float) -> list[Values]:
    """Cutoffs in whole numbers, each a fifth above the one before."""
    values = list(dict.fromkeys(float(math.ceil(start * _CUTOFF_STEP**step)) for step in range(_CUTOFF_RUNGS)))
    return [{name: value} for value in values if value <= _LARGEST[name]]


def _finer(name: str, value: float) -> float:
    if name == "kspacing_per_angstrom":
        return max(round(value / _SPACING_STEP**2, 4), 0.0201)
    return min(float(math.ceil(value * _CUTOFF_STEP)), _LARGEST[name])


def _still(label: LabelResult) -> bool:
    forces = label.forces_ev_per_angstrom or []
    return all(abs(value) < _STILL_EV_PER_ANGSTROM for force in forces for value in force)
