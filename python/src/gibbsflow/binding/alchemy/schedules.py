"""λ schedules: lists of alchemical states, as data in `schedules.yaml` or in a file of the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from gibbsflow.binding.alchemy.protocols import DOUBLE_DECOUPLING, LegSpec
from gibbsflow.config.binding import Fe
from gibbsflow.config.section import nearest
from gibbsflow.errors import InputError, Problem, shown
from gibbsflow.workflow.settings_file import read_mapping

NAMES = ("lambda_restraints", "lambda_electrostatics", "lambda_sterics")
PLACEMENT = "placement.json"
"""File beside a leg's, where its states were placed by a pilot: how, and what is to be known of it."""
OF_COPY = "lambda_sterics_copy"
"""The fourth, of a leg that couples a copy of the ligand as it decouples the ligand."""
OF_EDGE = (
    "lambda_core",
    "lambda_electrostatics",
    "lambda_sterics",
    "lambda_sterics_new",
    "lambda_electrostatics_new",
)
"""Those of a leg from one ligand to another: shared atoms; charges and sterics of A alone; sterics and charges of B."""


@dataclass(frozen=True)
class LambdaState:
    """One alchemical state.

    Attributes
    ----------
    lambda_restraints
        0 no restraint of the ligand, 1 the full restraint.
    lambda_electrostatics
        1 full charges of the ligand, 0 none (annihilated: also within the ligand).
    lambda_sterics
        1 full Lennard-Jones between ligand and receptor, 0 none; within the ligand it always stays.
    lambda_sterics_copy
        The same of a copy of the ligand in bulk, whose charges go with 1 − λ_electrostatics; None where there is none.
    """

    lambda_restraints: float
    lambda_electrostatics: float
    lambda_sterics: float
    lambda_sterics_copy: float | None = None

    def as_dict(self) -> dict[str, float]:
        """Give the λ values.

        Returns
        -------
        dict
            By name, in the order of `NAMES`, then `OF_COPY` where there is a copy.
        """
        of_copy = {} if self.lambda_sterics_copy is None else {OF_COPY: float(self.lambda_sterics_copy)}
        return {name: float(getattr(self, name)) for name in NAMES} | of_copy


@dataclass(frozen=True, kw_only=True)
class HybridState(LambdaState):
    """One state between a ligand A and a ligand B in its place.

    λ_electrostatics and λ_sterics are those of the atoms that only A has, with all that is not theirs.

    Attributes
    ----------
    lambda_core
        0 where the shared atoms, and all bonded terms, are A's; 1 where they are B's.
    lambda_sterics_new, lambda_electrostatics_new
        Of the atoms that only B has.
    """

    lambda_core: float
    lambda_sterics_new: float
    lambda_electrostatics_new: float

    @classmethod
    def of_edge(cls, values: Mapping[str, float]) -> HybridState:
        """Make a state of the five λ of an edge.

        Parameters
        ----------
        values
            By name, each in `OF_EDGE`.

        Returns
        -------
        HybridState
            Nothing of it is restrained.
        """
        return cls(lambda_restraints=0.0, **values)

    def as_dict(self) -> dict[str, float]:
        """Give the λ values.

        Returns
        -------
        dict
            By name, in the order of `OF_EDGE`.
        """
        return {name: float(getattr(self, name)) for name in OF_EDGE}


def leg_schedules(fe: Fe, protocol: Sequence[LegSpec] = DOUBLE_DECOUPLING) -> dict[str, tuple[LambdaState, ...]]:
    """Read the schedules of all legs.

    Parameters
    ----------
    fe
        Names a schedule for each leg.
    protocol
        The legs.

    Returns
    -------
    dict
        States by name of the leg.

    Raises
    ------
    InputError
        Where one cannot be used, or has restraints where they do not belong.
    """
    chosen = {leg.name: getattr(fe, leg.schedule) for leg in protocol}
    named = {leg.name: leg.named_schedule if chosen[leg.name] == "auto" else chosen[leg.name] for leg in protocol}
    schedules = {name: read_schedule(schedule) for name, schedule in named.items()}
    problems = []
    for leg in protocol:
        states, where = schedules[leg.name], named[leg.name]
        if leg.restrained and states[-1].lambda_restraints != 1:
            problems.append(Problem(where, "ends without the full restraint", "[1, 0, 0]", field="states"))
        if not leg.restrained and any(state.lambda_restraints > 0 for state in states):
            problems.append(Problem(where, "has restraints", "0 in every state", field="states"))
        if (states[0].lambda_sterics_copy is not None) != ("copy" in leg.parts):
            what = "says nothing of the copy" if "copy" in leg.parts else "has a λ of a copy, and the leg none"
            right = "four numbers a state: the last is the copy's sterics" if "copy" in leg.parts else "three a state"
            problems.append(Problem(where, what, right, field="states"))
        if isinstance(states[0], HybridState) != leg.relative:
            what = "is no schedule from one ligand to another" if leg.relative else "leads from one ligand to another"
            right = f"{'five' if leg.relative else 'three'} numbers a state"
            problems.append(Problem(where, what, right, field="states"))
    if problems:
        raise InputError(problems)
    return schedules


def read_schedule(name_or_file: str) -> tuple[LambdaState, ...]:
    """Read a shipped schedule by its name, or a YAML file of the same form.

    A file holds ``states``: a list of rows ``[restraints, electrostatics, sterics]`` from the coupled to the decoupled
    end; for sdr ``[restraints, electrostatics, sterics, sterics of the copy]``; from one ligand to another the five of
    `OF_EDGE`.

    Parameters
    ----------
    name_or_file
        Name in ``schedules.yaml``, or path, which has a ``.`` or ``/``.

    Returns
    -------
    tuple of LambdaState
        From the coupled to the decoupled end.

    Raises
    ------
    InputError
        For an unknown name, an unreadable file, or a schedule that cannot be used; all faults at once.
    """
    shipped = _shipped()
    if name_or_file in shipped:
        return check_schedule(shipped[name_or_file]["states"], where=name_or_file)
    path = Path(name_or_file)
    if (
        not {".", "/"} & set(name_or_file) or not path.exists()
    ):  # what has neither is no file's name, here as in main.nf
        hint = f"{nearest(name_or_file, shipped)}; a YAML file (as ./NAME.yaml) or one of {', '.join(shipped)}"
        raise InputError(Problem(name_or_file or "fe", "neither a shipped λ schedule nor a file", hint))
    content = read_mapping(path, "YAML with `states`")
    if not isinstance(content.get("states"), list):
        raise InputError(Problem(str(path), "holds no list `states`", "states: [[0, 1, 1], ..., [1, 0, 0]]"))
    return check_schedule(content["states"], where=str(path))


def check_schedule(rows: Sequence[Any], *, where: str) -> tuple[LambdaState, ...]:
    """Check a schedule: shape, range, ends, monotonic, and charges only where sterics are in full.

    Parameters
    ----------
    rows
        One row a state: three numbers, or a mapping with the three names; with a copy of the ligand all have four, and
        from one ligand to another five.
    where
        Where it came from, for messages. Rows are counted from 1.

    Returns
    -------
    tuple of LambdaState
        One a row.

    Raises
    ------
    InputError
        With all faults at once.
    """
    problems: list[Problem] = []
    states: list[LambdaState] = []
    if rows and all(isinstance(row, list | tuple | Mapping) and len(row) == len(OF_EDGE) for row in rows):
        return _check_edge(rows, where)
    for number, row in enumerate(rows, start=1):
        values = _values(row)
        if values is None:
            problems.append(
                Problem(
                    where,
                    f"{shown(row)} is no λ state",
                    "[restraints, electrostatics, sterics], numbers in 0..1; for sdr a fourth, the copy's sterics",
                    row=number,
                )
            )
        else:
            states.append(LambdaState(*values))
    if problems:
        raise InputError(problems)
    if len(states) < 2:
        raise InputError(Problem(where, f"{len(states)} states", "at least two"))
    if len({state.lambda_sterics_copy is None for state in states}) > 1:
        raise InputError(Problem(where, "some states have four numbers and others three", "four in all, or three"))
    first, last = states[0], states[-1]
    if (first.lambda_electrostatics, first.lambda_sterics, first.lambda_restraints) != (1.0, 1.0, 0.0):
        problems.append(Problem(where, f"starts at {_row(first)}", "[0, 1, 1]: coupled, unrestrained", row=1))
    if (last.lambda_electrostatics, last.lambda_sterics) != (0.0, 0.0):
        problems.append(Problem(where, f"ends at {_row(last)}", "electrostatics and sterics 0", row=len(states)))
    if first.lambda_sterics_copy not in (None, 0.0):
        problems.append(Problem(where, f"starts at {_row(first)}", "no copy: [0, 1, 1, 0]", row=1))
    if last.lambda_sterics_copy not in (None, 1.0):
        problems.append(Problem(where, f"ends at {_row(last)}", "the copy in full: [1, 0, 0, 1]", row=len(states)))
    for number, (a, b) in enumerate(zip(states, states[1:], strict=False), start=2):
        if a == b:
            problems.append(Problem(where, f"{_row(b)} repeats the state before", "each state once", row=number))
        for name in (NAMES[0], OF_COPY):
            if (getattr(b, name) or 0) < (getattr(a, name) or 0):
                problems.append(Problem(where, "falls", "never falling from state to state", row=number, field=name))
        for name in NAMES[1:]:
            if getattr(b, name) > getattr(a, name):
                problems.append(Problem(where, "rises", "never rising from state to state", row=number, field=name))
    for number, state in enumerate(states, start=1):
        if state.lambda_sterics < 1 and state.lambda_electrostatics > 0:
            right = "electrostatics 0 wherever sterics < 1: bare charges would collapse onto each other"
            problems.append(Problem(where, f"{_row(state)} has charges on soft atoms", right, row=number))
        if state.lambda_electrostatics < 1 and state.lambda_sterics_copy not in (None, 1.0):
            right = "electrostatics 1 wherever the copy's sterics < 1: its charges are 1 − electrostatics"
            problems.append(Problem(where, f"{_row(state)} has charges on a soft copy", right, row=number))
    if problems:
        raise InputError(problems)
    return tuple(states)


@cache
def _shipped() -> Mapping[str, Any]:
    with resources.as_file(resources.files("gibbsflow.binding.alchemy") / "schedules.yaml") as path:
        return read_mapping(path)


def _check_edge(rows: Sequence[Any], where: str) -> tuple[HybridState, ...]:
    """Check a schedule from one ligand to another."""
    problems: list[Problem] = []
    found = [_values(row, OF_EDGE, (len(OF_EDGE),)) for row in rows]
    for number, (row, values) in enumerate(zip(rows, found, strict=True), start=1):
        if values is None:
            right = f"five numbers in 0..1: {', '.join(OF_EDGE)}"
            problems.append(Problem(where, f"{shown(row)} is no λ state of an edge", right, row=number))
    if problems:
        raise InputError(problems)
    states = tuple(HybridState.of_edge(dict(zip(OF_EDGE, values or (), strict=True))) for values in found)
    for number, end in ((1, (0, 1, 1, 0, 0)), (len(states), (1, 0, 0, 1, 1))):
        if tuple(states[number - 1].as_dict().values()) != end:
            what = f"{_row(states[number - 1])} at an end"
            problems.append(Problem(where, what, f"{list(end)}: a ligand as it is", row=number))
    for number, (a, b) in enumerate(zip(states, states[1:], strict=False), start=2):
        if a == b:
            problems.append(Problem(where, f"{_row(b)} repeats the state before", "each state once", row=number))
        for name in OF_EDGE:
            grows = name == OF_EDGE[0] or name.endswith("_new")
            if (getattr(b, name) - getattr(a, name)) * (1 if grows else -1) < 0:
                right = f"never {'falling' if grows else 'rising'} from state to state"
                problems.append(Problem(where, "falls" if grows else "rises", right, row=number, field=name))
    for number, state in enumerate(states, start=1):
        for mark in ("", "_new"):
            charged = getattr(state, f"lambda_electrostatics{mark}") > 0
            if charged and getattr(state, f"lambda_sterics{mark}") < 1:
                right = "electrostatics 0 wherever sterics < 1: bare charges would collapse onto each other"
                problems.append(Problem(where, f"{_row(state)} has charges on soft atoms", right, row=number))
    if problems:
        raise InputError(problems)
    return states


def _values(row: Any, every: Sequence[str] = (*NAMES, OF_COPY), lengths: Sequence[int] = (3, 4)) -> list[float] | None:
    if isinstance(row, Mapping):
        names = every[: len(row)]
        row = [row[name] for name in names] if set(row) == set(names) else None
    if not isinstance(row, list | tuple) or len(row) not in lengths:
        return None
    if any(isinstance(v, bool) or not isinstance(v, int | float) or not 0 <= v <= 1 for v in row):
        return None
    return [float(value) for value in row]


def _row(state: LambdaState) -> str:
    return f"[{', '.join(f'{value:g}' for value in state.as_dict().values())}]"
