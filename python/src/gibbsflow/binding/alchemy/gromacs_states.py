"""The λ states of `periodic_states` in the words of GROMACS: state A coupled, state B decoupled and restrained.

GROMACS has a λ for each kind of term and mixes linearly, E = (1 − λ) E(A) + λ E(B):

* ``coul`` = 1 − λ_e. What a charge does to its surroundings, and its 1–4 products, go with λ_e as they should. Within
  the ligand products go with λ_e², which GROMACS's linear mixture does not give:
* ``bonded`` = 4 (λ_e − λ_e²) is the weight of tabulated pairs −q q′/4r in state B (`topology`), which make up for that.
  What is left of it is the ligand with its own images, (λ_e − λ_e²) times that: nothing at both ends;
* ``vdw`` = 1 − λ_s, with GROMACS's own soft core of Beutler's. Types that are switched off keep their Lennard-Jones
  with each other by explicit pairs of types, equal in A and B, which the soft core leaves alone;
* ``restraint`` = λ_r: the pull code's force constants, 0 in A.

Ions whose charge goes with the ligand's are molecules without charges in state B, with their Lennard-Jones in both.
What their charges do to the ligand's and to each other goes with λ_e, not λ_e²: by (λ_e − λ_e²) times it, nothing at
both ends, another path between them. Beyond the wall (`gromacs_topology`) it is nearly the same at all distances, so
that pairs as within the ligand would make no better path: a lattice's potential is flat where images meet.

From one ligand to another (`hybrid.gromacs_edge`) state A is A and state B is B. ``bonded`` = λ_core; ``coul`` and
``vdw`` are one λ, the mean of how far A's own charges and Lennard-Jones are gone and B's have come, with a soft core on
both: GROMACS has no λ for atoms that go and another one for those that come. What holds two whole ligands to each other
is the same in A and B.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gibbsflow.binding.alchemy.protocols import LegSpec
from gibbsflow.binding.alchemy.restraint.restraints import (
    CentreOfMassRestraint,
    FlatBottomRestraint,
    Restraint,
)
from gibbsflow.binding.alchemy.schedules import HybridState, LambdaState, leg_schedules
from gibbsflow.binding.geometry import middle_atom
from gibbsflow.config.binding import BindingConfig
from gibbsflow.engines.gromacs.parameters import Pull
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import KJ_PER_KCAL, Floats

_ENGINE = "--engine openmm"
_NO_COPY = "it has one λ for all Lennard-Jones, and the ligand's and its copy's change one after the other"
_NO_IONS_OF_EDGES = "of an edge waters become ions, which is not carried over to it"


def gromacs_lambdas(states: Sequence[LambdaState]) -> dict[str, list[float]]:
    """Give the λ of GROMACS's kinds of terms.

    Parameters
    ----------
    states
        Of a leg.

    Returns
    -------
    dict
        Values by kind, one a state.
    """
    if softens_charges(states):
        edge = [state for state in states if isinstance(state, HybridState)]
        core, mixture = [state.lambda_core for state in edge], [_turned(state) for state in edge]
        return {"coul": mixture, "vdw": mixture, "bonded": core}
    e = np.array([state.lambda_electrostatics for state in states])
    s = np.array([state.lambda_sterics for state in states])
    r = np.array([state.lambda_restraints for state in states])
    found = {"coul": 1 - e, "vdw": 1 - s, "bonded": 4 * (e - e * e), "restraint": r}
    return {kind: [float(value) for value in values] for kind, values in found.items()}


def gromacs_slopes(state: LambdaState) -> dict[str, dict[str, float]]:
    """Say how the λ of GROMACS's kinds of terms follow those of a state: derivatives with respect to its own are sums.

    Parameters
    ----------
    state
        Of a leg.

    Returns
    -------
    dict
        By name of λ, in the order of the state: what each kind gains per unit of it, of those that do.
    """
    if softens_charges([state]):
        going, coming = {"coul": -0.25, "vdw": -0.25}, {"coul": 0.25, "vdw": 0.25}
        return {
            name: {"bonded": 1.0} if name == "lambda_core" else coming if name.endswith("_new") else going
            for name in state.as_dict()
        }
    return {
        "lambda_restraints": {"restraint": 1.0},
        "lambda_electrostatics": {"coul": -1.0, "bonded": 4 - 8 * state.lambda_electrostatics},
        "lambda_sterics": {"vdw": -1.0},
    }


def softens_charges(states: Sequence[LambdaState]) -> bool:
    """Say whether charges have a soft core, as they do where they change together with Lennard-Jones.

    Parameters
    ----------
    states
        Of a leg.

    Returns
    -------
    bool
        True from one ligand to another.
    """
    return isinstance(states[0], HybridState)


def _turned(state: HybridState) -> float:
    gone = 2 - state.lambda_electrostatics - state.lambda_sterics
    return float(gone + state.lambda_sterics_new + state.lambda_electrostatics_new) / 4


def check_gromacs_leg(states: Sequence[LambdaState], soft_core: str, *, where: str) -> None:
    """Refuse λ states that GROMACS cannot take.

    Parameters
    ----------
    states
        Of a leg in a box.
    soft_core
        Of the settings.
    where
        What messages call the leg.

    Raises
    ------
    InputError
        For charges that are on while Lennard-Jones is not in full, and another soft core.
    """
    problems = []
    if soft_core != "beutler":
        problems.append(Problem(where, f"{soft_core} with engine gromacs", f"beutler, or {_ENGINE}", field="soft_core"))
    bare = [] if softens_charges(states) else [str(k) for k, state in enumerate(states) if _bare(state)]
    if bare:
        what = f"states {', '.join(bare)} have charges without full Lennard-Jones, which GROMACS refuses"
        problems.append(Problem(where, what, f"lambda_electrostatics 0 before lambda_sterics < 1, or {_ENGINE}"))
    if problems:
        raise InputError(problems)


def _bare(state: LambdaState) -> bool:
    return state.lambda_sterics < 1 and state.lambda_electrostatics > 0


def gromacs_problems(config: BindingConfig, protocol: Sequence[LegSpec], *, where: str) -> list[Problem]:
    """Say what of the settings GROMACS cannot run, before anything is made for it.

    Parameters
    ----------
    config
        Settings whose engine is or may be GROMACS.
    protocol
        Legs that there will be.
    where
        What messages call the settings.

    Returns
    -------
    list of Problem
        Empty where it can.
    """
    fe, problems = config.fe, list[Problem]()
    solvation = any(leg.medium == "vacuum" for leg in protocol)  # which has no copy, and whose ions no engine has
    if fe.abfe_protocol == "sdr" and not solvation:
        what = f"sdr with engine gromacs: {_NO_COPY}"
        problems.append(Problem(where, what, f"double_decoupling, or {_ENGINE}", field="abfe_protocol"))
    if fe.charge_correction == "counter_ion" and any(leg.relative for leg in protocol) and not solvation:
        what = f"counter_ion with engine gromacs: {_NO_IONS_OF_EDGES}"
        problems.append(Problem(where, what, _ENGINE, field="charge_correction"))
    schedules = leg_schedules(fe, protocol)
    for leg in protocol:
        if leg.medium == "solvent":
            try:
                check_gromacs_leg(schedules[leg.name], fe.soft_core, where=where)
            except InputError as error:
                problems += [problem for problem in error.problems if problem not in problems]
    return problems


def pulls(
    restraint: Restraint | None, positions_nm: Floats, box_nm: Floats, masses_amu: Floats, *, always: bool = False
) -> list[Pull]:
    """Say a restraint in coordinates of the pull code.

    Parameters
    ----------
    restraint
        At full strength; None for none.
    positions_nm
        A structure, shape (N, 3), nm: the pull code's reference against the periodic box is the atom nearest to the
        middle of a group.
    box_nm
        Its periodic box, vectors as rows, shape (3, 3), nm.
    masses_amu
        Shape (N,). The pull code weighs by mass, and centroids here are means of positions.
    always
        Whether it is on in all states; else its force constants go with λ_r.

    Returns
    -------
    list of Pull
        Coordinates with their groups.

    Raises
    ------
    InputError
        For a group that is too wide for its box.
    """
    if restraint is None:
        return []
    if isinstance(restraint, CentreOfMassRestraint | FlatBottomRestraint):
        groups = (restraint.receptor_atoms, restraint.ligand_atoms)
        k = restraint.k_kcal_per_mol_angstrom2 * KJ_PER_KCAL * 100
        weights = tuple(tuple(float(1 / masses_amu[atom]) for atom in group) for group in groups)
        found = [middle_of_group(group, positions_nm, box_nm) for group in groups]
        middles, wide = tuple(atom for atom, _ in found), any(reach > _WIDE for _, reach in found)
        if isinstance(restraint, FlatBottomRestraint):
            rest = restraint.radius_angstrom / 10
            return [Pull("distance", groups, rest, k, weights, middles, "flat-bottom", wide, always)]
        return [Pull("distance", groups, restraint.r0_angstrom / 10, k, weights, middles, wide=wide, always=always)]
    (p1, p2, p3), (l1, l2, l3) = restraint.receptor, restraint.ligand
    k_r = restraint.k_r_kcal_per_mol_angstrom2 * KJ_PER_KCAL * 100
    k_angle = restraint.k_angle_kcal_per_mol_rad2 * KJ_PER_KCAL
    terms: list[tuple[str, tuple[int, ...], float, float]] = [
        ("distance", (p1, l1), restraint.r0_angstrom / 10, k_r),
        ("angle", (p1, p2, p1, l1), restraint.theta_a_deg, k_angle),
        ("angle", (l1, p1, l1, l2), restraint.theta_b_deg, k_angle),
        ("dihedral", (p3, p2, p2, p1, p1, l1), restraint.phi_a_deg, k_angle),
        ("dihedral", (p2, p1, p1, l1, l1, l2), restraint.phi_b_deg, k_angle),
        ("dihedral", (p1, l1, l1, l2, l2, l3), restraint.phi_c_deg, k_angle),
    ]
    return [Pull(kind, tuple((atom,) for atom in atoms), rest, k, always=always) for kind, atoms, rest, k in terms]


_WIDE = 0.499
"""Of half the box: where a group reaches farther than half of that, grompp asks for its centre a step before."""


def middle_of_group(
    group: Sequence[int], positions_nm: Floats, box_nm: Floats, *, field: str = "restraint"
) -> tuple[int, float]:
    """Find the atom that is nearest to the middle of a group, by whose nearest images the others are found.

    Parameters
    ----------
    group
        Its atoms.
    positions_nm
        A structure, shape (N, 3), nm.
    box_nm
        Its periodic box, vectors as rows, shape (3, 3), nm.
    field
        The setting that messages name.

    Returns
    -------
    atom
        One of the group.
    reach
        How far from it the others are, of half the box.

    Raises
    ------
    InputError
        For a group that is too wide for its box.
    """
    middle = middle_atom(group, positions_nm)
    reach = float(np.linalg.norm(positions_nm[list(group)] - positions_nm[middle], axis=1).max())
    half = float(np.diag(box_nm).min()) / 2
    if reach > 0.9 * half:
        of, right = _WIDE_GROUPS[field]
        what = f"{of} reaches {reach:.2f} nm from its middle, and half the box is {half:.2f} nm"
        raise InputError(Problem("fe", what, f"{right}, or {_ENGINE}", field=field))
    return middle, reach / half


_WIDE_GROUPS = {
    "restraint": ("a group of the restraint", "fewer atoms (site), a larger box"),
    "charge_correction": ("the solute that counter-ions are kept from", "a larger box"),
}
