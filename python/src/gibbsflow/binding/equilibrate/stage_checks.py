"""What is looked at after each stage of an equilibration: what fails ends it, a doubt is a warning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from gibbsflow.binding.equilibrate.periodic_box import GRAM_PER_ML_OF_AMU_PER_NM3
from gibbsflow.binding.equilibrate.stages import Plan
from gibbsflow.binding.forcefield.rings import pierced_rings, small_rings
from gibbsflow.binding.forcefield.topology_file import heavy_atoms, masses_amu
from gibbsflow.config.binding import Md
from gibbsflow.errors import ScienceError
from gibbsflow.units import Floats, Ints
from gibbsflow.workflow.account import Account

DENSITY_FAILS_G_PER_ML = (0.4, 1.8)
"""Outside it there is no liquid: a box that boils, or one that collapses."""
DENSITY_DOUBTED_G_PER_ML = (0.9, 1.25)
"""Of water with a solute at ambient conditions."""
SETTLED_PS = 20.0
"""A stage at constant pressure that is shorter has not found its density, so that nothing is said of it."""
HOT = 1.5
"""Times the temperature that is asked for: MD that takes up energy."""
TEMPERATURE_DOUBTED = 0.1
TEMPERATURE_SIGMAS = 5.0
"""A mean temperature that is no further off, by its own errors, may be chance."""
_BLOCKS = 5
RELAXATIONS = 5.0
"""Relaxation times of the thermostat that a stage has to last before its temperature is judged."""
VOLUME_DOUBTED = 0.3
SHAPE_FAILS = 1e-3
"""Relative change of the edges' ratios, which an isotropic barostat keeps."""
LOST_ANGSTROM = 10.0
"""Between the nearest heavy atoms of ligand and receptor, before the last stage, which equil_analysis judges."""


class StageError(ScienceError):
    """A stage of an equilibration ended in something that is not to be gone on with."""

    what_to_do = (
        "Look at the trajectory; a longer stage at constant volume, more minimise_steps, stages that hold more "
        "(equil_stages), or another start."
    )


class PiercedRingError(StageError):
    """A bond goes through a ring, which nothing at this temperature undoes."""

    what_to_do = "Give a start in which no bond goes through a ring; minimisation and MD cannot undo it."


@dataclass(frozen=True)
class StageChecks:
    """What the checks of one box need to know.

    Attributes
    ----------
    name
        Of the system, and of its box where that is not the complex.
    md
        Cutoff, temperature, friction.
    plan
        The stages.
    mass_amu
        Of the whole box.
    bonds
        Pairs of atoms, shape (M, 2).
    ligand, receptor
        Heavy atoms of each.
    membrane
        Whether height and area of the box change by themselves.
    freedom
        Degrees of freedom, at least.
    """

    name: str
    md: Md
    plan: Plan
    mass_amu: float
    bonds: Ints
    ligand: Sequence[int]
    receptor: Sequence[int]
    membrane: bool = False
    freedom: float = 1.0

    @cached_property
    def rings(self) -> list[tuple[int, ...]]:
        """Rings that nothing may go through.

        Returns
        -------
        list of tuple
            Their atoms in order.
        """
        return small_rings(self.bonds)

    def require_no_pierced_ring(self, positions_angstrom: Floats, when: str) -> None:
        """Refuse a bond through a ring.

        Parameters
        ----------
        positions_angstrom
            Shape (N, 3), Å; molecules whole.
        when
            What messages say of it.

        Raises
        ------
        PiercedRingError
            Naming atoms, counted from 1.
        """
        if found := pierced_rings(positions_angstrom, self.rings, self.bonds):
            ring, (a, b) = found[0]
            told = ", ".join(str(atom + 1) for atom in ring)
            more = f" ({len(found)} such bonds)" if len(found) > 1 else ""
            raise PiercedRingError(f"{self.name}: {when} the bond {a + 1}-{b + 1} goes through the ring {told}{more}")

    def require(self, segment: int, start_box_nm: Floats, positions_angstrom: Floats, last: Mapping[str, Any]) -> None:
        """Look at the end of a stage.

        Parameters
        ----------
        segment
            The segment that has ended; nothing is done unless its stage has too.
        start_box_nm
            Box at the start of the segment.
        positions_angstrom
            Last frame, molecules brought together, shape (N, 3), Å.
        last
            ``box_nm`` and ``temperature_k`` of the last frame.

        Raises
        ------
        StageError
            With the figure and its threshold.
        """
        stages = self.plan.stages
        if segment + 1 < len(stages) and stages[segment + 1] == stages[segment]:
            return
        stage, box = stages[segment], np.asarray(last["box_nm"])
        where = f"{self.name}, end of stage {stage.name!r}:"
        width, density = float(np.diag(box).min()) * 10, self.density_g_per_ml(box)
        if width < 2 * self.md.cutoff_angstrom:
            raise StageError(f"{where} a box of {width:.1f} Å, less than two cutoffs of {self.md.cutoff_angstrom:g} Å")
        if stage.constant_pressure and not DENSITY_FAILS_G_PER_ML[0] < density < DENSITY_FAILS_G_PER_ML[1]:
            raise StageError(f"{where} {density:.2f} g/mL, outside {_range(DENSITY_FAILS_G_PER_ML)}")
        shapes = [np.linalg.norm(vectors, axis=1) / np.linalg.norm(vectors[0]) for vectors in (start_box_nm, box)]
        kept, barostat = (
            (2, "a membrane's barostat keeps in xy") if self.membrane else (3, "an isotropic barostat keeps")
        )
        if np.abs(shapes[1] / shapes[0] - 1)[:kept].max() > SHAPE_FAILS:
            raise StageError(f"{where} the box has changed its shape, which {barostat}")
        target, found = stage.ends_at_k(self.md), float(last["temperature_k"])
        if found > HOT * target:
            raise StageError(f"{where} {found:.0f} K, more than {HOT:g} times the {target:.0f} K of its thermostat")
        if self.receptor and segment + 1 < len(stages):
            away = self._nearest(positions_angstrom)
            if away > LOST_ANGSTROM:
                raise StageError(f"{where} the ligand is {away:.1f} Å from the receptor, above {LOST_ANGSTROM:g} Å")
        self.require_no_pierced_ring(positions_angstrom, f"at the end of stage {stage.name!r}")

    def density_g_per_ml(self, box_nm: Floats) -> float:
        """Density of a box.

        Parameters
        ----------
        box_nm
            Vectors as rows, shape (3, 3), nm.

        Returns
        -------
        float
            g/mL.
        """
        return float(self.mass_amu * GRAM_PER_ML_OF_AMU_PER_NM3 / np.linalg.det(box_nm))

    def account(self, data: Mapping[str, Any]) -> Account:
        """Say what is in doubt of the stages that were run.

        Parameters
        ----------
        data
            ``temperature_k`` and ``box_nm`` of all frames.

        Returns
        -------
        Account
            With the fact ``stages``, and a warning for each doubt; not yet settled.
        """
        account, rows, first = Account(self.name), [], 0
        frame_ps = self.plan.steps_per_frame * self.md.timestep_fs / 1000
        begin = float(np.linalg.det(data["box_nm"][0]))
        for stage in dict.fromkeys(self.plan.stages):
            count = sum(n for n, other in zip(self.plan.frames, self.plan.stages, strict=True) if other == stage)
            inside = slice(first + count // 2, first + count)
            first += count
            temperature = float(np.mean(data["temperature_k"][inside]))
            density = float(np.mean([self.density_g_per_ml(box) for box in data["box_nm"][inside]]))
            change = float(np.linalg.det(data["box_nm"][first - 1])) / begin - 1
            row = {"name": stage.name, "temperature_k": round(temperature, 1), "density_g_per_ml": round(density, 4)}
            rows.append(row | {"volume_change": round(change, 4)})
            length, target = count * frame_ps, stage.ends_at_k(self.md)
            long = length >= RELAXATIONS / self.md.friction_per_ps and stage.from_k is None
            if long and abs(temperature / target - 1) > TEMPERATURE_DOUBTED:
                what = f"stage {stage.name!r} is at {temperature:.0f} K, more than 10 % off its {target:.0f} K"
                account.warn(what, "a longer stage, a shorter time step")
            elif first == len(data["temperature_k"]):  # of legs that go on from here
                self.doubt_end(account, data["temperature_k"])
            if stage.constant_pressure and length >= SETTLED_PS:
                low, high = DENSITY_DOUBTED_G_PER_ML
                if not low < density < high:
                    what = f"stage {stage.name!r} has {density:.2f} g/mL, outside {_range(DENSITY_DOUBTED_G_PER_ML)}"
                    account.warn(what, "a box without holes, and stages at constant pressure that are long enough")
                if abs(change) > VOLUME_DOUBTED:
                    what = f"by the end of stage {stage.name!r} the box has changed its volume by {100 * change:.0f} %"
                    account.warn(what, "a box of nearly its density")
        account.facts["stages"] = rows
        return account

    def doubt_end(self, account: Account, temperature_k: Floats) -> None:
        """Warn of an equilibration that ends far from its temperature, as one that is too short for its thermostat.

        Parameters
        ----------
        account
            Gets the warning.
        temperature_k
            Of all frames, K.

        Notes
        -----
        The mean over the second half of the last stage (of a ramp, its last frame) is doubted
        where it is more than 10 % off, and by more than five times the larger of two errors: that of five blocks, and
        that of five independent frames, or one where there are not ten, of which each scatters by T·sqrt(2/f). f
        are the degrees of freedom.
        """
        stage = self.plan.stages[-1]
        count = sum(n for n, other in zip(self.plan.frames, self.plan.stages, strict=True) if other == stage)
        half = count - count // 2 if stage.from_k is None else 1
        values, target_k = np.asarray(temperature_k, dtype=float)[-half:], stage.ends_at_k(self.md)
        blocks = _BLOCKS if len(values) >= 2 * _BLOCKS else 1
        error_k = target_k * float(np.sqrt(2 / self.freedom / blocks))
        if blocks > 1:
            means = [part.mean() for part in np.array_split(values, blocks)]
            error_k = max(error_k, float(np.std(means, ddof=1)) / np.sqrt(blocks))
        found_k = float(values.mean())
        if abs(found_k - target_k) > max(TEMPERATURE_DOUBTED * target_k, TEMPERATURE_SIGMAS * error_k):
            ps = count * self.plan.steps_per_frame * self.md.timestep_fs / 1000
            times = ps * self.md.friction_per_ps
            what = (
                f"the equilibration ends at {found_k:.0f} ± {error_k:.0f} K, not at {target_k:.0f} K: its last stage "
                f"lasts {ps:g} ps, {times:.2g} relaxation times of the thermostat"
            )
            longer = f"at least {RELAXATIONS / self.md.friction_per_ps:g} ps"
            account.warn(
                what, f"a longer last stage (equil_ps), {longer if times < RELAXATIONS else 'or a shorter time step'}"
            )

    def _nearest(self, positions_angstrom: Floats) -> float:
        tree = cKDTree(positions_angstrom[list(self.receptor)])
        return float(tree.query(positions_angstrom[list(self.ligand)])[0].min())


def _range(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:g} to {bounds[1]:g} g/mL"


def least_freedom(prmtop: Path) -> float:
    """Count the degrees of freedom that a topology has at least.

    Parameters
    ----------
    prmtop
        AMBER topology.

    Returns
    -------
    float
        Three for each atom, less 1.5 for each hydrogen (its bond is a constraint; of water, three are of two) and three
        of the motion as a whole; at least 1.
    """
    masses = masses_amu(prmtop)  # 0 of what only moves with others
    return max(3 * np.count_nonzero(masses) - 1.5 * (len(masses) - len(heavy_atoms(prmtop))) - 3, 1.0)
