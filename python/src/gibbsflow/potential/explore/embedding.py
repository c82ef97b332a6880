"""Boxes in place of cells that are too large to be labelled: around which atoms they are cut, and what is recorded."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential_training import Embedding
from gibbsflow.potential.data.structures import structure_id, tag
from gibbsflow.potential.explore.boxes.cutting import CannotCutError, cut_box
from gibbsflow.potential.explore.boxes.formal_charges import charges_of
from gibbsflow.potential.explore.calculator import PotentialCalculator
from gibbsflow.potential.explore.unknown.regions import unknown_regions

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
EMBEDDED = "embedded"
"""`config_type` of a box."""


@dataclass
class Embedded:
    """What became of structures that were to be labelled.

    Attributes
    ----------
    frames
        What is labelled: boxes, and structures that are small enough, as they were.
    records
        One a box: where it was cut from, its size, what was left out, and the grade of its centre in both.
    replaced
        Structures of which boxes stand in `frames`.
    refused
        Structures without a box, and why.
    """

    frames: list[Atoms] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    replaced: list[Atoms] = field(default_factory=list)
    refused: list[tuple[Atoms, str]] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """What a result says.

        Returns
        -------
        dict
            JSON-serialisable.
        """
        return {
            "whole": len(self.frames) - len(self.records), "boxes": self.records, "replaced": len(self.replaced),
            "refused": [{"gibbsflow_id": structure_id(atoms), "reason": reason} for atoms, reason in self.refused],
        }  # fmt: skip


def embed(
    frames: Sequence[Atoms], calculator: PotentialCalculator, settings: Embedding, *, seed: int, generation: int
) -> Embedded:
    """Replace structures of too many atoms by periodic boxes around what is unknown in them.

    Parameters
    ----------
    frames
        Structures that are to be labelled.
    calculator
        Present potential, with its grade.
    settings
        Section ``embedding``; without `largest_cell_atoms` all structures stay.
    seed, generation
        Tags of the boxes.

    Returns
    -------
    Embedded
        A box has the array ``force_mask`` and, as settings say, ``energy_weight`` and ``stress_weight``.

    Raises
    ------
    InputError
        Where boxes shall be neutral and formal charges are not known.
    """
    made = Embedded()
    largest = settings.largest_cell_atoms
    for atoms in frames:
        if largest is None or len(atoms) <= largest:
            made.frames.append(atoms)
            continue
        before, reason = len(made.records), "no direction is periodic, so that no box can be"
        if atoms.pbc.any():
            reason = _boxes(atoms, calculator, settings, made, seed=seed, generation=generation)
        if len(made.records) > before:
            made.replaced.append(atoms)
        else:
            log.warning("%s (%d atoms) gets no box: %s", structure_id(atoms), len(atoms), reason)
            made.refused.append((atoms, reason))
    return made


def _boxes(
    atoms: Atoms, calculator: PotentialCalculator, settings: Embedding, made: Embedded, *, seed: int, generation: int
) -> str:
    """Cut the boxes of one structure; says why there is none, where there is none."""
    assert calculator.grader is not None  # noqa: S101 - whoever selects has a grade
    charges = charges_of(atoms, settings)
    grades = calculator.grades(atoms)
    regions = unknown_regions(atoms, grades, min(calculator.grader.lower, float(grades.max())))
    reason = ""
    for region in regions[: settings.boxes]:
        try:
            box = cut_box(atoms, region["worst"], settings, charges)
        except CannotCutError as error:
            reason = str(error)
            continue
        weights = {"energy_weight": settings.energy_weight, "stress_weight": settings.stress_weight}
        parent = structure_id(atoms)
        frame = tag(
            box.atoms, EMBEDDED, generator="embedding", seed=seed, parent=parent, generation=generation,
            grade=float(grades[region["worst"]]), **{key: value for key, value in weights.items() if value != 1},
        )  # fmt: skip
        inside = calculator.grades(frame)
        record = {
            "gibbsflow_id": structure_id(frame), "parent": parent, "parent_atoms": len(atoms), "atoms": len(frame),
            "core_atoms": int(frame.arrays["force_mask"].sum()), "centre": region["worst"],
            "grade": float(grades[region["worst"]]), "grade_in_box": float(inside[box.centre]),
            "removed_at_seams": box.removed, "left_out_for_charge": box.left_out,
            "foreign_surroundings": box.mismatch, "formal_charges": charges,
        }  # fmt: skip
        log.info("a box of %d atoms in place of %d, grade %.3g (in the cell %.3g)", len(frame), len(atoms),
                 record["grade_in_box"], record["grade"])  # fmt: skip
        made.frames.append(frame)
        made.records.append(record)
    return reason or "nothing in it is unknown"
