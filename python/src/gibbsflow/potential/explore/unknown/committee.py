"""A committee at work: its members' forces on the atoms of a structure, and how far they disagree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.engines.lammps import CRASHES, blown_up
from gibbsflow.errors import EngineError, InputError, Problem
from gibbsflow.potential.train.fit import load_potential
from gibbsflow.potential.train.shared.protocols import Evaluator, Potential
from gibbsflow.potential.train.uncertainty.committee_spread import COMMITTEE, CommitteeScale, force_spread
from gibbsflow.units import Floats

if TYPE_CHECKING:
    from ase import Atoms


class Committee:
    """Members of a committee; a context that ends their processes.

    Parameters
    ----------
    scale
        What makes an expected error of their spread.
    members
        As they lie in their folders.
    """

    def __init__(self, scale: CommitteeScale, members: Sequence[Potential]) -> None:
        self.scale, self.members = scale, members
        self._running: list[Evaluator] = []

    @classmethod
    def read(cls, folder: Path) -> Committee:
        """Read the committee of a potential.

        Parameters
        ----------
        folder
            The potential's.

        Returns
        -------
        Committee
            Not yet started.

        Raises
        ------
        InputError
            Where it has none.
        StateError
            Where a member is not readable.
        """
        scale = CommitteeScale.read(folder)
        if scale is None:
            right = "a potential fitted with training: {committee: true}, to frames of two groups or more"
            raise InputError(Problem(str(folder), "has no committee", right))
        return cls(scale, [load_potential(Path(folder) / COMMITTEE / str(k)) for k in range(scale.members)])

    def spreads(self, atoms: Atoms) -> Floats:
        """Expect the force error of each atom by how far the members disagree.

        Parameters
        ----------
        atoms
            Structure of the potential's elements; any periodicity.

        Returns
        -------
        ndarray
            Scaled spread in eV/Å, shape (n,); infinite where a member fails on the structure.

        Raises
        ------
        EngineError
            Where LAMMPS fails for another reason than the structure.
        """
        if not self._running:
            self._running = [member.start() for member in self.members]
        try:
            forces = [member.predict(atoms).forces_ev_per_angstrom for member in self._running]
        except EngineError as error:
            self.close()
            if not blown_up(error) and error.code not in CRASHES:
                raise
            return np.full(len(atoms), np.inf)
        spread = self.scale.expected(force_spread(forces), atoms.get_chemical_symbols())
        return np.where(np.isfinite(spread), spread, np.inf)

    def close(self) -> None:
        """End the members' processes; the next call starts them again."""
        for member in self._running:
            member.close()
        self._running = []

    def __enter__(self) -> Committee:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
