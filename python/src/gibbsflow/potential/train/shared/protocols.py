"""What is asked of a trainer, and of the potential that it makes, whatever is behind them.

A trainer is one entry of the table in :mod:`gibbsflow.potential.train.fit`. MD, selection, ASE's calculator and the
loop know these protocols and no trainer by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ase import Atoms

from gibbsflow.config.potential_training import Training
from gibbsflow.errors import ScienceError
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.units import Floats
from gibbsflow.workflow.state.segments import Stopper


@dataclass(frozen=True)
class Fit:
    """What a trainer gives back; the potential itself lies in its folder.

    Attributes
    ----------
    figures
        Figures of ``result.json``, with all that :func:`check_figures` asks for.
    parity
        By set (``train``, ``test``): ``energy`` and ``force``, each of shape (2, values), label and prediction, in
        eV an atom without reference energies and in eV/Å.
    test_grades
        Largest extrapolation grade of each test frame, shape (frames,); None where the trainer does not grade.
    stopped_by
        What ended the fit before its end, in words, where a signal did; then the potential is the best so far.
    atom_errors
        Grade and length of the force error in eV/Å of each test atom, shape (2, atoms); None as `test_grades`.
    """

    figures: dict[str, Any]
    parity: Mapping[str, Mapping[str, Floats]]
    test_grades: Floats | None = None
    stopped_by: str = ""
    atom_errors: Floats | None = None


_ERRORS = (
    "frames", "atoms", "energy_mae_mev_per_atom", "force_mae_ev_per_angstrom", "force_rmse_ev_per_angstrom",
    "stress_mae_gpa", "by_config_type",
)  # fmt: skip
_FIGURES = ("coefficients", "split", "references.energy_ev", "references.source")
_GRADES = ("grade.lower", "grade.upper", "grade.test_largest")


def check_figures(figures: Mapping[str, Any], *, graded: bool, where: str) -> None:
    """Check that a fit says all that the data-set card and the loop read of it.

    That is ``coefficients``, ``split``, ``references`` (``energy_ev`` by element, and their ``source``), and for
    ``train`` and ``test`` the errors as :func:`.summarise_errors` gives them; of a graded potential also ``grade`` with
    the calibrated ``lower`` and ``upper`` threshold and ``test_largest``, the largest grade of the test frames.

    Parameters
    ----------
    figures
        Figures of ``result.json``.
    graded
        Whether the potential has a grade.
    where
        What messages call their source.

    Raises
    ------
    ScienceError
        With the names of all that is missing.
    """
    wanted = [*_FIGURES, *(f"{name}.{error}" for name in ("train", "test") for error in _ERRORS)]
    missing = [path for path in (*wanted, *(_GRADES if graded else ())) if not _has(figures, path.split("."))]
    if missing:
        raise ScienceError(f"{where}: the fit does not say {', '.join(missing)}", what_to_do="Mend the trainer.")


def _has(figures: Any, path: Sequence[str]) -> bool:
    for key in path:
        if not isinstance(figures, Mapping) or key not in figures:
            return False
        figures = figures[key]
    return True


class Evaluator(Protocol):
    """A potential that runs, perhaps in a process of its own."""

    def predict(self, atoms: Atoms) -> Prediction:
        """Evaluate the potential.

        Parameters
        ----------
        atoms
            Structure of the potential's elements; any periodicity.

        Returns
        -------
        Prediction
            Energy in eV, forces in eV/Å, and stress in eV/Å^3 where all directions are periodic.

        Raises
        ------
        EngineError
            Where the program behind it fails.
        """

    def descriptors(self, atoms: Atoms, basis: Mapping[str, Any]) -> Floats:
        """Describe the environments of atoms.

        Parameters
        ----------
        atoms
            Structure of the potential's elements; any periodicity.
        basis
            Basis of the descriptors, as a grader of this potential holds it.

        Returns
        -------
        ndarray
            Shape (n, descriptors).

        Raises
        ------
        EngineError
            Where the program behind it fails.
        """

    def force_rows(self, atoms: Atoms, basis: Mapping[str, Any]) -> Floats:
        """Rows that forces have in a fit to coefficients of a basis.

        Parameters
        ----------
        atoms
            Structure of the potential's elements; any periodicity.
        basis
            Basis of the descriptors, as a grader of this potential holds it.

        Returns
        -------
        ndarray
            Minus the derivatives of the summed descriptors with the positions, 1/Å, shape (3n, columns).

        Raises
        ------
        EngineError
            Where the program behind it fails.
        """

    def close(self) -> None:
        """End what was started for it."""


class Potential(Protocol):
    """A fitted potential: how it is written, run by LAMMPS in MD, and evaluated. Its grade lies beside it."""

    @property
    def species(self) -> tuple[str, ...]:
        """Chemical symbols in the order of LAMMPS' types.

        Returns
        -------
        tuple of str
            All that the potential knows.
        """

    @property
    def cutoff_angstrom(self) -> float:
        """Longest distance at which atoms feel each other.

        Returns
        -------
        float
            In Å.
        """

    @property
    def lammps_style(self) -> str:
        """Pair style that LAMMPS must have been built with.

        Returns
        -------
        str
            As :meth:`.Lammps.require` takes it.
        """

    def pair_commands(self, folder: Path) -> list[str]:
        """Pair style and coefficients for LAMMPS.

        Parameters
        ----------
        folder
            Working directory of LAMMPS; gets what the commands name.

        Returns
        -------
        list of str
            Commands, to follow those that load the atoms.
        """

    def descriptor_commands(self, compute: str, basis: Mapping[str, Any], folder: Path) -> list[str]:
        """Commands that make LAMMPS compute the descriptors that the grade is about.

        Parameters
        ----------
        compute
            Name of the compute, whose per-atom array has shape (n, descriptors).
        basis
            Basis of the descriptors, as a grader of this potential holds it.
        folder
            Working directory of LAMMPS; gets the files that the commands name.

        Returns
        -------
        list of str
            Commands, to follow :meth:`pair_commands`.
        """

    def start(self, check: Callable[[], None] = lambda: None) -> Evaluator:
        """Start what evaluates the potential.

        Parameters
        ----------
        check
            Called every second while it works; what it raises ends the wait.

        Returns
        -------
        Evaluator
            To be closed by the caller.

        Raises
        ------
        MissingProgramError
            Where the program behind it is not installed.
        """

    def write(self, folder: Path) -> Potential:
        """Write a folder from which ``load_potential`` makes the same potential again.

        Parameters
        ----------
        folder
            Made where it is not there.

        Returns
        -------
        Potential
            The potential as it lies there.
        """


class Trainer(Protocol):
    """A way to make a potential from labelled frames."""

    @property
    def physics(self) -> int:
        """Number that is raised by hand when the same inputs give another potential.

        Returns
        -------
        int
            Part of the hash of a fit's inputs.
        """

    @property
    def lammps_style(self) -> str:
        """Pair style of its potentials, which LAMMPS must have been built with to run them.

        Returns
        -------
        str
            As :meth:`.Lammps.require` takes it.
        """

    @property
    def keeps_time(self) -> bool:
        """Whether it keeps to the time budget of a fit.

        Returns
        -------
        bool
            Where it is false, nothing is known of the time that a fit has left.
        """

    @property
    def graded(self) -> bool:
        """Whether its potentials have a grade (``active_set.npz``), without which nothing explores or selects.

        Returns
        -------
        bool
            Where it is false, the trainer is not for the loop.
        """

    def fit(
        self, inputs: Inputs, settings: Training, *, seed: int, stopper: Stopper, budget_s: float, out: Path,
        kept: Path | None = None,
    ) -> Fit:  # fmt: skip
        """Fit, evaluate and write a potential.

        Parameters
        ----------
        inputs
            Training and test frames.
        settings
            Section ``training``.
        seed
            Of the validation split.
        stopper
            Its clock started with the command; a signal ends the search, and the best potential so far is finished.
        budget_s
            Wall-clock seconds for all; they shape the search and end nothing.
        out
            Gets ``potential/``.
        kept
            Folder for what a run that goes on after this one was killed need not do again, or None.

        Returns
        -------
        Fit
            Figures, and what is drawn of them.

        Raises
        ------
        MissingProgramError
            Where the program behind it is not installed.
        ScienceError
            Where the potential does not give what was fitted.
        StoppedEarly
            After a signal before there was any potential.
        """

    def read(self, folder: Path) -> Potential:
        """Read what :meth:`fit` has written.

        Parameters
        ----------
        folder
            Folder of the potential.

        Returns
        -------
        Potential
            As written.

        Raises
        ------
        StateError
            Where it is missing, not readable, or of a kind that cannot be run.
        """
