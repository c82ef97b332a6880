"""What every trainer is given: checked frames, and the machine's share of processes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.config.potential_training import Training
from gibbsflow.potential.data.labelled_frames import LabelledFrame, check_pair, read_labelled

POTENTIAL = "potential"
"""Folder of the potential beside a fit's ``result.json``."""


@dataclass(frozen=True)
class Inputs:
    """Checked frames of one fit.

    Attributes
    ----------
    train, test
        Labelled frames.
    """

    train: list[LabelledFrame]
    test: list[LabelledFrame]

    @classmethod
    def read(cls, train: Path, test: Path) -> Inputs:
        """Read and check both files.

        Parameters
        ----------
        train
            Labelled frames to fit to: extended XYZ in eV, eV/Å and eV/Å^3.
        test
            Labelled frames that are only predicted.

        Returns
        -------
        Inputs
            Without the training frames that the test set has too.

        Raises
        ------
        InputError
            With all problems of a file at once.
        """
        frames, apart = read_labelled(train), read_labelled(test)
        return cls(check_pair(frames, apart, where=str(test)), apart)

    @property
    def species(self) -> tuple[str, ...]:
        """Elements of the training set, alphabetically.

        Returns
        -------
        tuple of str
            Chemical symbols.
        """
        return tuple(sorted({s for frame in self.train for s in frame.atoms.get_chemical_symbols()}))


def processes(settings: Training) -> int:
    """Count the processes to run side by side.

    Parameters
    ----------
    settings
        Section ``training``.

    Returns
    -------
    int
        As set, or one for each core that this process may use.
    """
    return settings.processes or len(os.sched_getaffinity(0))
