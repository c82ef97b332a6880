"""Melting by coexistence: crystal and melt in one box, which find the temperature at which both stay.

The box keeps its enthalpy (J. R. Morris and X. Song, J. Chem. Phys. 116, 9352 (2002)): below the melting temperature
some melt freezes and warms it, above some crystal melts and cools it. Slow growth would leave it where it started, and
so it is started from both sides: what they agree on is the melting temperature, and what they do not is not decided.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gibbsflow.config.potential_validation import Validation
from gibbsflow.engines.lammps_frame import Frame, to_frame
from gibbsflow.errors import ScienceError
from gibbsflow.potential.validate.ensembles.block_averages import block_average
from gibbsflow.potential.validate.ensembles.crystalline_order import CrystallineOrder
from gibbsflow.potential.validate.ensembles.md_runs import Conditions, MdRuns, Run
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import Measured
from gibbsflow.units import Floats

log = logging.getLogger(__name__)
_LONG = 3
"""The box is so many times as long as it is wide, for two interfaces apart from each other."""
_LEAST_SLICES = 6
"""Cells along the axis: fewer leave no slice of the melt that is not beside an interface."""
_HOTTER, _ATTEMPTS = 1.5, 3
"""The half that melts is heated to so many times the top of the range, and where that is too little again."""
_MOLTEN = 0.25
"""Share of the crystal's order below which it is a melt."""
_SHORT_OF_RUN, _LEAST_PS = 0.1, 2.0
"""Lengths of what comes before the run that counts."""
_BESIDE = 0.04
"""Share of the temperature by which a start lies beside what is known."""
_AGREE = 0.03
"""Share of the temperature by which runs from both sides may differ beyond their errors."""


@dataclass(frozen=True)
class Coexistence:
    """What became of crystal and melt.

    Attributes
    ----------
    start_k
        Temperature they started at.
    phase
        What is left: ``both``, ``solid`` or ``liquid``.
    temperature_k, error_k
        Mean over the last half, and its standard error.
    solid
        Share of the box that is crystal at the end, from 0 to 1.
    """

    start_k: float
    phase: Literal["both", "solid", "liquid"]
    temperature_k: float
    error_k: float
    solid: float

    def words(self) -> str:
        """Say it.

        Returns
        -------
        str
            Start, end and what is left.
        """
        left = {"both": f"{self.solid:.0%} crystal", "solid": "all crystal", "liquid": "all melt"}[self.phase]
        return f"from {self.start_k:.0f} K: {self.temperature_k:.0f} ± {self.error_k:.0f} K, {left}"


def melting(rest: Crystal, settings: Validation, md: MdRuns) -> Measured:
    """Find the melting temperature at no pressure.

    Parameters
    ----------
    rest
        The crystal at rest; the interface is normal to its third axis.
    settings
        Range, atoms, length and number of runs.
    md
        Runs the potential.

    Returns
    -------
    Measured
        ``melting_temperature``, K, with its error: half of what both sides differ by, and that of the means; or no
        value and a warning that says why it is not decided.

    Raises
    ------
    ScienceError
        Where no half of the crystal can be melted, or the potential blows up.
    """
    assert settings.melting_range_k is not None  # noqa: S101 - the settings check it
    low, high = settings.melting_range_k
    start_k, pair = (low + high) / 2, None
    done: list[Coexistence] = []
    while len(done) < settings.melting_runs_max:
        found = _coexist(rest, settings, md, start_k, len(done))
        log.info("coexistence %s", found.words())
        done.append(found)
        if pair := agreed(done):
            break
        next_k, low, high = _next_start(done, low, high)
        start_k = min(max(next_k, settings.melting_range_k[0]), settings.melting_range_k[1])
    notes = [one.words() for one in done]
    if len(rest.elements) > 1:
        notes.append("of a compound: both phases keep its composition, as where it melts as one")
    curves = {"runs": [vars(one) for one in done]}
    if pair is None:
        ends = f"between {low:.0f} and {high:.0f} K" if low < high else f"in {len(done)} runs"
        both = [one for one in done if one.phase == "both"]
        why = "both phases stay, and starts from below and above do not meet" if both else "one phase takes all"
        right = "validation.melting_ps or melting_atoms_min larger" if both else "another validation.melting_range_k"
        return Measured({}, warnings=(f"not decided {ends}: {why} ({right})",), notes=tuple(notes), curves=curves)
    below, above = pair
    value = (below.temperature_k + above.temperature_k) / 2
    error = math.hypot((above.temperature_k - below.temperature_k) / 2, math.hypot(below.error_k, above.error_k) / 2)
    return Measured({"melting_temperature": value}, notes=tuple(notes), errors={"melting_temperature": error},
                    curves=curves)  # fmt: skip


def agreed(done: list[Coexistence]) -> tuple[Coexistence, Coexistence] | None:
    """Find the start from below that ends highest and the one from above that ends lowest, where they have met.

    They have, where they end no farther apart than their errors and 3 %, and no farther than half of what they started
    with: boxes that stay where they start tell nothing.

    Parameters
    ----------
    done
        Runs.

    Returns
    -------
    tuple or None
        From below and from above; None where none have met.
    """
    rose, fell = _sides(done)
    if not rose or not fell:
        return None
    below, above = max(rose, key=lambda one: one.temperature_k), min(fell, key=lambda one: one.temperature_k)
    apart = abs(above.temperature_k - below.temperature_k)
    bound = _AGREE * below.temperature_k + 2 * math.hypot(below.error_k, above.error_k)
    return (below, above) if apart <= min(bound, (above.start_k - below.start_k) / 2) else None


def _sides(done: list[Coexistence]) -> tuple[list[Coexistence], list[Coexistence]]:
    """Runs that have warmed and runs that have cooled, of those in which both phases stayed."""
    both = [one for one in done if one.phase == "both"]
    return [one for one in both if one.temperature_k > one.start_k], [
        one for one in both if one.temperature_k <= one.start_k
    ]


def _next_start(done: list[Coexistence], low: float, high: float) -> tuple[float, float, float]:
    """Where the next run starts, and the range that is left."""
    last = done[-1]
    if last.phase == "solid":
        low = max(low, last.start_k)
    elif last.phase == "liquid":
        high = min(high, last.start_k)
    rose, fell = _sides(done)
    if not rose and not fell:
        return (low + high) / 2, low, high
    # beside what is known, on the side from which fewer have come, and farther off where runs have not moved
    ends = [max(one.temperature_k for one in rose)] if rose else []
    ends += [min(one.temperature_k for one in fell)] if fell else []
    off = _BESIDE * (len(rose) + len(fell)) ** 0.5 * float(np.mean(ends))
    return float(np.mean(ends)) + (-off if len(fell) > len(rose) else off), low, high


def _coexist(rest: Crystal, settings: Validation, md: MdRuns, start_k: float, number: int) -> Coexistence:
    """Make crystal and melt at a temperature, and leave them to themselves."""
    repeats = _repeats(rest, settings)
    atoms = rest.conventional.repeat(repeats)
    frame = to_frame(atoms, md.potential.species, md.potential.cutoff_angstrom)
    if not np.allclose(frame.cell[2, :2], 0, atol=1e-3 * frame.cell[2, 2]):
        raise ScienceError("the third axis of the crystal does not stand upright on the other two")
    order = CrystallineOrder.of(rest.conventional, frame, slices=repeats[2])

    def observe(now: Frame) -> dict[str, Floats]:
        return {"order": order.of_slices(now), "cell": now.cell}

    step_fs, seed = settings.timestep_fs(atoms.get_chemical_symbols()), settings.seed + 100 * number
    short_ps = max(_LEAST_PS, _SHORT_OF_RUN * settings.melting_ps)
    name = f"melting-{start_k:.0f}K"

    def run(part: str, start: Frame, conditions: Conditions, length_ps: float, plus: int) -> Run:
        return md.run(f"{name}-{part}", start, conditions, length_ps=length_ps, step_fs=step_fs, seed=seed + plus,
                      observe=observe)  # fmt: skip

    solid = run("crystal", frame, Conditions("npt", start_k, "aniso"), short_ps, 0)
    whole = float(solid.observed["order"][solid.late(0.5)].mean())
    if whole < _MOLTEN:
        # too hot for a crystal, even without a seed of the melt
        return Coexistence(start_k, "liquid", float(solid.temperature_k[solid.late(0.5)].mean()), 0.0, 0.0)
    # at the mean edges of its temperature, the crystal is under no stress across
    edges = solid.observed["cell"][solid.late(0.5)].mean(axis=0)
    fractions = solid.end.positions @ np.linalg.inv(solid.end.cell)
    ready = replace(solid.end, cell=edges, positions=fractions @ edges, velocities=None)
    moving = tuple(int(n) + 1 for n in np.flatnonzero(fractions[:, 2] % 1.0 >= 0.5))
    upper = slice(order.slices // 2 + 1, order.slices - 1)
    hot_k = _HOTTER * settings.melting_range_k[1]  # type: ignore[index]
    for attempt in range(_ATTEMPTS):
        heat = Conditions("nvt", hot_k, moving=moving)
        molten = run(f"heat{attempt}", ready, heat, short_ps, 1 + attempt)
        if molten.observed["order"][-3:, upper].mean() < _MOLTEN * whole:
            break
        hot_k *= _HOTTER
    else:
        raise ScienceError(f"half of the crystal does not melt within {short_ps:g} ps at {hot_k / _HOTTER:.0f} K")
    cooled = run("cool", replace(molten.end, velocities=None), Conditions("npt", start_k, "z"), short_ps, 10)
    free = run("free", cooled.end, Conditions("nph", start_k, "z"), settings.melting_ps, 11)
    late = free.late(0.5)
    mean, error = block_average(free.temperature_k[late])
    ordered = free.observed["order"][free.late(0.25)].mean(axis=0) > whole / 2
    share = float(ordered.mean())
    edge = 1.5 / order.slices
    phase: Literal["both", "solid", "liquid"] = "solid" if share > 1 - edge else "liquid" if share < edge else "both"
    return Coexistence(start_k, phase, mean, error, share)


def _repeats(rest: Crystal, settings: Validation) -> tuple[int, int, int]:
    """Cells of a box three times as long as wide, with slices enough that some lie within the melt."""
    heights = np.array(rest.heights_angstrom)
    volume = rest.conventional.get_volume() / len(rest.conventional) * settings.melting_atoms_min
    wide = (volume / _LONG) ** (1 / 3)
    across = [max(1, round(wide / height)) for height in heights[:2]]
    along = math.ceil(settings.melting_atoms_min / (math.prod(across) * len(rest.conventional)))
    return across[0], across[1], max(along, _LEAST_SLICES)
