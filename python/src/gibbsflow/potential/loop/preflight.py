"""What can be wrong with a loop before anything expensive starts: files, programs, pseudopotentials."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.structures import read_frames
from gibbsflow.potential.generators import thermal
from gibbsflow.potential.generators.parents import parents
from gibbsflow.potential.label.engines import engine_for
from gibbsflow.potential.train.fit import graded_trainer
from gibbsflow.workflow.account import Account

if TYPE_CHECKING:
    from ase import Atoms


def check(config: PotentialConfig, where: str) -> dict[str, str]:
    """Check trainer, structure file, label engine and LAMMPS.

    Parameters
    ----------
    config
        Settings.
    where
        File they came from, beside which a structure file is looked for.

    Returns
    -------
    dict
        Programs, versions and pseudopotentials that will be used.

    Raises
    ------
    InputError
        For a trainer whose potentials have no grade, a structure file that cannot be read or holds other elements, a
        target of which no hold-out set can be made, and for pseudopotentials.
    MissingProgramError
        Where a program, or LAMMPS' package of the trainer, is not installed.
    """
    from gibbsflow.engines.lammps import Lammps

    trainer = graded_trainer(config.training)
    target = config.beside(Path(where)).target
    if target.structure_file is not None:
        for number, frame in enumerate(read_frames(target.structure_file)):
            if alien := sorted(set(frame.get_chemical_symbols()) - set(target.elements)):
                right = f"only {', '.join(target.elements)}, as in elements"
                raise InputError(Problem(str(target.structure_file), f"frame {number} holds {', '.join(alien)}", right))
    if target.molecule is not None and config.exploration.ensemble == "npt":
        raise InputError(Problem(where, "npt for a molecule", "nvt", field="exploration.ensemble"))
    start = parents(target, config.generator, closest_ratio=config.labels.closest_ratio)
    if not any(thermal.applies(atoms) for atoms in start):
        what = "has no crystal and no molecule of two atoms or more, of which the hold-out set could be made"
        right = "a supercell: generator: {supercell: [2, 2, 2]}"
        raise InputError(Problem(str(target.structure_file or where), what, right, field="generator.supercell"))
    _require_all_elements(start, config, where)
    account = Account(str(target.structure_file or where))
    engine = engine_for(start, config, account)
    account.settle()
    found = {"engine": config.dft.engine, **engine.describe()}
    with tempfile.TemporaryDirectory(prefix="gibbsflow-check-") as scratch, Lammps(Path(scratch)) as lammps:
        lammps.require(trainer.lammps_style)
        found["lammps"] = lammps.version
    return found


def _require_all_elements(start: Sequence[Atoms], config: PotentialConfig, where: str) -> None:
    """Refuse an element that no generator would bring into the data, of which nothing could be learnt, and others."""
    target, generator = config.target, config.generator
    there = {symbol for atoms in start for symbol in atoms.get_chemical_symbols()}
    if alien := sorted(there - set(target.elements)):
        what = f"{target.structure_file or target.molecule or 'the target'} holds {', '.join(alien)}"
        raise InputError(Problem(where, what, f"elements: [{', '.join(sorted(there))}]", field="elements"))
    strange = [symbol for symbol in target.elements if symbol not in there]
    replaced = "defect" in generator.methods and {"antisite", "interstitial"} & set(generator.defect_kinds)
    if strange and not replaced and not {"dimer", "isolated_atom"} & set(generator.methods):
        what = f"{', '.join(strange)} is in no structure of {target.structure_file or 'the target'}"
        raise InputError(Problem(where, what, "the elements of the structures", field="elements"))
