"""Stages of an equilibration as a user gives them: a YAML file with a list, one entry a stage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from gibbsflow.config.section import Section, read_section, setting
from gibbsflow.errors import InputError, Problem, shown
from gibbsflow.workflow.settings_file import read_mapping

RIGHT = "YAML with a list `stages`; docs/methods/explicit_solvent.md shows one"
MOST_STAGES = 50
MOST_HOLD = 1000.0
HOLDS = ("solute_heavy", "receptor_heavy", "backbone", "ligand")


class Holds(Section):
    """Force constants that hold heavy atoms of a group where minimisation left them; the largest of an atom counts."""

    solute_heavy: float = setting(0.0, "Receptor and ligand.", unit="kcal/mol/Å²", ge=0, le=MOST_HOLD)
    receptor_heavy: float = setting(0.0, "The receptor.", unit="kcal/mol/Å²", ge=0, le=MOST_HOLD)
    backbone: float = setting(0.0, "N, CA, C and O of a protein.", unit="kcal/mol/Å²", ge=0, le=MOST_HOLD)
    ligand: float = setting(0.0, "The ligand.", unit="kcal/mol/Å²", ge=0, le=MOST_HOLD)

    @property
    def any(self) -> bool:
        """Whether anything is held.

        Returns
        -------
        bool
            False where all are 0.
        """
        return any(getattr(self, name) for name in HOLDS)


class StageSettings(Section):
    """One stage."""

    name: str = setting(
        ...,
        "Its name, once in the list: letters, digits, blanks, '.', '_' and '-', 40 at most.",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$",
    )
    length_ps: float = setting(..., "Its length.", unit="ps", gt=0, le=1_000_000)
    ensemble: Literal["NVT", "NPT"] = setting("NVT", "Constant volume, or constant pressure (in a box).")
    from_k: float | None = setting(None, "Temperature at its start, for a ramp.", unit="K", ge=1, le=1000)
    to_k: float | None = setting(None, "Temperature at its end; default: temperature_k.", unit="K", ge=1, le=1000)
    hold: Holds = setting(Holds(), "Force constants by group; none held where it is left out.")
    timestep_fs: float | None = setting(None, "Time step; default: that of the settings.", unit="fs", gt=0, le=5)
    minimise_steps: int | None = setting(
        None, "Steps of minimisation before it; default: minimise_steps before the first.", ge=0, le=1_000_000
    )


def read_stages(path: Path) -> tuple[StageSettings, ...]:
    """Read the stages of an equilibration.

    Parameters
    ----------
    path
        YAML file with a list ``stages``.

    Returns
    -------
    tuple of StageSettings
        In their order; the last holds nothing.

    Raises
    ------
    InputError
        For all that cannot be used, at once; of an unknown key with the one that was meant.
    """
    content = read_mapping(path, RIGHT, field="equil_stages")
    where, rows = str(path), content.get("stages")
    others = [shown(str(key)) for key in content if key != "stages"]
    strange = [Problem(where, f"{key} is not known", "stages alone", field="equil_stages") for key in others]
    if strange or not isinstance(rows, list) or not rows:
        raise InputError(strange or [Problem(where, "holds no list `stages`", RIGHT, field="equil_stages")])
    if len(rows) > MOST_STAGES:
        raise InputError(Problem(where, f"{len(rows)} stages", f"{MOST_STAGES} at most", field="equil_stages"))
    problems: list[Problem] = []
    stages: list[StageSettings] = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            problems.append(
                Problem(where, f"{shown(str(row))} is no stage", "name, length_ps and the like", row=number)
            )
            continue
        try:
            stages.append(read_section(StageSettings, row, where=where))
        except InputError as error:
            problems += [Problem(p.where, p.what, p.right, number, p.field) for p in error.problems]
    if not problems:
        problems = _together(where, stages)
    if problems:
        raise InputError(problems)
    return tuple(stages)


def _together(where: str, stages: Sequence[StageSettings]) -> list[Problem]:
    """What is wrong with stages that are each right."""
    problems = []
    names = [stage.name for stage in stages]
    for number, stage in enumerate(stages, start=1):
        if names.index(stage.name) != number - 1:
            problems.append(Problem(where, f"{stage.name!r} is there twice", "each name once", number, "name"))
        if stage.from_k is not None and stage.ensemble == "NPT":
            right = "ensemble NVT while the temperature is raised, and a stage at constant pressure after it"
            problems.append(Problem(where, "a ramp at constant pressure", right, number, "ensemble"))
    last = stages[-1]
    if last.hold.any:
        what, right = "the last stage holds atoms", "a last stage without `hold`: the legs start from its frames"
        problems.append(Problem(where, what, right, len(stages), "hold"))
    for key in ("from_k", "to_k", "timestep_fs"):
        if getattr(last, key) is not None:
            right = "a last stage under the settings of the legs, which start from its frames"
            problems.append(Problem(where, f"the last stage has {key}", right, len(stages), key))
    return problems
