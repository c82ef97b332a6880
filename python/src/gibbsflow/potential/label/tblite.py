"""Labels by tblite: GFN1- and GFN2-xTB, in this process; Γ point only: all periodic cells should be of one size."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.errors import InputError, MissingProgramError, Problem
from gibbsflow.potential.data.formats.alone import alone
from gibbsflow.potential.data.formats.electrons import Electrons, atomic_multiplicity
from gibbsflow.potential.data.labels import (
    BAD_STRUCTURE,
    UNCONVERGED,
    LabelResult,
    bad_structure,
    crash,
)
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.label.electronic_state import key_of
from gibbsflow.potential.label.hamiltonian import settings_keys
from gibbsflow.potential.label.recovery.corrections import Attempt, Case, Correction, Handler
from gibbsflow.potential.label.recovery.scf_outcome import Outcome
from gibbsflow.potential.label.recovery.scf_settings import ScfSettings
from gibbsflow.potential.label.recovery.supervision import Recovery

if TYPE_CHECKING:
    from ase import Atoms

_WHOLE = 0.05
_FERROMAGNETS = frozenset({"Fe", "Co", "Ni"})
_FIRST_HIDDEN, _LAST_HIDDEN = 58, 71
_ITERATIONS = (250, 500)
_DAMPING = 0.4


def _more_iterations(attempt: Attempt) -> Correction | None:
    """Not converged: as many iterations again, from scratch."""
    more = next((count for count in _ITERATIONS if count > attempt.scf.steps), None)
    return attempt.change(f"up to {more} iterations", steps=more) if more is not None else None


@cache
def _valence(number: int, method: str) -> int:
    """Electrons that the method computes of a neutral atom; all of them where it cannot say."""
    from tblite.exceptions import TBLiteRuntimeError
    from tblite.interface import Calculator

    try:
        atom = Calculator(method, np.array([number]), np.zeros((1, 3)))
        atom.set("verbosity", 0)
        return round(float(np.sum(atom.singlepoint().get("orbital-occupations"))))
    except TBLiteRuntimeError:
        return number


HANDLERS = (Handler("more_steps", frozenset({"UNCONVERGED"}), len(_ITERATIONS) - 1, _more_iterations),)
"""What mends a run of tblite; none of it changes the physics."""


class Tblite:
    """Labels by tblite.

    Parameters
    ----------
    elements
        All elements of the data set; the method has parameters for those up to radon.
    dft, labels
        Settings.

    Raises
    ------
    MissingProgramError
        Where the package is not installed.
    InputError
        Where the settings name moments by element, of which it knows nothing.
    """

    name = "tblite"
    periodic = False
    in_process = True

    def __init__(self, elements: Sequence[str], dft: Dft, labels: Labels) -> None:
        if importlib.util.find_spec("tblite") is None:
            raise MissingProgramError("package 'tblite' is not installed")
        if any(dft.moments_ub.values()):
            right = "multiplicity, or initial_magmoms, of each structure; or another engine"
            raise InputError(Problem("dft", "tblite takes no moments by element", right, field="moments_ub"))
        self.elements, self.dft, self.labels = tuple(elements), dft, labels
        self.settings_hash = settings_keys.tblite(elements, dft)

    def describe(self) -> dict[str, str]:
        """Say version and method, and what it leaves out.

        Returns
        -------
        dict
            `program`, `version`, `settings_hash`, `method`.
        """
        return {
            "program": "tblite",
            "version": importlib.metadata.version("tblite"),
            "settings_hash": self.settings_hash,
            "method": f"{self.dft.tblite_method}, Γ point only: keep all periodic cells of one size",
        }

    def electrons(self, atoms: Atoms) -> Electrons:
        """Say with which charge and spin a structure would be computed.

        Parameters
        ----------
        atoms
            The structure.

        Returns
        -------
        Electrons
            The structure's charge and multiplicity, the latter also as the sum of its `initial_magmoms`; of an isolated
            atom its ground state's; no moments, since both spins share their orbitals.

        Raises
        ------
        ValueError
            For moments of both signs, or whose sum is not whole or does not fit the number of electrons, and for a
            charge of all valence electrons; in words.
        """
        said = Electrons.of(atoms)
        moments = said.moments_ub or ()
        if min(moments, default=0) < 0 < max(moments, default=0):
            raise ValueError("moments of both signs, and tblite computes both spins in the same orbitals")
        if said.polarised and self.dft.magnetism == "none":
            raise ValueError("it has a spin, and dft.magnetism is none")
        multiplicity = said.multiplicity
        if multiplicity is None and any(moments):
            if abs((total := abs(sum(moments))) - round(total)) > _WHOLE:
                raise ValueError(f"moments of {total:g} μB together, and tblite takes whole ones")
            multiplicity = round(total) + 1
        # of lanthanides it has three valence electrons, whose ground states are not those of the table
        hidden = bool(np.any((atoms.numbers >= _FIRST_HIDDEN) & (atoms.numbers <= _LAST_HIDDEN)))
        if multiplicity is None and alone(atoms) and self.dft.magnetism != "none" and not hidden:
            multiplicity = atomic_multiplicity(atoms)
        found = Electrons(said.charge, multiplicity)
        if not hidden:
            found.require_parity(int(atoms.numbers.sum()))
        if found.charge > 0:
            # without them, tblite gives the energy of what is left, or writes where it must not
            valence = sum(_valence(number, self.dft.tblite_method) for number in atoms.numbers.tolist())
            if found.charge >= valence:
                raise ValueError(f"charge {found.charge:+d}, with {valence} valence electrons")
        return found

    def key(self, atoms: Atoms) -> str:
        """Say what a label depends on that neither the settings' hash nor the structure's id holds.

        Parameters
        ----------
        atoms
            The structure.

        Returns
        -------
        str
            Hexadecimal digits; empty for a neutral structure without spin, unless it holds Fe, Co or Ni.
        """
        try:
            # up to version 0.1, crystals of these elements came with moments from ASE, which went into a label unsaid
            moments_before = not _FERROMAGNETS.isdisjoint(atoms.get_chemical_symbols())
            return key_of(self.electrons(atoms), changed=moments_before)
        except ValueError:
            return ""

    def label(self, atoms: Atoms, folder: Path | None = None) -> LabelResult:  # noqa: ARG002 - nothing to keep
        """Label one structure; a second try has more iterations.

        Parameters
        ----------
        atoms
            The structure; it stays as it is.
        folder
            Not used: there are no files to keep.

        Returns
        -------
        LabelResult
            The label, or the failure with its cause.
        """
        from ase.calculators.calculator import CalculationFailed, CalculatorError
        from tblite.ase import TBLite
        from tblite.exceptions import TBLiteRuntimeError, TBLiteTypeError, TBLiteValueError

        start = time.monotonic()
        program = f"tblite {importlib.metadata.version('tblite')}"
        result = LabelResult(
            structure_id(atoms), "failed", settings_hash=self.settings_hash, engine=self.name, program=program
        )
        if fault := bad_structure(atoms, self.labels.closest_ratio):
            return result.failed(BAD_STRUCTURE, fault)
        if atoms.pbc.any() and not atoms.pbc.all():
            return result.failed(BAD_STRUCTURE, "periodic in some directions only, which tblite cannot do")
        try:
            electrons = self.electrons(atoms)
        except ValueError as error:
            return result.failed(BAD_STRUCTURE, str(error))
        result = replace(result, charge_e=electrons.charge)
        scf = ScfSettings(_ITERATIONS[0], _DAMPING)
        recovery = Recovery(Case(scf), self.labels.corrections_max, HANDLERS)
        while True:
            copy = atoms.copy()
            copy.set_constraint()
            copy.calc = TBLite(
                method=self.dft.tblite_method, accuracy=settings_keys.TBLITE_ACCURACY, max_iterations=scf.steps,
                verbosity=0, charge=electrons.charge, multiplicity=electrons.multiplicity,
            )  # fmt: skip
            trail = list(recovery.audit)
            result = replace(result, attempts=len(trail) + 1, corrections=recovery.corrections, audit=trail)
            try:
                energy = copy.get_potential_energy()
                forces = copy.get_forces()
                stress = copy.get_stress() if atoms.pbc.all() else None
            except (CalculationFailed, TBLiteRuntimeError) as error:
                converged = "not converged" not in str(error)
                result = result.failed(crash("tblite") if converged else UNCONVERGED, str(error))
                outcome = Outcome("CRASH" if converged else "UNCONVERGED", str(error), None)
                following = recovery.next(scf, outcome)
                if following is None:
                    result = replace(result, error=outcome.error, end=recovery.end)
                    break
                scf = following
                continue
            except (CalculatorError, TBLiteTypeError, TBLiteValueError, ValueError) as error:
                result = result.failed(BAD_STRUCTURE, str(error))
                break
            result = replace(
                result, status="labelled", cause="", message="", energy_ev=float(energy),
                forces_ev_per_angstrom=np.asarray(forces).tolist(),
                stress_ev_per_angstrom3=None if stress is None else np.asarray(stress).tolist(),
                total_moment_ub=(electrons.multiplicity or 1) - 1.0 if electrons.polarised else None,
            )  # fmt: skip
            break
        return replace(result, wall_s=round(time.monotonic() - start, 3))
