"""Input for a LAMMPS of the user's own: the potential, and commands that compute its grade and halt outside its range.

The grade γ = max_j |(b A⁻¹)_j| (:mod:`gibbsflow.potential.train.shared.grade`) is linear in the descriptors before the
modulus, and LAMMPS' atom-style variables hold linear forms. So the active sets are written out as variables of
``compute pod/atom``, and a LAMMPS with ML-POD needs neither Python nor another package.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from gibbsflow.config.potential_training import Exploration
from gibbsflow.engines.lammps import FRICTION_PS, timestep_ps
from gibbsflow.potential.train.shared.grade import ActiveSet, Grader
from gibbsflow.potential.train.shared.protocols import Potential
from gibbsflow.units import KB_EV_PER_K, Floats
from gibbsflow.workflow.files import atomic_open

POTENTIAL_INPUT, GRADE_INPUT, RUN_INPUT, START = "in.potential", "in.grade", "in.md", "start.data"
UNKNOWN = "unknown.lammpstrj"
DESCRIPTORS = "grade_b"
"""Name of the compute of the descriptors; a potential's commands write files that begin with it."""
# LAMMPS has no maximum over several values of an atom: a maximum of n takes n² of them, so it is taken in two steps
_BLOCK = 12
_LINE = 116
_HOT, _LEAST_K = 10.0, 300.0
"""Atoms fly apart where they are hotter than this times the thermostat's aim, or than this times so many K."""


def linear_forms(own: ActiveSet) -> tuple[Floats, Floats]:
    """Write ``b A⁻¹`` of an element as linear forms of its plain descriptors.

    Parameters
    ----------
    own
        Active set of the element.

    Returns
    -------
    constants : ndarray
        Shape (r,); one more where the set has a floor, which is that constant.
    slopes : ndarray
        Shape (d, r) or (d, r + 1): the grade is the largest modulus of ``constants + descriptors @ slopes``.
    """
    slopes = (own.axes / own.scale[:, None]) @ own.inverse[1:]
    constants = own.inverse[0] - own.mean @ slopes
    if own.floor:
        return np.append(constants, own.floor), np.column_stack([slopes, np.zeros(len(slopes))])
    return np.asarray(constants), np.asarray(slopes)


def grade_input(grader: Grader, descriptors: Sequence[str], *, lower: float, upper: float, interval: int) -> str:
    """Commands that compute the grade of each atom every so many steps, and halt where it is too large.

    Parameters
    ----------
    grader
        Active sets.
    descriptors
        Commands that make :data:`DESCRIPTORS` compute the descriptors of each atom.
    lower
        Frames from this grade on are written.
    upper
        MD halts from this grade on.
    interval
        Steps between two looks.

    Returns
    -------
    str
        To be included after the potential; ``-var grade_every``, ``grade_collect`` and ``grade_stop`` override.
    """
    lines = [
        "# Extrapolation grade of this potential: atom-style variable grade, its largest value grade_max.",
        "# Up to 1 the surroundings of an atom are inside of what the potential was trained on; from grade_collect on",
        f"# frames are written to {UNKNOWN}, and from grade_stop on the run halts. Values are new every grade_every",
        "# steps; print them (thermo, dump) at multiples of it. A group is fixed when this is read: atoms must keep",
        "# their types.",
        f"variable grade_every index {interval}",
        f"variable grade_collect index {lower:.10g}",
        f"variable grade_stop index {upper:.10g}",
        *descriptors,
    ]
    finals = []
    for number, (symbol, own) in enumerate(grader.sets.items(), 1):
        name = f"grade_{number}"
        forms = list(_forms(own))
        lines += ["", f"# {symbol}: {len(forms)} linear forms of {len(own.mean)} descriptors"]
        lines.append(f"group {name} type {number}")
        lines += [line for j, form in enumerate(forms, 1) for line in _variable(f"{name}_{j}", form)]
        lines += _stored(f"{name}_y", name, [f"v_{name}_{j}" for j in range(1, len(forms) + 1)])
        kept = _columns(f"f_{name}_y", len(forms))
        if len(kept) > _BLOCK:
            blocks = [kept[k : k + _BLOCK] for k in range(0, len(kept), _BLOCK)]
            lines += [line for k, own_block in enumerate(blocks, 1)
                      for line in _variable(f"{name}_m{k}", largest(own_block))]  # fmt: skip
            lines += _stored(f"{name}_m", name, [f"v_{name}_m{k}" for k in range(1, len(blocks) + 1)])
            kept = _columns(f"f_{name}_m", len(blocks))
        finals.append(largest(kept))  # zero for atoms of other elements
    lines += [
        "",
        *_variable("grade", "+".join(finals)),
        "compute grade_largest all reduce max v_grade",
        "variable grade_max equal c_grade_largest",
        "variable grade_known equal v_grade_max<${grade_collect}",
        f"dump grade_frames all custom ${{grade_every}} {UNKNOWN} id type x y z v_grade",
        "dump_modify grade_frames sort id format float %.10g skip v_grade_known",
        "# share of the looks so far at which it was at or above grade_collect",
        "variable grade_over equal v_grade_max>=${grade_collect}",
        "fix grade_share all ave/time ${grade_every} 1 ${grade_every} v_grade_over ave running",
        "fix grade_last all ave/time ${grade_every} 1 ${grade_every} v_grade_max",
        "fix grade_halt all halt ${grade_every} v_grade_max >= ${grade_stop} error soft message yes",
    ]
    return "\n".join(lines) + "\n"


def run_input(settings: Exploration, *, species: Sequence[str], seed: int, lists: Sequence[str] = ()) -> str:
    """A whole input: start, potential, grade and dynamics, which ends by itself outside of the range.

    Parameters
    ----------
    settings
        Section ``exploration``: ensemble, temperatures, pressures, time step, steps.
    species
        Chemical symbols in the order of LAMMPS' types.
    seed
        Of velocities and thermostat.
    lists
        Commands for the neighbour lists that the start needs.

    Returns
    -------
    str
        For ``lmp -in in.md``.
    """
    end_k = settings.temperature_end_k or settings.temperature_k
    apart_ev = 1.5 * KB_EV_PER_K * _HOT * max(settings.temperature_k, end_k, _LEAST_K)
    end_bar = settings.pressure_end_bar if settings.pressure_end_bar is not None else settings.pressure_bar
    ensemble = (
        f"fix move all nph iso {settings.pressure_bar:.10g} {end_bar:.10g} 1.0"
        if settings.ensemble == "npt"
        else "fix move all nve"
    )
    return "\n".join([
        f"# lmp -in {RUN_INPUT}; atom types in the order {' '.join(species)}",
        f"variable steps index {settings.steps}",
        f"variable start index {START}",
        "units metal", "atom_style atomic", "atom_modify map array", "box tilt large", "read_data ${start}",
        *lists,
        f"include {POTENTIAL_INPUT}",
        f"include {GRADE_INPUT}",
        f"# {settings.timestep_fs:g} fs: 1 fs is usual, and with hydrogen 0.5 fs",
        f"timestep {timestep_ps(settings.timestep_fs):.10g}",
        f"velocity all create {settings.temperature_k:.10g} {seed} mom yes rot no dist gaussian",
        *_mass_checks(species),
        ensemble,
        f"fix heat all langevin {settings.temperature_k:.10g} {end_k:.10g} {FRICTION_PS} {seed} zero yes",
        "thermo ${grade_every}", "thermo_style custom step temp pe press v_grade_max",
        "# atoms that are thrown out between two looks would end the run without a word about the grade, and with an",
        "# error of a fix once all are gone: their kinetic energy (eV an atom) and number are looked at in each step",
        "thermo_modify lost warn",
        f"variable apart_stop index {apart_ev:.6g}",
        "variable lost equal $(atoms)-count(all)",
        "fix lost_halt all halt 1 v_lost > 0 error soft message yes",
        "variable kinetic equal ke(all)/$(atoms)",
        "variable apart equal (v_kinetic>${apart_stop})||(v_kinetic!=v_kinetic)",
        "fix apart_halt all halt 1 v_apart > 0 error soft message yes",
        "# fix halt looks at steps, not at the start",
        "run 0",
        'if "$(v_grade_max) >= ${grade_stop}" then &',
        '  "print \'the start lies outside of the range of this potential: grade $(v_grade_max)\'" &',
        '  "quit 3"',
        "# up to a look at the grade, of which there is no value in between",
        "run $(ceil(v_steps/v_grade_every)*v_grade_every)",
        'if "$(f_grade_share) > 0" then &',
        "  \"print 'warning: $(100*f_grade_share:%.3g) % of the looks met grades of ${grade_collect} and more: see &",
        f"{UNKNOWN}'\"",
        'if "$(f_grade_last) >= ${grade_stop}" then &',
        '  "print \'halted outside of the range of this potential: grade $(f_grade_last) at step $(step)\'" &',
        '  "quit 3"',
        'if "$(v_lost) > 0" then &',
        '  "print \'halted outside of the range of this potential: $(v_lost) atoms were lost by step $(step), grade &',
        '$(f_grade_last) when last looked at\'" &',
        '  "quit 3"',
        'if "$(v_apart) > 0" then &',
        '  "print \'halted outside of the range of this potential: atoms fly apart at step $(step), with &',
        '$(v_kinetic:%.3g) eV of kinetic energy an atom; grade $(f_grade_last) when last looked at\'" &',
        '  "quit 3"',
    ]) + "\n"  # fmt: skip


def write_grade(
    folder: Path, potential: Potential, grader: Grader, *, lower: float, upper: float, interval: int
) -> None:
    """Write what computes the grade.

    Parameters
    ----------
    folder
        Folder of the potential's files.
    potential
        The potential, which knows how LAMMPS computes its descriptors.
    grader
        Its active sets.
    lower, upper
        Thresholds of :func:`grade_input`.
    interval
        Steps between two looks.
    """
    descriptors = potential.descriptor_commands(DESCRIPTORS, grader.basis, folder)
    text = grade_input(grader, descriptors, lower=lower, upper=upper, interval=interval)
    with atomic_open(folder / GRADE_INPUT, "w") as file:
        file.write(text)


def largest(values: Sequence[str]) -> str:
    """Largest of several values as a formula of LAMMPS' variables.

    Parameters
    ----------
    values
        Formulas that stand for numbers of at least zero.

    Returns
    -------
    str
        By max(a, b) = (a + b + |a − b|) / 2; each value occurs as often as there are values, up to a factor of two.
    """
    if len(values) == 1:
        return values[0]
    a, b = largest(values[: len(values) // 2]), largest(values[len(values) // 2 :])
    return f"(0.5*({a}+{b}+abs({a}-({b}))))"


def _mass_checks(species: Sequence[str]) -> Iterable[str]:
    """Stop where a type has a mass nearer to that of another element: the data file has types in another order."""
    from ase.data import atomic_masses, atomic_numbers

    def off(number: int, symbol: str) -> str:
        mass = atomic_masses[atomic_numbers[symbol]]
        return f"abs(mass(grade_{number})-{mass:.6g}*count(grade_{number}))"

    for number, symbol in enumerate(species, 1):
        nearer = [f"({off(number, symbol)}>{off(number, other)})" for other in species if other != symbol]
        if nearer:
            yield f'if "$({"||".join(nearer)}) != 0" then &'
            yield f"  \"print 'type {number} is {symbol} here, and has the mass of another element'\" &"
            yield '  "quit 4"'


def _forms(own: ActiveSet) -> Iterable[str]:
    constants, slopes = linear_forms(own)
    for constant, column in zip(constants, slopes.T, strict=True):
        terms = "".join(f"{slope:+.16g}*c_{DESCRIPTORS}[{k}]" for k, slope in enumerate(column, 1) if slope)
        yield f"abs({constant:.16g}{terms})"


def _columns(source: str, count: int) -> list[str]:
    """Names of the columns of what :func:`_stored` keeps, which is a vector where it is one."""
    return [source] if count == 1 else [f"{source}[{k}]" for k in range(1, count + 1)]


def _stored(name: str, group: str, values: Sequence[str]) -> list[str]:
    """A fix that keeps values of this step, so that each is computed once."""
    return _broken([f"fix {name} {group} ave/atom ${{grade_every}} 1 ${{grade_every}}", *values])


def _variable(name: str, formula: str) -> list[str]:
    """An atom-style variable; a formula may not hold blanks, so it is broken at its signs, within the word."""
    lines = textwrap.wrap(formula, _LINE, break_on_hyphens=False)
    return [f"variable {name} atom &", *(f"{line}&" for line in lines[:-1]), lines[-1]]


def _broken(words: Sequence[str]) -> list[str]:
    lines = textwrap.wrap(" ".join(words), _LINE, break_long_words=False, break_on_hyphens=False)
    return [f"{line} &" for line in lines[:-1]] + lines[-1:]
