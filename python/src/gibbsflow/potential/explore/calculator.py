"""ASE calculator of a fitted POD potential."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from gibbsflow.engines.lammps import Lammps
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.train.evaluation import evaluate
from gibbsflow.potential.train.grade import ACTIVE_SET, Grader
from gibbsflow.potential.train.trainers.pod import PodPotential, local_descriptors


class PodCalculator(Calculator):  # type: ignore[misc]  # ASE has no types
    """Energy (eV), forces (eV/Å), stress (eV/Å^3) and extrapolation grade of a potential's folder.

    LAMMPS runs in a process of its own, which ends with the calculator.

    Parameters
    ----------
    folder
        Folder that ``train fit`` wrote (``DIR/potential``).

    Examples
    --------
    >>> atoms.calc = PodCalculator("fit/potential")  # doctest: +SKIP
    >>> atoms.get_potential_energy(), atoms.calc.grades(atoms).max()  # doctest: +SKIP
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]

    def __init__(self, folder: Path | str, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.folder = Path(folder)
        self.potential = PodPotential.read(self.folder)
        self.grader = Grader.read(self.folder / ACTIVE_SET) if (self.folder / ACTIVE_SET).exists() else None
        self._lammps: Lammps | None = None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Evaluate; see ASE.

        Raises
        ------
        InputError
            For an element that the potential was not trained on.
        """
        super().calculate(atoms, properties, system_changes)
        self._check(self.atoms)
        values = evaluate(self._process(), self.potential, self.atoms, self.folder)
        self.results = {
            "energy": values.energy_ev, "free_energy": values.energy_ev, "forces": values.forces_ev_per_angstrom,
        }  # fmt: skip
        if values.stress_ev_per_angstrom3 is not None:
            self.results["stress"] = values.stress_ev_per_angstrom3

    def grades(self, atoms: Atoms) -> npt.NDArray[np.float64]:
        """Extrapolation grade of each atom, shape (n,)."""
        return self.describe(atoms)[1]

    def describe(self, atoms: Atoms) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Descriptors of each atom in the grade's basis, shape (n, d), and their grades, shape (n,).

        Raises
        ------
        InputError
            Where the folder has no active set.
        """
        if self.grader is None:
            raise InputError(Problem(str(self.folder), "has no active set", f"a folder with {ACTIVE_SET}"))
        self._check(atoms)
        descriptors = local_descriptors(self._process(), atoms, self.grader.basis)
        return descriptors, self.grader.grades(atoms.get_chemical_symbols(), descriptors)

    def close(self) -> None:
        """End the LAMMPS process; the next evaluation starts another."""
        if self._lammps is not None:
            self._end()
            self._lammps = None

    def _check(self, atoms: Atoms) -> None:
        alien = sorted(set(atoms.get_chemical_symbols()) - set(self.potential.species))
        if alien:
            known = ", ".join(self.potential.species)
            raise InputError(Problem(str(self.folder), f"does not know {', '.join(alien)}", f"only {known}"))

    def _process(self) -> Lammps:
        if self._lammps is None:
            scratch = tempfile.TemporaryDirectory(prefix="gibbsflow-pod-")
            self._lammps = Lammps(Path(scratch.name))
            self._lammps.require("pod")
            self._end = weakref.finalize(self, _finish, self._lammps, scratch)
        return self._lammps


def _finish(lammps: Lammps, scratch: tempfile.TemporaryDirectory[str]) -> None:
    lammps.close()
    scratch.cleanup()
