"""What a POD basis costs in MD, and which of the bases that were tried are the most accurate for their cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import psutil
from ase import Atoms
from ase.build import bulk

from gibbsflow.config.potential_training import Goal
from gibbsflow.engines.lammps import Lammps
from gibbsflow.engines.lammps_frame import to_frame
from gibbsflow.potential.data.neighbours import pairs_within
from gibbsflow.potential.train.trainers.pod_basis import PodBasis
from gibbsflow.units import Floats

PRICE: Mapping[Goal, float] = {"accuracy": 0.0, "balanced": 0.15, "speed": 0.5}
"""Exponents in what is minimised, score × cost^price: halving the cost is worth 0, 10 or 29 % of the score."""
SPEED, SCORE = "md_us_per_atom_step", "validation_score"
_ATOMS, _REPEATS = 200, 2
# processor time is told to a hundredth of a second
_ENOUGH_S, _MOST_STEPS = 0.15, 100
# pair_style pod of the 2025 release crashes on atoms with hardly a neighbour
_FEWEST_NEIGHBOURS = 6
# a close packing at it has 5.7 Å^3 an atom as diamond has; at an O-H bond it would have 0.6, and overflow LAMMPS' lists
_CLOSEST_ANGSTROM = 2.0


def dense(atoms: Atoms, cutoff_angstrom: float, neighbour_angstrom: float) -> Atoms:
    """Give a structure to measure the speed of MD on.

    Parameters
    ----------
    atoms
        A typical one.
    cutoff_angstrom
        Cutoff of the potential.
    neighbour_angstrom
        Distance of nearest neighbours.

    Returns
    -------
    Atoms
        The same, repeated until it is large enough; in its place a close packing, of 2 Å at least, where it is not
        periodic or its atoms have hardly a neighbour.
    """
    pairs = len(pairs_within(atoms, cutoff_angstrom)[0])
    if not atoms.pbc.all() or pairs < _FEWEST_NEIGHBOURS * len(atoms):
        symbols = sorted(set(atoms.get_chemical_symbols()))
        nearest = max(neighbour_angstrom, _CLOSEST_ANGSTROM)
        atoms = bulk(symbols[0], "fcc", a=2**0.5 * nearest, cubic=True) * (4, 4, 4)
        atoms.symbols[:] = [symbols[k % len(symbols)] for k in range(len(atoms))]
    while len(atoms) < _ATOMS:
        lengths = list(atoms.cell.lengths())
        repeat = [1, 1, 1]
        repeat[lengths.index(min(lengths))] = 2
        atoms = atoms * repeat
    return atoms


def md_cost_us(lammps: Lammps, atoms: Atoms, basis: PodBasis, coefficients: Floats) -> float:
    """Time of one MD step with ``pair_style pod`` on one core, for each atom.

    The least processor time of a few short runs counts, since other work on the machine can only make them longer.

    Parameters
    ----------
    lammps
        The process; its folder gets the basis' files.
    atoms
        As :func:`dense` gives it.
    basis
        The basis.
    coefficients
        Any; the time does not depend on them. Shape (columns,).

    Returns
    -------
    float
        Microseconds.
    """
    frame = to_frame(atoms, basis.species, basis.rcut_angstrom)
    (lammps.folder / f"{lammps.name}.pod").write_text(basis.text())
    (lammps.folder / f"{lammps.name}.coefficients").write_text(basis.coefficient_text(0 * coefficients))
    pair = f"pair_coeff * * {lammps.name}.pod {lammps.name}.coefficients {' '.join(basis.species)}"
    # nothing moves: what is timed is the pair style, and steps without a new neighbour list
    lammps.run([*lammps.load(frame), "pair_style pod", pair, "mass * 1.0", "fix md all nve", "run 1 post no"])
    process = psutil.Process(lammps.process.pid)

    def _seconds(steps: int) -> float:
        before = process.cpu_times()
        lammps.run([f"run {steps} pre no post no"])
        after = process.cpu_times()
        return after.user - before.user + after.system - before.system

    steps = int(np.clip(_ENOUGH_S / max(_seconds(1), 1e-3), 2, _MOST_STEPS))
    return 1e6 * min(_seconds(steps) for _ in range(_REPEATS)) / (steps * len(atoms))


def objective(record: Mapping[str, Any], goal: Goal) -> float:
    """What a search for a goal makes small.

    Parameters
    ----------
    record
        Of one trial: its validation score and its cost in MD.
    goal
        What counts.

    Returns
    -------
    float
        Score × cost^price, of :data:`PRICE`.
    """
    return float(record[SCORE] * record[SPEED] ** PRICE[goal])


def pareto_front(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Trials than which no other is both as accurate and as fast, the fastest first.

    Parameters
    ----------
    records
        Of the trials on all frames.

    Returns
    -------
    list of dict
        Those on the front.
    """
    front: list[dict[str, Any]] = []
    for record in sorted(records, key=lambda r: (r[SPEED], r[SCORE])):
        if not front or record[SCORE] < front[-1][SCORE]:
            front.append(dict(record))
    return front
