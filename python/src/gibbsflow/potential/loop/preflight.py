"""What can be wrong with a loop before anything expensive starts: files, programs, pseudopotentials."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.structures import read_frames
from gibbsflow.potential.generators.parents import parents
from gibbsflow.potential.label.engines import make_engine


def check(config: PotentialConfig, where: str) -> dict[str, str]:
    """Check structure file, label engine and LAMMPS.

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
        For a structure file that cannot be read or holds other elements, a target of which no hold-out set can be made,
        and for pseudopotentials.
    MissingProgramError
        Where a program, or LAMMPS' ML-POD, is not installed.
    """
    from gibbsflow.engines.lammps import Lammps

    target = config.beside(Path(where)).target
    if target.structure_file is not None:
        for number, frame in enumerate(read_frames(target.structure_file)):
            if alien := sorted(set(frame.get_chemical_symbols()) - set(target.elements)):
                right = f"only {', '.join(target.elements)}, as in elements"
                raise InputError(Problem(str(target.structure_file), f"frame {number} holds {', '.join(alien)}", right))
    if target.molecule is not None and config.exploration.ensemble == "npt":
        raise InputError(Problem(where, "npt for a molecule", "nvt", field="exploration.ensemble"))
    if not any(atoms.pbc.all() and len(atoms) > 1 for atoms in parents(target, config.generator)):
        what = "has no cell of two atoms that is periodic in all directions, of which the hold-out set could be made"
        right = "generator: {supercell: [2, 2, 2]} for a crystal, a box for a molecule"
        raise InputError(Problem(str(target.structure_file or where), what, right, field="generator.supercell"))
    found = {"engine": config.dft.engine, **make_engine(target.elements, config.dft, config.labels).describe()}
    with tempfile.TemporaryDirectory(prefix="gibbsflow-check-") as scratch, Lammps(Path(scratch)) as lammps:
        lammps.require("pod")
        found["lammps"] = lammps.version
    return found
