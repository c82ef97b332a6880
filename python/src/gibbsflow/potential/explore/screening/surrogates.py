"""Cheap models of energies and forces: tblite, classical potentials, potentials that were trained, a foundation model.

Another one is a class that follows `SurrogateModel` and its row in `SURROGATES`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import wait
from pathlib import Path
from typing import Protocol

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.config.potential_training import Surrogate
from gibbsflow.engines.foundation.calculator import FoundationCalculator
from gibbsflow.engines.foundation.elements import refuse_unknown
from gibbsflow.engines.lammps import Lammps, LammpsError
from gibbsflow.engines.lammps_frame import to_frame
from gibbsflow.errors import EngineError, InputError, MissingProgramError, Problem
from gibbsflow.potential.explore.calculator import PotentialCalculator, read_potential
from gibbsflow.potential.explore.screening.potential_files import require_elements
from gibbsflow.potential.label.own_process import OwnProcess
from gibbsflow.potential.label.tblite import Tblite
from gibbsflow.units import Floats
from gibbsflow.workflow.files import inputs_hash

_POTENTIAL = "surrogate.potential"
_REACH_ANGSTROM = 12.0
"""No classical potential that is taken reaches further; images of molecules are kept out of it."""
_POLL_S = 0.3
Check = Callable[[], None]
"""Raises where a wait should end."""


class SurrogateModel(Protocol):
    """What gives energies and forces of a structure at little cost.

    Attributes
    ----------
    name
        In words, for records.
    identity
        Hash of all that changes its figures.
    """

    name: str
    identity: str

    def evaluate(self, atoms: Atoms) -> tuple[float, Floats]:
        """Compute one structure.

        Parameters
        ----------
        atoms
            The structure; it stays as it is.

        Returns
        -------
        energy : float
            In eV.
        forces : ndarray
            In eV/Å, shape (n, 3).

        Raises
        ------
        EngineError
            Where the model fails on this structure.
        """

    def close(self) -> None:
        """End what was started for it."""


class _OfTblite:
    def __init__(self, settings: Surrogate, elements: Sequence[str], potential: Path | None, check: Check) -> None:
        del potential
        self._check, self._own = check, OwnProcess()
        self._engine = Tblite(elements, Dft(engine="tblite", tblite_method=settings.tblite_method), Labels())
        self.name, self.identity = f"tblite {settings.tblite_method}", self._engine.settings_hash

    def evaluate(self, atoms: Atoms) -> tuple[float, Floats]:
        future = self._own.submit(self._engine.label, atoms)
        while not wait([future], _POLL_S).done:
            self._check()
        if (died := self._own.died(future)) is not None:
            raise EngineError(died)
        made = future.result()
        if made.energy_ev is None:
            raise EngineError(f"{made.cause}: {made.message}")
        return made.energy_ev, np.array(made.forces_ev_per_angstrom)

    def close(self) -> None:
        self._own.close()


class _Classical:
    def __init__(self, settings: Surrogate, elements: Sequence[str], potential: Path | None, check: Check) -> None:
        del potential
        self._check = check
        style, path = str(settings.pair_style), Path(settings.pair_file or "")
        require_elements(path, style, elements)
        self._species, self._scratch = tuple(sorted(elements)), tempfile.TemporaryDirectory(prefix="gibbsflow-screen-")
        self.name = f"pair_style {style}, {path.name}"
        self.identity = inputs_hash(files={"file": path}, settings={"style": style}, physics=1)
        folder = Path(self._scratch.name)
        # under a plain name: LAMMPS splits lines at blanks
        (folder / "surrogate.potential").write_bytes(path.read_bytes())
        self._pair = [f"pair_style {style}", f"pair_coeff * * surrogate.potential {' '.join(self._species)}"]
        self._lammps: Lammps | None = None
        apart = [[4.0 * number, 0.0, 0.0] for number in range(len(self._species))]
        try:
            self.evaluate(Atoms(self._species, positions=apart))
        except MissingProgramError:
            self.close()
            raise
        except EngineError as error:
            self.close()
            right = f"a file of pair_style {style} that knows {', '.join(self._species)}"
            raise InputError(
                Problem(str(path), str(error).partition("): ")[2] or str(error), right, field="surrogate.pair_file")
            ) from error

    def evaluate(self, atoms: Atoms) -> tuple[float, Floats]:
        if self._lammps is None:
            self._lammps = Lammps(Path(self._scratch.name), check=self._check)
        frame = to_frame(atoms, self._species, _REACH_ANGSTROM)
        commands = [*self._lammps.load(frame), *self._pair, "run 0 post no"]
        try:
            found = self._lammps.run(commands, ["thermo:pe", "forces"])
        except EngineError as error:
            if not isinstance(error, LammpsError):
                self._end()
            raise
        energy, forces = float(found["thermo:pe"]), found["forces"] @ frame.rotation.T
        if not (np.isfinite(energy) and np.isfinite(forces).all()):
            raise EngineError("energy or forces are not finite")
        return energy, forces

    def _end(self) -> None:
        if self._lammps is not None:
            self._lammps.close()
            self._lammps = None

    def close(self) -> None:
        self._end()
        self._scratch.cleanup()


def _by(calculator: Calculator, atoms: Atoms) -> tuple[float, Floats]:
    """Ask a calculator for energy and forces, also on atoms that a constraint holds."""
    copy = atoms.copy()
    copy.set_constraint()
    copy.calc = calculator
    return float(copy.get_potential_energy()), np.array(copy.get_forces())


class _Trained:
    name = "trained potential"

    def __init__(self, settings: Surrogate, elements: Sequence[str], potential: Path | None, check: Check) -> None:
        path = potential or settings.potential
        if path is None:
            right = "its folder as `train fit` wrote it: surrogate.potential, or --potential"
            raise InputError(Problem(f"surrogate {settings.model}", "no potential given", right, field=_POTENTIAL))
        if not path.is_dir():
            right = "a folder as `train fit` wrote it: DIR/potential"
            raise InputError(Problem(str(path), "no such folder", right, field=_POTENTIAL))
        known = read_potential(path).species
        if alien := sorted(set(elements) - set(known)):
            what, right = f"knows {', '.join(known)} and not {', '.join(alien)}", "one trained to all elements"
            raise InputError(Problem(str(path), what, right, field=_POTENTIAL))
        self._calculator = PotentialCalculator(path, check=check)
        self.identity = inputs_hash(files={"potential": path}, settings={}, physics=1)

    def evaluate(self, atoms: Atoms) -> tuple[float, Floats]:
        try:
            energy, forces = _by(self._calculator, atoms)
        except EngineError:
            self._calculator.close()
            raise
        if not (np.isfinite(energy) and np.isfinite(forces).all()):
            raise EngineError("energy or forces are not finite")
        return energy, forces

    def close(self) -> None:
        self._calculator.close()


class _OfLastGeneration(_Trained):
    name = "potential of the generation before"


class _Foundation:
    def __init__(self, settings: Surrogate, elements: Sequence[str], potential: Path | None, check: Check) -> None:
        del potential
        refuse_unknown(elements, "surrogate")
        weights = settings.foundation_weights
        self._calculator = FoundationCalculator(weights, check=check)
        # started at once: where it cannot be, no structure is at fault
        content = {"weights": weights, "lock": self._calculator.living().environment.lock}
        self.name = f"CHGNet {weights}, untuned"
        self.identity = inputs_hash(files={}, settings=content, physics=1)

    def evaluate(self, atoms: Atoms) -> tuple[float, Floats]:
        return _by(self._calculator, atoms)

    def close(self) -> None:
        self._calculator.close()


Kind = Callable[[Surrogate, Sequence[str], Path | None, Check], SurrogateModel]
SURROGATES: Mapping[str, Kind] = {
    "tblite": _OfTblite,
    "classical": _Classical,
    "potential": _Trained,
    "last_generation": _OfLastGeneration,
    "foundation": _Foundation,
}
"""By name in section ``surrogate``: made of settings, all elements, the folder of a trained potential, and a check."""


def make_surrogate(
    settings: Surrogate, elements: Sequence[str], potential: Path | None = None, *, check: Check = lambda: None
) -> SurrogateModel:
    """Make the model that the settings name, checked.

    Parameters
    ----------
    settings
        Section ``surrogate``, with paths as they can be opened.
    elements
        All elements of the structures.
    potential
        Folder of a trained potential; default: that of the settings.
    check
        Called while a process computes; what it raises ends the wait. LAMMPS is waited for.

    Returns
    -------
    SurrogateModel
        To be closed by the caller.

    Raises
    ------
    InputError
        Where none is named, a file is missing or does not know an element, or no potential is given where one is asked
        for.
    MissingProgramError
        Where tblite or LAMMPS is not installed.
    """
    if settings.model not in SURROGATES:
        raise InputError(Problem("surrogate", "no model", " or ".join(SURROGATES), field="surrogate.model"))
    if potential is not None and settings.model not in ("potential", "last_generation"):
        raise InputError(Problem("--potential", f"has no effect with model {settings.model}", "model: potential"))
    if potential is not None and settings.potential is not None:
        what = f"{potential} and, by the settings, {settings.potential}"
        raise InputError(Problem("--potential", what, "one of them", field=_POTENTIAL))
    return SURROGATES[settings.model](settings, elements, potential, check)
