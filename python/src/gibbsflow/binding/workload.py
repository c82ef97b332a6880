"""What a task of MD asks of a machine: memory, time, and how many legs share a GPU; from the system's size.

Rates are those of an NVIDIA H100 with OpenMM 8.6 at 4 fs (ns/day of all walkers together):

| | 6,156 atoms | 32,512 atoms |
|---|---|---|
| one walker | 1,434 | 1,181 |
| 8, 16 walkers under MPS | 5,035, 5,016 | 2,867, 3,167 |
| 16 walkers with exchanges | 4,525 | 2,818 |

so that beyond eight walkers little is gained, and beyond sixteen nothing. A card of a quarter of that speed is allowed
for; what takes longer goes on in another task. Memory: 110 MB of a process and 1 kB an atom and walker were measured on
a CPU; what the CUDA platform takes of the host is an allowance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Md
from gibbsflow.workflow.hours.pace import Held

WALKERS_ON_GPU = 16
MOST_LEGS_ON_GPU = 8
LARGE_ATOMS = 100_000
"""A single walker of so large a system leaves little of a card idle."""
_NS_PER_DAY_ATOMS, _IDLE_ATOMS = {True: 1.3e8, False: 4e7}, 22_000
_IMPLICIT_NS_PER_DAY = 1400.0
_SPARE = 4.0


@dataclass(frozen=True)
class Workload:
    """One task of MD.

    Attributes
    ----------
    atoms
        Of the system.
    walkers
        That run at the same time.
    ns
        MD in all, of all walkers together.
    """

    atoms: int
    walkers: int
    ns: float

    def asks(self, md: Md, *, pmemd: bool = False) -> dict[str, Any]:
        """Say what the task asks for.

        Parameters
        ----------
        md
            Platform, solvent and the choice of legs for a GPU.
        pmemd
            Whether it is AMBER's ``pmemd.cuda`` that runs: on a GPU whatever the platform of OpenMM.

        Returns
        -------
        dict
            ``atoms``; ``memory_gb``; ``hours``, None on a CPU, where a task runs as long as it may; ``legs_per_gpu``;
            ``gpus``.
        """
        shared = md.on_gpu
        gpu = shared or pmemd
        memory_gb = 0.5 + 2e-6 * self.atoms * self.walkers + (1.5 + 0.15 * self.walkers if gpu else 0)
        return {
            "atoms": self.atoms,
            "memory_gb": math.ceil(memory_gb),
            "hours": self._hours(md) if gpu else None,
            "legs_per_gpu": self._legs(md) if shared else 1,
            "gpus": int(gpu),
        }

    def _hours(self, md: Md) -> int:
        rate = h100_ns_per_day(self.atoms, self.walkers, explicit=md.explicit)
        return min(24, math.ceil(0.5 + _SPARE * 24 * self.ns / rate))

    def _legs(self, md: Md) -> int:
        if md.legs_per_gpu != "auto":
            return int(md.legs_per_gpu)
        if md.platform != "CUDA" or self.atoms > LARGE_ATOMS:
            return 1
        return max(1, min(MOST_LEGS_ON_GPU, WALKERS_ON_GPU // self.walkers))


def held(md: Md, *, leg: bool) -> Held:
    """Tell what MD holds.

    Parameters
    ----------
    md
        Cores, platform and legs that share a GPU.
    leg
        Whether it is of a leg; else of an equilibration, which shares its GPU with none.

    Returns
    -------
    Held
        A whole GPU for each leg where ``auto`` has some share one: how many is not known here, so it is the most.
    """
    sharing = int(md.legs_per_gpu) if leg and md.legs_per_gpu.isdigit() else 1
    return Held(md.threads, md.on_gpu / sharing)


def h100_ns_per_day(atoms: int, walkers: int, *, explicit: bool) -> float:
    """Tell the rate of an NVIDIA H100, by the table above.

    Parameters
    ----------
    atoms
        Of the system.
    walkers
        That run at the same time.
    explicit
        Whether it has a box of water.

    Returns
    -------
    float
        Of all walkers together, ns/day.
    """
    rate = _NS_PER_DAY_ATOMS[walkers > 1] / (atoms + _IDLE_ATOMS)
    return rate if explicit else min(rate, _IMPLICIT_NS_PER_DAY)


def equilibration_work(system: SimSystem, ps: float) -> Workload:
    """Tell what an equilibration amounts to.

    Parameters
    ----------
    system
        With its topologies.
    ps
        MD of each box.

    Returns
    -------
    Workload
        Of its largest box, with the MD of all.
    """
    boxes = [system.path(role) for role in ("complex_inpcrd", "solvent_inpcrd") if role in system.artifacts]
    atoms = max((_atoms(path) for path in boxes), default=0)
    return Workload(atoms, 1, ps * len(boxes) / 1000)


def _atoms(inpcrd: Path) -> int:
    """Number of atoms, on the second line of AMBER's coordinates."""
    with open(inpcrd) as file:
        next(file)
        return int(next(file).split()[0])
