"""Linear ACE through python-ace: an optional trainer, never the default, never bundled.

python-ace comes under the Academic Software Licence: non-commercial use only, not open source, not compatible with the
GPL. Its basis gives the rows; weights, penalty and validation are those of the POD fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.config.potential_training import Training
from gibbsflow.errors import MissingProgramError, StateError
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train.shared import regression
from gibbsflow.potential.train.shared.atomic_energies import AtomicEnergies, reference_energies
from gibbsflow.potential.train.shared.inputs import POTENTIAL, Inputs, processes
from gibbsflow.potential.train.shared.metrics import Prediction, parity, summarise_errors
from gibbsflow.potential.train.shared.protocols import Fit, Potential
from gibbsflow.potential.train.shared.splits import assign_folds
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state.segments import Stopper

_MOST_FUNCTIONS = 500
_HOW = (
    "pip install --pre 'python-ace==0.4.0rc1' 'numpy<2.4' 'pandas<3' into an environment of its own, if your use is "
    "academic and non-commercial (Academic Software Licence); or use --backend pod."
)


class PaceTrainer:
    """Linear ACE of one size, written as ``potential.yaml`` and ``potential.yace``; not graded, and not run here."""

    physics = 1
    lammps_style = "pace"
    keeps_time = False
    graded = False

    def fit(
        self, inputs: Inputs, settings: Training, *, seed: int, stopper: Stopper, budget_s: float, out: Path,
        kept: Path | None = None,
    ) -> Fit:  # fmt: skip
        """Fit a linear ACE (Drautz, Phys. Rev. B 2019, 99, 014104) of one size.

        Parameters
        ----------
        inputs
            Training and test frames.
        settings
            Section ``training``; ``cutoff_angstrom`` defaults to 5 Å here, and virials are not fitted.
        seed
            Of the validation split.
        stopper
            A signal ends the fit after the design matrix.
        budget_s
            Not used: the size is bounded by the data and by ``max_coefficients``.
        out
            Gets ``potential/``.
        kept
            Folder for what a run that goes on after this one was killed need not do again, or None.

        Returns
        -------
        Fit
            Without grades.

        Raises
        ------
        MissingProgramError
            Where python-ace is not installed.
        StoppedEarly
            After a signal.
        """
        del budget_s
        try:
            import pandas as pd
            from pyace import ACEBBasisSet, PyACECalculator, create_multispecies_basis_config
            from pyace.linearacefit import LinearACEDataset
        except ImportError as error:
            raise MissingProgramError(f"python-ace is not installed ({error})", what_to_do=_HOW) from error
        species = inputs.species
        references = reference_energies(inputs.train, species)
        folds = assign_folds(inputs.train, settings.folds, seed)
        rows = sum(3 * len(f.atoms) + 1 for f in inputs.train)
        functions = min(_MOST_FUNCTIONS, settings.max_coefficients, max(rows // 4, 24)) // len(species)
        recipe = _recipe(species, settings.cutoff_angstrom or 5.0, functions)
        basis = ACEBBasisSet(create_multispecies_basis_config(recipe))
        data = LinearACEDataset(basis, pd.DataFrame({"ase_atoms": [f.atoms for f in inputs.train]}))
        matrix = data.get_design_matrix(max_workers=processes(settings))
        stopper.check()
        blocks = _blocks(matrix, inputs.train, references, folds.fold)
        energies = (settings.energy_weight,) if settings.energy_weight else regression.ENERGY_WEIGHTS
        ridges = (settings.ridge,) if settings.ridge else regression.RIDGES
        choice = regression.cross_validate(blocks, energies=energies, ridges=ridges)
        basis.basis_coeffs = regression.least_squares(blocks, choice.weights)
        folder = out / POTENTIAL
        folder.mkdir(parents=True, exist_ok=True)
        basis.save(str(folder / "potential.yaml"))
        basis.to_ACECTildeBasisSet().save_yaml(str(folder / "potential.yace"))
        meta = {
            "backend": "pace",
            "species": species,
            "references_ev": references.energy_ev,
            "licence": "Academic Software Licence",
        }
        write_json(folder / "potential.json", meta)
        calculator = PyACECalculator(basis)
        figures: dict[str, Any] = {
            "backend": "pace",
            "potential": POTENTIAL,
            "species": species,
            "coefficients": matrix.shape[1],
            "split": folds.by,
            "references": {"energy_ev": references.energy_ev, "source": references.source},
            "energy_weight": choice.weights.energy,
            "ridge": choice.weights.ridge,
            "licence": "python-ace: Academic Software Licence, non-commercial",
        }
        pairs = {}
        for name, frames in (("train", inputs.train), ("test", inputs.test)):
            predictions = [_predict(calculator, frame, references) for frame in frames]
            figures[name] = summarise_errors(frames, predictions)
            pairs[name] = parity(frames, predictions, references.of)
        return Fit(figures, pairs)

    def read(self, folder: Path) -> Potential:
        """Refuse: the LAMMPS that gibbsflow installs cannot run ACE.

        Parameters
        ----------
        folder
            Folder of the potential.

        Returns
        -------
        Potential
            Never.

        Raises
        ------
        StateError
            Always.
        """
        what = "a linear ACE, which the LAMMPS that gibbsflow installs cannot run"
        raise StateError(f"{folder}: {what}", what_to_do="Explore with a potential of --backend pod.")


def _recipe(species: Sequence[str], cutoff_angstrom: float, functions: int) -> dict[str, Any]:
    """Potential section in the words of pacemaker's input."""
    return {
        "deltaSplineBins": 0.001,
        "elements": list(species),
        "embeddings": {"ALL": {"npot": "FinnisSinclairShiftedScaled", "fs_parameters": [1, 1], "ndensity": 1}},
        "bonds": {"ALL": {"radbase": "SBessel", "radparameters": [5.25], "rcut": cutoff_angstrom, "dcut": 0.01}},
        "functions": {
            "number_of_functions_per_element": functions,
            "ALL": {"nradmax_by_orders": [15, 6, 4, 3, 2], "lmax_by_orders": [0, 5, 4, 3, 1]},
        },
    }


def _blocks(
    matrix: Any, frames: Sequence[LabelledFrame], references: AtomicEnergies, fold: Any
) -> list[dict[str, regression.NormalEquations]]:
    """Sum up python-ace's rows: energies an atom of all frames first, then three rows an atom."""
    blocks = regression.new_blocks(int(fold.max()) + 1, matrix.shape[1])
    row = len(frames)
    for k, frame in enumerate(frames):
        n = len(frame.atoms)
        target = np.array([(frame.energy_ev - references.of(frame)) / n])
        blocks[fold[k]]["energy"].add(matrix[k : k + 1], target, frame.weights.energy)
        mask = np.repeat(frame.force_mask, 3)
        forces = matrix[row : row + 3 * n]
        blocks[fold[k]]["force"].add(forces[mask], frame.forces_ev_per_angstrom.ravel()[mask], frame.weights.force)
        row += 3 * n
    return blocks


def _predict(calculator: Any, frame: LabelledFrame, references: AtomicEnergies) -> Prediction:
    atoms = frame.atoms.copy()
    atoms.calc = calculator
    stress = np.array(atoms.get_stress()) if atoms.pbc.all() else None
    return Prediction(float(atoms.get_potential_energy()) + references.of(frame), np.array(atoms.get_forces()), stress)
