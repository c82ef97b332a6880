"""ASE calculator of the foundation model as it is in its wheel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from gibbsflow.config.potential_training import DEFAULT_WEIGHTS
from gibbsflow.engines.foundation.session import Model


class FoundationCalculator(Calculator):  # type: ignore[misc]  # ASE has no types
    """Energy (eV, by the reference data of the weights), forces (eV/Å) and stress (eV/Å^3) by untuned CHGNet.

    Its process is started when it is needed, serves any number of structures, and ends with the calculator.

    Parameters
    ----------
    weights
        ``0.3.0``, ``0.2.0`` or ``r2scan``.
    threads
        Of PyTorch.
    check
        Called every second while the process works; what it raises ends the wait.
    **keywords
        As of any calculator of ASE.

    Examples
    --------
    >>> atoms.calc = FoundationCalculator()  # doctest: +SKIP
    >>> atoms.get_forces()  # doctest: +SKIP
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]

    def __init__(
        self, weights: str = DEFAULT_WEIGHTS, *, threads: int = 1, check: Callable[[], None] = lambda: None,
        **keywords: Any,
    ) -> None:  # fmt: skip
        super().__init__(**keywords)
        self.weights, self.threads, self.check = weights, threads, check
        self._model: Model | None = None

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
            For elements that the model has not seen.
        MissingProgramError
            Where the environment is not installed.
        EngineError
            Where the process fails; the next call starts another.
        """
        super().calculate(atoms, properties, system_changes)
        energy, forces, stress = self.living().predict(self.atoms)
        self.results = {"energy": energy, "free_energy": energy, "forces": forces}
        if stress is not None:
            self.results["stress"] = stress

    def living(self) -> Model:
        """Give the process; it is started where there is none, or it has died.

        Returns
        -------
        Model
            Ready to be asked; it ends with the calculator.

        Raises
        ------
        MissingProgramError
            Where the environment is not installed.
        EngineError
            Where the process does not start.
        """
        if self._model is None or self._model.process.poll() is not None:
            self.close()
            self._model = Model(self.weights, threads=self.threads, check=self.check)
        return self._model

    def close(self) -> None:
        """End the process; the next evaluation starts it again."""
        if self._model is not None:
            self._model.close()
            self._model = None
