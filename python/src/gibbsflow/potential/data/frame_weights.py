"""Weights that frames carry: multiples of the squared errors of a frame, as in common use.

``config_weight`` counts for all of a frame; ``energy_weight``, ``forces_weight``, ``stress_weight`` (also with
``config_`` before, and ``force_``, ``virial_``, ``virials_``) for one kind of label. They multiply.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from gibbsflow.potential.data.label_keys import many_numbers, one_number
from gibbsflow.workflow.account import Account

_WEIGHT = re.compile(r"(?i)(?:config_?)?(energy|forces?|stress|virials?)_?weight|config_?weight")
# other words for a weight: they cannot be honoured, since what they multiply is not known, or is an atom
_OTHER = re.compile(
    r"(?i)(?:sample_?|frame_?|loss_?|train(?:ing)?_?|fit_?|data_?)?weights?|"
    r"(?:energy|forces?|stress|virials?|force_atom|force_component|hessian)_?sigma|(?:forces?|atom(?:ic)?)_?weights?"
)


@dataclass(frozen=True)
class FrameWeights:
    """How a frame counts in a fit.

    Attributes
    ----------
    energy, force, stress
        Factors on the squared errors of its energy, forces and stress.
    """

    energy: float = 1.0
    force: float = 1.0
    stress: float = 1.0

    @property
    def nothing(self) -> bool:
        """Say whether nothing of the frame counts.

        Returns
        -------
        bool
            True where all three are zero.
        """
        return self.energy == self.force == self.stress == 0


def read_weights(atoms: Atoms) -> tuple[FrameWeights, list[tuple[str, str]]]:
    """Read the weights of a frame.

    Parameters
    ----------
    atoms
        With all that was written in ``info``.

    Returns
    -------
    weights : FrameWeights
        One where none is given.
    faults : list of tuple
        Key and what is wrong with it.
    """
    factors = {"energy": 1.0, "force": 1.0, "stress": 1.0}
    faults = []
    for key, value in atoms.info.items():
        match = _WEIGHT.fullmatch(str(key))
        if match is None:
            continue
        try:
            weight = one_number(value)
            if not (np.isfinite(weight) and weight >= 0):
                raise ValueError(f"is {weight:g}")
        except ValueError as error:
            faults.append((str(key), str(error)))
            continue
        kind = (match[1] or "").lower()
        own = {"e": ("energy",), "f": ("force",), "s": ("stress",), "v": ("stress",)}.get(kind[:1], tuple(factors))
        for name in own:
            factors[name] *= weight
    return FrameWeights(**factors), faults


def refuse_other_weights(images: Sequence[Atoms], account: Account) -> None:
    """Refuse weights that a fit would not honour, unless they are the same everywhere.

    Parameters
    ----------
    images
        Frames of a file with all that was written in ``info`` and ``arrays``.
    account
        Of the file.
    """
    found: dict[str, set[Any]] = {}
    having: dict[str, set[int]] = {}
    for number, atoms in enumerate(images):
        for store in (atoms.info, atoms.arrays):
            for key, value in store.items():
                if (
                    _OTHER.fullmatch(str(key))
                    and not _WEIGHT.fullmatch(str(key))
                    or (store is atoms.arrays and _WEIGHT.fullmatch(str(key)))
                ):
                    having.setdefault(str(key), set()).add(number)
                    try:
                        found.setdefault(str(key), set()).update(many_numbers(value).tolist())
                    except ValueError:
                        found.setdefault(str(key), set()).add(str(value))
    for key, values in found.items():
        if len(having[key]) < len(images):
            values.add(1.0)  # what says nothing counts as it is
        if len(values) > 1:
            account.refuse(
                f"{key} differs between frames or atoms, and cannot be honoured",
                "config_weight, energy_weight, forces_weight or stress_weight, one number a frame, or no such key",
                field=key,
            )
        else:
            account.note(f"{key} is {next(iter(values), 'empty')} everywhere, and is not used")
