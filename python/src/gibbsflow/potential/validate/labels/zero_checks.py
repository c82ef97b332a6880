"""Labels whose energy a fit would refuse as one on another zero: they are held, so that the others are fitted.

A cell too small for the settings of its labels (one with a vacancy, at the Γ point), or an SCF that ended in another
state, gives an energy that nothing in forces and elements explains. The check is the fit's own, of the same data sets.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ase.calculators.singlepoint import SinglePointCalculator

from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.known_labels import KnownLabel
from gibbsflow.potential.data.structures import structure_id, write_frames
from gibbsflow.potential.train.shared.inputs import Inputs

if TYPE_CHECKING:
    from ase import Atoms

ZERO = "zero"
"""Name of the check."""
_ROUNDS = 4


def hold_other_zeros(database: DatabaseManager, holdout: Collection[str]) -> list[str]:
    """Hold the labels whose energies a fit would refuse, and let in those that it would take by now.

    Parameters
    ----------
    database
        After an audit: what it holds for another reason is not asked.
    holdout
        Ids of the labels that are only predicted.

    Returns
    -------
    list of str
        Ids of the labels whose status has changed.
    """
    asked = [label for label in database.labels() if set(label.held_for) <= {ZERO}]
    frames = [_frame(label) for label in asked]
    apart = [frame for frame in frames if structure_id(frame) in holdout]
    train = [frame for frame in frames if structure_id(frame) not in holdout]
    free = {label.name for label in asked if ZERO not in label.released}
    said = other_zeros(train, apart, free)
    reasons = {label.name: {ZERO: said[label.name]} if label.name in said else {} for label in asked}
    return database.hold({label.name: reasons[label.name] for label in asked if reasons[label.name] != label.held_for},
                         "audit")  # fmt: skip


def other_zeros(train: Sequence[Atoms], test: Sequence[Atoms], may_be_held: Collection[str]) -> dict[str, str]:
    """Find labels whose energies a fit of these sets would refuse.

    Parameters
    ----------
    train, test
        Labelled structures.
    may_be_held
        Ids of those that may be left out.

    Returns
    -------
    dict
        Words by id; without these the fit refuses no energy of those that may be left out.
    """
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="gibbsflow-zeros-") as scratch:
        paths = {name: Path(scratch) / f"{name}.extxyz" for name in ("train", "test")}
        for _ in range(_ROUNDS):  # the fit to what is left may find more
            sets = {
                name: [frame for frame in frames if structure_id(frame) not in found]
                for name, frames in (("train", train), ("test", test))
            }
            if not all(sets.values()):
                break
            for name, path in paths.items():
                write_frames(path, sets[name])
            facts = Inputs.look_at(paths["train"], paths["test"]).account.facts
            new = {
                structure_id(sets[name][row - 1]): f"its energy lies {shift:+.3g} eV/atom from those of the other "
                "labels, as forces and elements have it: another zero, or a cell too small for its settings"
                for name in sets
                for row, shift in facts[name].get("energies_refused", {}).items()
            }
            new = {name: words for name, words in new.items() if name in may_be_held}
            if not new:
                break
            found |= new
    return found


def _frame(label: KnownLabel) -> Atoms:
    """Structure with its label, also where it is held."""
    frame: Atoms = label.atoms.copy()
    frame.info["settings_hash"] = label.settings_hash
    frame.calc = SinglePointCalculator(frame, **label.figures)
    return frame
