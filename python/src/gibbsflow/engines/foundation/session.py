"""One living process of the foundation model: started once, asked many times, every wait bounded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell

from gibbsflow.engines import messages
from gibbsflow.engines.foundation.elements import refuse_unknown
from gibbsflow.engines.foundation.environment import Environment, find_environment
from gibbsflow.engines.process import last_line, let_end
from gibbsflow.errors import EngineError
from gibbsflow.units import Floats

CUTOFF_ANGSTROM = 6.0
"""Of CHGNet's graph of atoms; features travel over as many bonds as there are layers."""
_APART_ANGSTROM = CUTOFF_ANGSTROM + 0.5
_START_S, _ANSWER_S = 300.0, 1800.0


class Session:
    """A process of the foundation model's program.

    Parameters
    ----------
    arguments
        Of the program, its verb first.
    folder
        Working directory, which gets the log; default: a temporary one.
    threads
        Of PyTorch.
    check
        Called every second while the process works; what it raises ends the wait.

    Raises
    ------
    MissingProgramError
        Where the environment is not installed.
    EngineError
        Where the process does not start.
    """

    def __init__(
        self, arguments: list[str], *, folder: Path | None = None, threads: int = 1,
        check: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.environment: Environment = find_environment()
        self.check = check
        self._scratch = tempfile.TemporaryDirectory(prefix="gibbsflow-foundation-") if folder is None else None
        folder = Path(self._scratch.name) if self._scratch is not None else cast(Path, folder)
        self.log = folder / "foundation.log"
        self._errors = open(self.log, "w")  # noqa: SIM115 - lives as long as the process
        self.process = self.environment.start(arguments, folder, self._errors, threads)
        try:
            self.versions: dict[str, str] = self.answer(_START_S)[0]["versions"]
        except BaseException:
            self.close()
            raise

    def post(self, header: dict[str, Any], arrays: dict[str, Any]) -> None:
        """Send a request.

        Parameters
        ----------
        header
            JSON-serialisable part.
        arrays
            Arrays by name.

        Raises
        ------
        EngineError
            Where the process has died.
        """
        try:
            messages.send(cast(BinaryIO, self.process.stdin), header, arrays)
        except OSError as error:
            raise self._gone() from error

    def answer(self, time_s: float = _ANSWER_S) -> tuple[dict[str, Any], dict[str, Any]]:
        """Wait for the next message.

        Parameters
        ----------
        time_s
            Wall-clock seconds after which the process is ended.

        Returns
        -------
        header : dict
            Its JSON part.
        arrays : dict
            Its arrays.

        Raises
        ------
        EngineError
            Where the process reports a failure, has died, or takes longer.
        """
        stream = cast(BinaryIO, self.process.stdout)
        if not messages.arrives(stream, time_s, self.check):
            self.process.kill()
            self.close()
            raise EngineError(f"the foundation model ran over its {time_s:.0f} s (log: {self.log})")
        message = messages.receive(stream)
        if message is None:
            raise self._gone()
        if "error" in message[0]:
            raise EngineError(f"the foundation model failed: {message[0]['error']}")
        return message

    def _gone(self) -> EngineError:
        code = self.process.wait(60)
        said = last_line(self.log.read_text(errors="replace")) if self.log.exists() else "no output"
        what = "out of memory, perhaps: " if code == -9 else ""
        return EngineError(f"the foundation model's process ended with code {code}: {what}{said}", code=code)

    @property
    def record(self) -> dict[str, str]:
        """Say what calculates.

        Returns
        -------
        dict
            Versions of its Python, CHGNet and PyTorch, and the hash of the lock; no paths.
        """
        return {**self.versions, "lock_sha256": self.environment.lock, "device": "cpu"}

    def close(self) -> None:
        """End the process; it ends by itself once its standard input is closed."""
        let_end(self.process)
        self._errors.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.process.kill()
        self.close()


class Model(Session):
    """The model as it is in CHGNet's wheel, or one that was tuned, ready to be asked.

    Parameters
    ----------
    weights
        Name of the weights, as in ``training.chgnet.weights``.
    tuned
        File of tuned parameters; default: the weights as they are.
    threads
        Of PyTorch.
    check
        Called every second while the process works; what it raises ends the wait.

    Raises
    ------
    MissingProgramError
        Where the environment is not installed.
    EngineError
        Where the process does not start, or the file does not hold such parameters.
    """

    def __init__(
        self, weights: str, tuned: Path | None = None, *, threads: int = 1, check: Callable[[], None] = lambda: None
    ) -> None:
        arguments = ["serve", weights, *([str(Path(tuned).resolve())] if tuned is not None else [])]
        super().__init__(arguments, threads=threads, check=check)

    def predict(self, atoms: Atoms, *, forces: bool = True) -> tuple[float, Floats, Floats | None]:
        """Evaluate a structure.

        Parameters
        ----------
        atoms
            Structure; any periodicity.
        forces
            Whether forces and stress are wanted; without them it is quicker.

        Returns
        -------
        energy : float
            In eV, on the scale of the model's own reference data.
        forces : ndarray
            In eV/Å, shape (n, 3); zero where they are not wanted.
        stress : ndarray or None
            In eV/Å^3, Voigt xx yy zz yz xz xy; None where not all directions are periodic, or not wanted.

        Raises
        ------
        InputError
            For elements that the model has not seen.
        EngineError
            Where the process fails, or its figures are not finite.
        """
        refuse_unknown(atoms.get_chemical_symbols(), str(atoms.symbols))
        structure = {"numbers": atoms.numbers, "positions": atoms.get_positions(), "cell": periodic_cell(atoms)}
        self.post({"forces": forces}, structure)
        _, got = self.answer()
        if not all(np.isfinite(values).all() for values in got.values()):
            raise EngineError(f"the foundation model's figures of {atoms.symbols} are not finite")
        stress = got["stress"] if forces and atoms.pbc.all() else None
        return float(got["energy"]), got.get("forces", np.zeros((len(atoms), 3))), stress


def periodic_cell(atoms: Atoms) -> Floats:
    """Give a structure a cell with three directions, whose added images are beyond the model's cutoff.

    Parameters
    ----------
    atoms
        Structure; any periodicity.

    Returns
    -------
    ndarray
        Cell in Å, shape (3, 3): periodic directions as they are, the others as long as the atoms reach, and 6.5 Å.
    """
    cell = np.array(atoms.cell)
    if atoms.pbc.all():
        return cell
    cell[~atoms.pbc] = 0.0
    cell = np.array(complete_cell(cell))
    for axis in np.flatnonzero(~atoms.pbc):
        cell[axis] *= np.ptp(atoms.get_positions() @ cell[axis]) + _APART_ANGSTROM
    return cell
