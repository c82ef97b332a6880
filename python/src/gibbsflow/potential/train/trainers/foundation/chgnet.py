"""A tuned foundation model: its folder, and its energies, forces and stresses by a process of its environment.

Energies are the network's and, an atom, the shift to our own DFT. An atom without a neighbour within the cutoff has the
labelled energy of the isolated atom, where there is one: at the cutoff the energy steps from one to the other.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from ase import Atoms

from gibbsflow.engines.foundation.session import CUTOFF_ANGSTROM, Model
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.potential.data.neighbours import pairs_within
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.units import Floats
from gibbsflow.workflow.files import read_json, sha256_file, write_json

log = logging.getLogger(__name__)
PARAMETERS = "potential.npz"
"""File of the tuned parameters: arrays by name, without anything that could run."""


@dataclass(frozen=True)
class ChgnetPotential:
    """A tuned model.

    Attributes
    ----------
    species
        Elements that it was tuned to, alphabetically; others are refused.
    weights
        Name of the weights that the fit began from.
    shift_ev
        Energy that is added for an atom of each element, eV.
    isolated_ev
        Labelled energies of isolated atoms, eV.
    meta
        JSON-serialisable remainder: how it was tuned, and in which environment.
    parameters
        File of its parameters.
    folder
        Where its files lie; None where it has not been written.
    threads
        Of PyTorch when it is started.
    """

    species: tuple[str, ...]
    weights: str
    shift_ev: Mapping[str, float]
    isolated_ev: Mapping[str, float]
    meta: Mapping[str, Any]
    parameters: Path
    folder: Path | None = None
    threads: int = 1

    @property
    def cutoff_angstrom(self) -> float:
        """Cutoff of the graph of atoms.

        Returns
        -------
        float
            In Å; through its layers an atom feels others four times as far away.
        """
        return CUTOFF_ANGSTROM

    @property
    def lammps_style(self) -> str:
        """Pair style that LAMMPS must have been built with.

        Returns
        -------
        str
            Empty: LAMMPS does not run it.
        """
        return ""

    def pair_commands(self, folder: Path) -> list[str]:
        """Refuse: LAMMPS does not run it.

        Parameters
        ----------
        folder
            Not looked at.

        Returns
        -------
        list of str
            Never.

        Raises
        ------
        InputError
            Always.
        """
        del folder
        self._refuse("LAMMPS has no pair style for it")

    def descriptor_commands(self, compute: str, basis: Mapping[str, Any], folder: Path) -> list[str]:
        """Refuse: it has no grade.

        Parameters
        ----------
        compute, basis, folder
            Not looked at.

        Returns
        -------
        list of str
            Never.

        Raises
        ------
        InputError
            Always.
        """
        del compute, basis, folder
        self._refuse("it has no descriptors of a grade")

    def _refuse(self, why: str) -> NoReturn:
        right = "PotentialCalculator of ASE, or a potential of `train fit --backend pod`"
        raise InputError(Problem(str(self.folder or self.parameters), f"a tuned foundation model: {why}", right))

    def start(self, check: Callable[[], None] = lambda: None) -> ChgnetEvaluator:
        """Start its process.

        Parameters
        ----------
        check
            Called every second while it works; what it raises ends the wait.

        Returns
        -------
        ChgnetEvaluator
            To be closed by the caller.

        Raises
        ------
        MissingProgramError
            Where the environment is not installed.
        """
        return ChgnetEvaluator(self, check)

    def write(self, folder: Path) -> ChgnetPotential:
        """Write a folder that ``PotentialCalculator`` can use.

        Parameters
        ----------
        folder
            Made where it is not there.

        Returns
        -------
        ChgnetPotential
            The potential as it lies there.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / PARAMETERS
        if self.parameters.resolve() != target.resolve():
            partial = target.with_suffix(".partial")
            shutil.copyfile(self.parameters, partial)
            partial.replace(target)
        content = {
            "backend": "chgnet", "species": list(self.species), "weights": self.weights, "shift_ev": self.shift_ev,
            "isolated_ev": self.isolated_ev, "parameters_sha256": sha256_file(target), "meta": self.meta,
        }  # fmt: skip
        write_json(folder / "potential.json", content)
        return replace(self, parameters=target, folder=folder)

    @classmethod
    def read(cls, folder: Path) -> ChgnetPotential:
        """Read what :meth:`write` wrote.

        Parameters
        ----------
        folder
            Folder of the potential.

        Returns
        -------
        ChgnetPotential
            To the last digit as it was.

        Raises
        ------
        StateError
            Where it is missing, not readable or altered.
        """
        folder = Path(folder)
        what_to_do = "Give a folder as `train fit` wrote it: DIR/potential."
        meta = read_json(folder / "potential.json")
        try:
            shift, isolated = ({str(s): float(e) for s, e in meta[key].items()} for key in ("shift_ev", "isolated_ev"))
            species = tuple(map(str, meta["species"]))
            if set(shift) != set(species) or not np.isfinite([*shift.values(), *isolated.values()]).all():
                raise ValueError("shift_ev is not one finite number an element")
            if sha256_file(folder / PARAMETERS) != meta["parameters_sha256"]:
                raise ValueError(f"{PARAMETERS} has been altered")
            weights, parameters = str(meta["weights"]), folder / PARAMETERS
            return cls(species, weights, shift, isolated, dict(meta["meta"]), parameters, folder)
        except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
            raise StateError(
                f"{folder}: not a potential written by gibbsflow ({error})", what_to_do=what_to_do
            ) from error


@dataclass
class ChgnetEvaluator:
    """A tuned model in a process of its environment.

    Attributes
    ----------
    potential
        The potential.
    check
        As :meth:`ChgnetPotential.start` takes it.
    model
        Its process.
    """

    potential: ChgnetPotential
    check: InitVar[Callable[[], None]]
    model: Model = field(init=False)
    _alone_ev: dict[str, float] = field(default_factory=dict)

    def __post_init__(self, check: Callable[[], None]) -> None:
        own = self.potential
        self.model = Model(own.weights, own.parameters, threads=own.threads, check=check)
        made_by = {key: value for key, value in own.meta.get("environment", {}).items() if key in ("chgnet", "torch")}
        if any(self.model.versions[key] != version for key, version in made_by.items()):
            log.warning("tuned by %s, and calculated by %s", made_by, self.model.versions)

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
            Where the process fails.
        """
        energy, forces, stress = self.model.predict(atoms)
        symbols = atoms.get_chemical_symbols()
        energy += sum(self.potential.shift_ev[symbol] for symbol in symbols)
        if self.potential.isolated_ev:
            met = np.unique(pairs_within(atoms, CUTOFF_ANGSTROM)[0])
            for k in set(range(len(atoms))) - set(met.tolist()):
                energy += self._to_label_ev(symbols[k])
        return Prediction(energy, forces, stress)

    def _to_label_ev(self, symbol: str) -> float:
        """Difference of the labelled isolated atom and the network's; 0 where there is no label."""
        if symbol not in self.potential.isolated_ev:
            return 0.0
        if symbol not in self._alone_ev:
            network_ev = self.model.predict(Atoms(symbol), forces=False)[0] + self.potential.shift_ev[symbol]
            self._alone_ev[symbol] = self.potential.isolated_ev[symbol] - network_ev
        return self._alone_ev[symbol]

    def descriptors(self, atoms: Atoms, basis: Mapping[str, Any]) -> Floats:
        """Refuse: it has no grade.

        Parameters
        ----------
        atoms, basis
            Not looked at.

        Returns
        -------
        ndarray
            Never.

        Raises
        ------
        InputError
            Always.
        """
        del atoms, basis
        self.potential._refuse("it has no descriptors of a grade")

    def force_rows(self, atoms: Atoms, basis: Mapping[str, Any]) -> Floats:
        """Refuse: it is fitted to no coefficients of a basis.

        Parameters
        ----------
        atoms, basis
            Not looked at.

        Returns
        -------
        ndarray
            Never.

        Raises
        ------
        InputError
            Always.
        """
        del atoms, basis
        self.potential._refuse("it is not linear in its parameters: forces have no rows of a fit")

    def close(self) -> None:
        """End the process."""
        self.model.close()
