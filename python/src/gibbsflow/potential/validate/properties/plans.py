"""How a property is measured by whatever model: a plan asks for structures and is answered with energies and forces.

A plan is a generator. It yields structures that can be computed side by side, is sent what a model says of each, and
returns what it has measured. So the same plan is answered by a potential in this process, or by DFT through the queue
of labels; and asked of a potential, it tells how many labels it would take.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self, TypeVar

import numpy as np
from ase import Atoms

from gibbsflow.errors import EngineError, NumericalError, UnconvergedError
from gibbsflow.potential.train.shared.metrics import Prediction

T = TypeVar("T")
Plan = Generator[list[Atoms], list[Prediction], T]
Evaluate = Callable[[list[Atoms]], list[Prediction]]
_MAXSTEP_ANGSTROM = 0.1


@dataclass(frozen=True)
class Measured:
    """What was measured of one property by one model.

    Attributes
    ----------
    values
        By quantity, in the units of :mod:`gibbsflow.potential.validate.quantities`.
    failures
        What is wrong with the model by itself, whatever it is compared with.
    warnings
        What is doubtful.
    notes
        What is to be known.
    curves
        What is drawn, and compared point by point.
    lost
        Why nothing could be measured; empty where it was.
    errors
        Standard errors of values that have one.
    """

    values: Mapping[str, float]
    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    curves: Mapping[str, Any] = field(default_factory=dict)
    lost: str = ""
    errors: Mapping[str, float] = field(default_factory=dict)

    def finite(self) -> Self:
        """Leave out values that are no numbers, and say so; numbers of curves that are none become None.

        Returns
        -------
        Measured
            A copy that any file of JSON can hold.
        """
        odd = [name for name, value in self.values.items() if not np.isfinite(value)]
        told = (f"no finite {', '.join(odd)}",) if odd else ()
        values = {name: float(value) for name, value in self.values.items() if name not in odd}
        errors = {name: float(error) for name, error in self.errors.items() if name in values and np.isfinite(error)}
        warnings = (*self.warnings, *told)
        return replace(self, values=values, warnings=warnings, curves=_finite(self.curves), errors=errors)

    def as_json(self) -> dict[str, Any]:
        """Give it for a file.

        Returns
        -------
        dict
            As :meth:`of_json` takes it.
        """
        return asdict(self)

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` gave.

        Parameters
        ----------
        content
            From a file.

        Returns
        -------
        Measured
            The same.

        Raises
        ------
        TypeError
            Where it is something else.
        """
        lists: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}
        return cls(**lists)


def answered(plan: Plan[T], evaluate: Evaluate) -> T:
    """Carry a plan out.

    Parameters
    ----------
    plan
        The plan, not begun.
    evaluate
        What answers it.

    Returns
    -------
    Any
        What the plan returns.
    """
    try:
        frames = next(plan)
        while True:
            frames = plan.send(evaluate(frames))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def by_calculator(calculator: Any) -> Evaluate:
    """Answer plans with a calculator of ASE.

    Parameters
    ----------
    calculator
        Gives energy and forces, and stress of what is periodic in all directions.

    Returns
    -------
    callable
        For :func:`answered`.
    """

    def _evaluate(frames: list[Atoms]) -> list[Prediction]:
        found = []
        for frame in frames:
            atoms = frame.copy()
            atoms.set_constraint()
            atoms.calc = calculator
            try:
                stress = np.asarray(atoms.get_stress()) if atoms.pbc.all() else None
                found.append(Prediction(float(atoms.get_potential_energy()), np.asarray(atoms.get_forces()), stress))
            except EngineError:
                # the program behind it may be gone: the next structure starts another
                calculator.close()
                raise
        return found

    return _evaluate


def asked(frames: Sequence[Atoms], *, whatever: bool = False) -> Plan[list[Atoms]]:
    """Ask for structures as they are.

    Parameters
    ----------
    frames
        The structures.
    whatever
        Whether energies and forces that are not finite are given back, too.

    Returns
    -------
    list of Atoms
        Copies that carry energy, forces and stress.

    Raises
    ------
    NumericalError
        Where energy or forces are not finite.
    """
    made = [frame.copy() for frame in frames]
    for atoms, prediction in zip(made, (yield made), strict=True):
        _attach(atoms, prediction, whatever=whatever)
    return made


def relaxed(
    frames: Sequence[Atoms], *, force_max: float, steps: int, cell: str = "held", tolerate: bool = False
) -> Plan[list[Atoms | None]]:
    """Relax structures side by side (BFGS), each until its forces are small.

    Parameters
    ----------
    frames
        The structures; constraints of their symmetry stay.
    force_max
        Largest force where it ends, eV/Å; of a cell that moves, also the largest virial an atom, eV.
    steps
        Steps at most.
    cell
        ``held``, ``free``, or ``shape``: all but the volume.
    tolerate
        Whether one that does not relax is left out; else it ends the plan.

    Returns
    -------
    list of Atoms or None
        Relaxed copies that carry energy, forces and stress; None for what did not relax and is tolerated.

    Raises
    ------
    NumericalError
        Where energy or forces are not finite.
    UnconvergedError
        Where one does not relax.
    """
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    made = [frame.copy() for frame in frames]
    movers: list[Any] = [
        BFGS(
            atoms if cell == "held" else FrechetCellFilter(atoms, constant_volume=cell == "shape"),  # type: ignore[arg-type]
            logfile=None, maxstep=_MAXSTEP_ANGSTROM,
        )
        for atoms in made
    ]  # fmt: skip
    moving = list(range(len(made)))
    largest = {}
    for _ in range(steps + 1):
        answers = yield [made[n].copy() for n in moving]
        still = []
        for n, prediction in zip(moving, answers, strict=True):
            _attach(made[n], prediction)
            gradient = np.asarray(movers[n].optimizable.get_gradient()).reshape(-1, 3)
            largest[n] = float(np.linalg.norm(gradient, axis=1).max())
            if largest[n] > force_max:
                still.append(n)
        moving = still
        if not moving:
            break
        if _ < steps:
            for n in moving:
                movers[n].step()
    for mover in movers:
        mover.close()
    if moving and not tolerate:
        what = f"{made[moving[0]].get_chemical_formula()} does not relax within {steps} steps"
        raise UnconvergedError(f"{what}: a force of {largest[moving[0]]:.3g} eV/Å is left")
    return [None if n in moving else atoms for n, atoms in enumerate(made)]


def all_relaxed(frames: Sequence[Atoms], *, force_max: float, steps: int, cell: str = "held") -> Plan[list[Atoms]]:
    """Relax structures as :func:`relaxed` does, each of which must.

    Parameters
    ----------
    frames, force_max, steps, cell
        As there.

    Returns
    -------
    list of Atoms
        As there.
    """
    made = yield from relaxed(frames, force_max=force_max, steps=steps, cell=cell)
    return [atoms for atoms in made if atoms is not None]


def energy_of(atoms: Atoms) -> float:
    """Read the energy that a structure carries.

    Parameters
    ----------
    atoms
        As :func:`asked` and :func:`relaxed` give it.

    Returns
    -------
    float
        In eV.
    """
    return float(atoms.calc.results["energy"])


def _attach(atoms: Atoms, prediction: Prediction, *, whatever: bool = False) -> None:
    from ase.calculators.singlepoint import SinglePointCalculator

    finite = np.isfinite(prediction.energy_ev) and np.isfinite(prediction.forces_ev_per_angstrom).all()
    if not finite and not whatever:
        raise NumericalError(f"{atoms.get_chemical_formula()}: energy or forces are not finite")
    results: dict[str, Any] = {"energy": prediction.energy_ev, "forces": prediction.forces_ev_per_angstrom}
    if prediction.stress_ev_per_angstrom3 is not None:
        results["stress"] = prediction.stress_ev_per_angstrom3
    atoms.calc = SinglePointCalculator(atoms, **results)


def _finite(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not np.isfinite(content) else content
