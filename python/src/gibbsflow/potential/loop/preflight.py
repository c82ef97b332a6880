"""What can be wrong with a loop before anything expensive starts: files, programs, pseudopotentials."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.structures import read_frames
from gibbsflow.potential.label.engines import make_engine
from gibbsflow.potential.train.fit import graded_trainer


def check(config: PotentialConfig, where: str) -> dict[str, str]:
    """Check trainer, structure file, label engine and LAMMPS.

    Parameters
    ----------
    config
        Settings.
    where
        File they came from, for messages.

    Returns
    -------
    dict
        Programs, versions and pseudopotentials that will be used.

    Raises
    ------
    InputError
        For a trainer whose potentials have no grade, a structure file that cannot be read or holds other elements, and
        for pseudopotentials.
    MissingProgramError
        Where a program, or LAMMPS' package of the trainer, is not installed.
    """
    from gibbsflow.engines.lammps import Lammps

    trainer = graded_trainer(config.training)
    target = config.target
    if target.structure_file is not None:
        for number, frame in enumerate(read_frames(target.structure_file)):
            if alien := sorted(set(frame.get_chemical_symbols()) - set(target.elements)):
                right = f"only {', '.join(target.elements)}, as in elements"
                raise InputError(Problem(str(target.structure_file), f"frame {number} holds {', '.join(alien)}", right))
    if target.molecule is not None and config.exploration.ensemble == "npt":
        raise InputError(Problem(where, "npt for a molecule", "nvt", field="exploration.ensemble"))
    found = {"engine": config.dft.engine, **make_engine(target.elements, config.dft, config.labels).describe()}
    with tempfile.TemporaryDirectory(prefix="gibbsflow-check-") as scratch, Lammps(Path(scratch)) as lammps:
        lammps.require(trainer.lammps_style)
        found["lammps"] = lammps.version
    return found
