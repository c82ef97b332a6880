"""One folder that LAMMPS and ASE both use, with the grade that tells where the potential does not hold."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential_training import Exploration
from gibbsflow.engines.lammps_frame import lists_with_images, to_frame
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.export import lammps_input
from gibbsflow.potential.export.handed_over import Source
from gibbsflow.workflow.files import atomic_open

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)

README = "README.md"


def write_folder(
    source: Source, out: Path, settings: Exploration, *, interval: int, seed: int, start: Atoms | None = None
) -> dict[str, Any]:
    """Write a potential with its grade for LAMMPS, and leave what ASE reads beside it.

    Parameters
    ----------
    source
        The potential.
    out
        Folder to write into.
    settings
        Section ``exploration``: dynamics of the example, and thresholds that replace the calibrated ones. Without a
        time step of its own, that which the elements need.
    interval
        Steps between two looks at the grade.
    seed
        Of velocities and thermostat.
    start
        Structure that the example starts from; without one, the reader gives a data file.

    Returns
    -------
    dict
        Files, thresholds and interval, JSON-serialisable.

    Raises
    ------
    InputError
        Where the potential has no grade, is of another kind than ``pair_style pod``, does not know the structure, or
        the structure is one atom; nothing is written.
    """
    potential, grader = source.potential, source.require_grade()
    if potential.lammps_style != "pod":
        what = f"runs by pair_style {potential.lammps_style}, whose grade is that package's own"
        raise InputError(Problem(str(source.folder), what, "a potential of `train fit --backend pod`"))
    lower = settings.lower_grade if settings.lower_grade is not None else grader.lower
    upper = settings.upper_grade if settings.upper_grade is not None else max(grader.upper, lower)
    lower = min(lower, upper)
    grader = grader.with_lower(lower)
    if start is not None and (alien := sorted(set(start.get_chemical_symbols()) - set(potential.species))):
        right = f"only {', '.join(potential.species)}"
        raise InputError(Problem("--structure", f"holds {', '.join(alien)}, unknown to the potential", right))
    if out.resolve().is_relative_to(source.folder.resolve()):
        right = "a folder of its own"
        raise InputError(Problem(str(out), "is the potential's folder, or lies in it", right, field="--out"))
    repeated = start.repeat(settings.supercell) if start is not None and start.pbc.any() else start
    if repeated is not None and len(repeated) < 2:
        right = "a larger cell, or exploration.supercell, such as [4, 4, 4]"
        raise InputError(Problem("--structure", "is one atom, of which there is no MD at a temperature", right))
    shutil.copytree(source.folder, out, dirs_exist_ok=True)
    lammps_input.write_grade(out, potential, grader, lower=lower, upper=upper, interval=interval)
    settings = settings.of_symbols(start.get_chemical_symbols() if start is not None else potential.species)
    frame = to_frame(repeated, potential.species, potential.cutoff_angstrom) if repeated is not None else None
    lists = lists_with_images(frame, potential.cutoff_angstrom) if frame is not None else []
    texts = {
        lammps_input.RUN_INPUT: lammps_input.run_input(settings, species=potential.species, seed=seed, lists=lists),
        README: _readme(potential.species, lower, upper),
    }
    if frame is not None:
        texts[lammps_input.START] = frame.data_file()
    notes = []
    if settings.uncertainty == "committee":
        notes.append("exploration.uncertainty: committee has no effect here: the grade decides in LAMMPS")
        log.warning("%s", notes[0])
    for name, text in texts.items():
        with atomic_open(out / name, "w") as file:
            file.write(text)
    return {
        "files": sorted(path.name for path in out.iterdir()), "species": list(potential.species), "lower_grade": lower,
        "upper_grade": upper, "grade_interval": interval,
        "descriptors": grader.basis_descriptors,
        "linear_forms": sum(len(lammps_input.linear_forms(own)[0]) for own in grader.sets.values()),
        "notes": notes,
    }  # fmt: skip


def _readme(species: tuple[str, ...], lower: float, upper: float) -> str:
    return f"""# Potential for {", ".join(species)}

LAMMPS with the package ML-POD, `units metal`, atom types in the order {" ".join(species)}:

```
include {lammps_input.POTENTIAL_INPUT}
include {lammps_input.GRADE_INPUT}
```

The second line computes the extrapolation grade of every atom (`v_grade`, largest `v_grade_max`), writes frames from
grade {lower:.3g} on to `{lammps_input.UNKNOWN}`, and halts from {upper:.3g} on (`fix halt`, `error soft`).
It needs neither Python nor a further package. `lmp -in {lammps_input.RUN_INPUT} -var steps 100000` is a whole run of
`{lammps_input.START}`; it ends with code 3 outside of the range.

ASE, with gibbsflow installed:

```python
from gibbsflow import PotentialCalculator
atoms.calc = PotentialCalculator(".")   # atoms.calc.grades(atoms) gives the grade of each atom
```
"""
