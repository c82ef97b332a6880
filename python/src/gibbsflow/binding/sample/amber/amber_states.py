"""How AMBER's pmemd.cuda carries out a leg: one λ, and what it does to restraint, charges and Lennard-Jones.

pmemd has a single ``clambda``. Weights of kinds of terms follow it by the file ``lambda.sch`` (λ-scheduling of
pmemd.cuda): a line ``type, smooth_step2, complementary, a, b`` keeps the weight W of the first region 1 below a, 0
above b, and 1 − S((λ − a)/(b − a)) between, S(x) = x³(6x² − 15x + 10); that of the second region is 1 − W; a > b turns
it round.

* Decoupling: one region, the ligand. First the restraint rises, then charges go, then Lennard-Jones, each in a stretch
  of λ of its own; each state of a schedule has the λ where its weights are those of pmemd. The soft core is pmemd's,
  and softens with λ, not with a weight: states between the ends are not those of the other engines, the ends are.
* SDR: the ligand is the first region, its copy the second, and all goes at once by S(λ), the restraint with it. Of a
  schedule the number of states is kept, at even steps of S.

Both ends are those of the other engines: within the ligand Lennard-Jones and bonded terms stay, charges go
(``gti_add_sc = 2``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint
from gibbsflow.binding.alchemy.schedules import HybridState, LambdaState
from gibbsflow.binding.forcefield.membrane.lipids import is_membrane
from gibbsflow.errors import InputError, Problem

DIGITS = 4
"""Of λ: pmemd prints as many with its MBAR energies."""
_RESTRAINED, _CHARGED = 0.1, 0.5
"""λ where the restraint is there in full, and where charges are gone."""
_RIGHT = "engine openmm"


@dataclass(frozen=True)
class AmberPath:
    """States of a leg in AMBER.

    Attributes
    ----------
    clambdas
        λ of each state, rising from 0 to 1.
    states
        Weights that pmemd has there.
    schedule
        Lines of ``lambda.sch``.
    notes
        Where states differ from those of the leg, in words.
    """

    clambdas: tuple[float, ...]
    states: tuple[LambdaState, ...]
    schedule: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def schedule_text(self) -> str:
        """Write ``lambda.sch``.

        Returns
        -------
        str
            Content of the file.
        """
        return "".join(f"{line}\n" for line in self.schedule)


def smooth_step(x: float) -> float:
    """Smoothstep of second order, S(x) = x³(6x² − 15x + 10) (Lee et al., J. Chem. Theory Comput. 16, 5512 (2020)).

    Parameters
    ----------
    x
        Any number; below 0 it counts as 0, above 1 as 1.

    Returns
    -------
    float
        In 0..1.
    """
    x = min(1.0, max(0.0, x))
    return x**3 * (x * (6 * x - 15) + 10)


def inverse_smooth_step(value: float) -> float:
    """Invert :func:`smooth_step` by halving.

    Parameters
    ----------
    value
        In 0..1.

    Returns
    -------
    float
        x in 0..1 with S(x) = `value`.
    """
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if smooth_step(middle) < value else (low, middle)
    return 1.0 if value >= 1 else (low + high) / 2


def amber_path(leg: AlchemicalLeg) -> AmberPath:
    """Find the λ of a leg's states.

    Parameters
    ----------
    leg
        The leg.

    Returns
    -------
    AmberPath
        One state for each of the leg's.

    Raises
    ------
    InputError
        With all that pmemd.cuda cannot do.
    """
    if problems := amber_problems(leg):
        raise InputError(problems)
    path = _at_once(leg) if leg.copy_atoms else _by_turns(leg)
    if len(set(path.clambdas)) < len(path.clambdas):
        what = f"{len(leg.states)} states, of which some have one λ to the {DIGITS} digits that pmemd prints"
        raise InputError(Problem(_where(leg), what, "fewer states", field="states"))
    return path


def amber_problems(leg: AlchemicalLeg) -> list[Problem]:
    """Say what of a leg pmemd.cuda cannot do.

    Parameters
    ----------
    leg
        The leg.

    Returns
    -------
    list of Problem
        Empty where it can.
    """
    where, problems = _where(leg), []
    if isinstance(leg.states[0], HybridState):
        what = "a leg from one ligand to another: atoms that both share are one atom here, and two in AMBER"
        return [Problem(where, what, "a leg of abfe or asfe, or engine openmm or gromacs")]
    if not leg.periodic:
        images = ", where a ligand in vacuum would meet its own images" if leg.md.solvent == "vacuum" else ""
        what = f"{leg.md.solvent}: pmemd.cuda decouples in a periodic box{images}"
        problems.append(Problem(where, what, "a leg in water, or fe run with engine openmm"))
    elif is_membrane(leg.folder / leg.topology):
        problems.append(Problem(where, "a membrane: the barostat that is written scales all axes alike", _RIGHT))
    if leg.ion_atoms:
        what = "counter_ion: an ion that loses its charge and keeps its Lennard-Jones is no region of pmemd"
        problems.append(Problem(where, what, "analytic, or abfe_protocol sdr", field="charge_correction"))
    if leg.restraint is not None and not isinstance(leg.restraint, BoreschRestraint):
        what = f"{leg.restraint.kind}: with λ pmemd.cuda scales restraints between atoms, not those between centres"
        problems.append(Problem(where, what, f"boresch, or {_RIGHT}", field="restraint"))
    if not leg.copy_atoms:
        both = [k for k, s in enumerate(leg.states) if s.lambda_electrostatics < 1 and s.lambda_restraints < _full(leg)]
        if both:
            what = f"states {', '.join(map(str, both))} lose charges before they are restrained in full"
            problems.append(Problem(where, what, "first [r, 1, 1], then [1, e, 1], then [1, 0, s]", field="states"))
    return problems


def _where(leg: AlchemicalLeg) -> str:
    return f"leg {leg.leg} with engine amber"


def _full(leg: AlchemicalLeg) -> float:
    return 1.0 if leg.restraint is not None else 0.0


def _by_turns(leg: AlchemicalLeg) -> AmberPath:
    held = leg.restraint is not None
    restrained, charged = (_RESTRAINED if held else 0.0), _CHARGED

    def place(state: LambdaState) -> float:
        if state.lambda_electrostatics == 0:
            return charged + (1 - charged) * inverse_smooth_step(1 - state.lambda_sterics)
        if state.lambda_electrostatics < 1:
            return restrained + (charged - restrained) * inverse_smooth_step(1 - state.lambda_electrostatics)
        return restrained * inverse_smooth_step(state.lambda_restraints)

    found = tuple(round(place(state), DIGITS) for state in leg.states)
    states = tuple(
        LambdaState(
            smooth_step(x / restrained) if held else 0.0,
            1 - smooth_step((x - restrained) / (charged - restrained)),
            1 - smooth_step((x - charged) / (1 - charged)),
        )
        for x in found
    )
    electric = f"smooth_step2, complementary, {restrained:g}, {charged:g}"
    lines = [f"{kind}, {electric}" for kind in ("TypeEleRec", "TypeEleCC", "TypeEleSC")]
    lines.append(f"TypeVDW, smooth_step2, complementary, {charged:g}, 1")
    if held:
        lines.append(f"TypeRestBA, smooth_step2, complementary, {restrained:g}, 0")
    return AmberPath(found, states, tuple(lines))


def _at_once(leg: AlchemicalLeg) -> AmberPath:
    count = len(leg.states)
    found = tuple(round(inverse_smooth_step(float(value)), DIGITS) for value in np.linspace(0, 1, count))
    weights = [smooth_step(x) for x in found]
    states = tuple(LambdaState(w, 1 - w, 1 - w, w) for w in weights)
    note = (
        "sdr by pmemd: restraint, charges and Lennard-Jones of ligand and copy go at once; of the leg's schedule"
        f" the number of states, {count}, is kept, and its ends"
    )
    # pmemd's own schedule is complementary from 0 to 1 for all but what this line turns round
    return AmberPath(found, states, ("TypeRestBA, smooth_step2, symmetric, 1, 0",), (note,))
