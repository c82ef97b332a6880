"""What can be wrong with a loop before anything expensive starts: files, programs, pseudopotentials."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.structures import read_frames
from gibbsflow.potential.explore.screening.surrogate_check import check_surrogate
from gibbsflow.potential.generators import thermal
from gibbsflow.potential.generators.parents import parents
from gibbsflow.potential.label.engines import engine_for
from gibbsflow.potential.train.fit import graded_trainer
from gibbsflow.potential.validate.quantities import checked
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.folders.published import MadeFrom, digest, file_given

if TYPE_CHECKING:
    from ase import Atoms


def made_from(settings: PotentialConfig, config: Path, begin: str | None, campaign: str) -> MadeFrom:
    """Tell what a potential is made from.

    Parameters
    ----------
    settings
        All settings.
    config
        The file that they are from.
    begin
        Generation of an earlier run to go on from; None for none.
    campaign
        Name of the campaign.

    Returns
    -------
    MadeFrom
        With all files as they are now.
    """
    here = settings.beside(config)
    named = [Path(name) for name in (here.target.structure_file, begin, here.surrogate.file) if name]
    # one that is no file is told where it is read
    digests = [file_given(path)[1] for path in named if path.is_file() or path.is_dir()]
    chosen = digest([settings.model_dump(mode="json"), digests])
    return MadeFrom(campaign, {"config": file_given(config)}, chosen, {})


def check(config: PotentialConfig, where: str) -> dict[str, str]:
    """Check trainer, structure file, label engine, surrogate and LAMMPS.

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
        For a trainer whose potentials have no grade, references of no known quantity, a structure file that cannot be
        read or holds other elements, a target of which no hold-out set can be made, for pseudopotentials, and for a
        surrogate whose file is missing or does not know all elements.
    MissingProgramError
        Where a program, or LAMMPS' package of the trainer, is not installed.
    """
    from gibbsflow.engines.lammps import Lammps

    trainer = graded_trainer(config.training)
    checked(config.validation.references, where)
    settings = config.beside(Path(where))
    target = settings.target
    if target.structure_file is not None:
        for number, frame in enumerate(read_frames(target.structure_file)):
            if alien := sorted(set(frame.get_chemical_symbols()) - set(target.elements)):
                right = f"only {', '.join(target.elements)}, as in elements"
                raise InputError(Problem(str(target.structure_file), f"frame {number} holds {', '.join(alien)}", right))
    start = parents(target, config.generator, closest_ratio=config.labels.closest_ratio)
    if config.exploration.ensemble == "npt" and not any(atoms.pbc.any() for atoms in start):
        raise InputError(Problem(where, "npt for a molecule", "nvt", field="exploration.ensemble"))
    if not any(thermal.applies(atoms) for atoms in start):
        what = "has no crystal and no molecule of two atoms or more, of which the hold-out set could be made"
        right, field = "two atoms or more, in a cell that is periodic along all three vectors or along none", ""
        if any(atoms.pbc.all() for atoms in start):
            right, field = "a supercell: generator: {supercell: [2, 2, 2]}", "generator.supercell"
        raise InputError(Problem(str(target.structure_file or where), what, right, field=field))
    _require_all_elements(start, config, where)
    account = Account(str(target.structure_file or where))
    engine = engine_for(start, config, account)
    found = {"engine": config.dft.engine, **engine.describe(), **check_surrogate(settings, account)}
    account.settle()
    with tempfile.TemporaryDirectory(prefix="gibbsflow-check-") as scratch, Lammps(Path(scratch)) as lammps:
        lammps.require(trainer.lammps_style)
        found["lammps"] = lammps.version
    return found


def _require_all_elements(start: Sequence[Atoms], config: PotentialConfig, where: str) -> None:
    """Refuse elements beside those given, and one of which nothing could be learnt; say where one comes in alone."""
    target, generator = config.target, config.generator
    there = {symbol for atoms in start for symbol in atoms.get_chemical_symbols()}
    if alien := sorted(there - set(target.elements)):
        what = f"{target.structure_file or target.molecule or 'the target'} holds {', '.join(alien)}"
        raise InputError(Problem(where, what, f"elements: [{', '.join(sorted(there))}]", field="elements"))
    strange = [symbol for symbol in target.elements if symbol not in there]
    if not strange:
        return
    kinds = generator.defect_kinds if "defect" in generator.methods else ()
    ways: list[str] = [kind for kind in ("antisite", "interstitial") if kind in kinds]
    what = f"{', '.join(strange)} is in no structure of {target.structure_file or 'the target'}"
    right = "the elements of the structures, or structures with all elements"
    if not ways and (target.structure_file or not {"dimer", "isolated_atom"} & set(generator.methods)):
        raise InputError(Problem(where, what, right, field="elements"))
    ways = ways or ["dimer", "isolated atom"]
    account = Account(where)
    account.warn(f"{what}: it comes in as {' or '.join(ways)} alone", right, field="elements")
    account.settle()
