"""ASE calculator of a fitted potential."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.potential.train.fit import load_potential
from gibbsflow.potential.train.shared.grade import ACTIVE_SET, Grader
from gibbsflow.potential.train.shared.protocols import Evaluator, Potential


def read_potential(folder: Path) -> Potential:
    """Read a potential from a folder that a user names.

    Parameters
    ----------
    folder
        Folder that ``train fit`` wrote (``DIR/potential``).

    Returns
    -------
    Potential
        As its trainer reads it.

    Raises
    ------
    InputError
        Where there is none, or a damaged one.
    """
    try:
        return load_potential(folder)
    except StateError as error:
        raise InputError(f"{error} (right: a folder as `train fit` wrote it: DIR/potential)") from error


def read_graded(folder: Path) -> tuple[Potential, Grader]:
    """Read a potential and its grade from a folder that a user names.

    Parameters
    ----------
    folder
        Folder that ``train fit`` wrote (``DIR/potential``).

    Returns
    -------
    potential : Potential
        As its trainer reads it.
    grader : Grader
        Its grade.

    Raises
    ------
    InputError
        Where there is no potential with a grade, or a damaged one.
    """
    potential = read_potential(folder)
    if not potential.lammps_style and not (Path(folder) / ACTIVE_SET).exists():
        what = "has no grade: nothing would tell where MD and selection leave what it was trained on"
        raise InputError(Problem(str(folder), what, "a potential of `train fit --backend pod`", field=ACTIVE_SET))
    try:
        return potential, Grader.read(folder / ACTIVE_SET)
    except StateError as error:
        raise InputError(f"{error} (right: a folder as `train fit` wrote it: DIR/potential)") from error


class PotentialCalculator(Calculator):  # type: ignore[misc]  # ASE has no types
    """Energy (eV), forces (eV/Å), stress (eV/Å^3) and extrapolation grade of a potential's folder.

    What evaluates the potential, such as a LAMMPS process, is started when it is needed and ends with the calculator.

    Parameters
    ----------
    folder
        Folder that ``train fit`` wrote (``DIR/potential``).
    check
        Called every second while what evaluates works; what it raises ends the wait.
    **keywords
        As of any calculator of ASE.

    Raises
    ------
    StateError
        Where the folder holds no potential that can be run.

    Examples
    --------
    >>> atoms.calc = PotentialCalculator("fit/potential")  # doctest: +SKIP
    >>> atoms.get_potential_energy(), atoms.calc.grades(atoms).max()  # doctest: +SKIP
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]

    def __init__(self, folder: Path | str, *, check: Callable[[], None] = lambda: None, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._stop = check
        self.folder = Path(folder)
        self.potential = load_potential(self.folder)
        self.grader = Grader.read(self.folder / ACTIVE_SET) if (self.folder / ACTIVE_SET).exists() else None
        self._evaluator: Evaluator | None = None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Evaluate; see ASE.

        Parameters
        ----------
        atoms
            Structure; any periodicity.
        properties
            Not looked at: all are computed together.
        system_changes
            What has changed since the last call.

        Raises
        ------
        InputError
            For an element that the potential was not trained on.
        EngineError
            Where the program behind it fails.
        """
        super().calculate(atoms, properties, system_changes)
        self._check(self.atoms)
        values = self._running().predict(self.atoms)
        self.results = {
            "energy": values.energy_ev, "free_energy": values.energy_ev, "forces": values.forces_ev_per_angstrom,
        }  # fmt: skip
        if values.stress_ev_per_angstrom3 is not None:
            self.results["stress"] = values.stress_ev_per_angstrom3

    def grades(self, atoms: Atoms) -> npt.NDArray[np.float64]:
        """Extrapolation grade of each atom.

        Parameters
        ----------
        atoms
            Structure; any periodicity.

        Returns
        -------
        ndarray
            γ, shape (n,): up to 1 inside of what was trained on, more outside.

        Raises
        ------
        InputError
            Where the folder has no active set, or for an element that the potential was not trained on.
        """
        return self.describe(atoms)[1]

    def describe(self, atoms: Atoms) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Descriptors of each atom in the grade's basis, and their grades.

        Parameters
        ----------
        atoms
            Structure; any periodicity.

        Returns
        -------
        descriptors : ndarray
            Shape (n, d).
        grades : ndarray
            Shape (n,).

        Raises
        ------
        InputError
            Where the folder has no active set, or for an element that the potential was not trained on.
        """
        grader = self._graded()
        self._check(atoms)
        descriptors = self._running().descriptors(atoms, grader.basis)
        return descriptors, grader.grades(atoms.get_chemical_symbols(), descriptors)

    def force_rows(self, atoms: Atoms) -> npt.NDArray[np.float64]:
        """Rows that forces have in a fit to coefficients of the grade's basis.

        Parameters
        ----------
        atoms
            Structure; any periodicity.

        Returns
        -------
        ndarray
            1/Å, shape (3n, columns).

        Raises
        ------
        InputError
            Where the folder has no active set, or for an element that the potential was not trained on.
        """
        grader = self._graded()
        self._check(atoms)
        return self._running().force_rows(atoms, grader.basis)

    def close(self) -> None:
        """End what evaluates; the next evaluation starts it again."""
        if self._evaluator is not None:
            self._evaluator.close()
            self._evaluator = None

    def _graded(self) -> Grader:
        if self.grader is None:
            raise InputError(Problem(str(self.folder), "has no active set", f"a folder with {ACTIVE_SET}"))
        return self.grader

    def _check(self, atoms: Atoms) -> None:
        alien = sorted(set(atoms.get_chemical_symbols()) - set(self.potential.species))
        if alien:
            known = ", ".join(self.potential.species)
            raise InputError(Problem(str(self.folder), f"does not know {', '.join(alien)}", f"only {known}"))

    def _running(self) -> Evaluator:
        if self._evaluator is None:
            self._evaluator = self.potential.start(self._stop)
        return self._evaluator


PodCalculator = PotentialCalculator
"""The calculator by the name that it had when there was one trainer."""
