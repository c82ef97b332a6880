"""Estimate of a campaign's CPU and GPU hours: by a table of measured rates, or scaled to this machine.

Seconds of one core a step (AMD EPYC, OpenMM 8.6's CPU platform, measured with :func:`measured_rate.step_s`): implicit
solvent, N = 30, 150, 300, 1,200 atoms: 119, 814, 2,485, 34,259 µs, which 60 + 1.3 N + 0.0232 N² meets within
5 %; water, µs an atom with a cutoff of 8, 9, 10 and 12 Å: 1,800 atoms 2.72, 3.08, 3.64, 4.82, 6,000 atoms 2.39, 2.87,
3.52, which 1.5 + 2.0 (cutoff / 10 Å)³ meets within 8 %. Those of a GPU are :mod:`gibbsflow.binding.workload`'s.

Of the demo's legs on a CPU (156 and 30 atoms), a step in a window takes 1.05 to 1.14 times that without λ, and an
energy in another state the time of 0.9 to 1.15 steps. Hours are those that Nextflow counts, so 60 µs a step that a
core waits for OpenMM's thread are in them, and for each task what its start and its own work take: 1.4 to 3.3 s.

Windows that GROMACS 2022.5 runs (the same processor, 6,000 to 6,150 atoms with a cutoff of 9 Å, in exchange on two
cores: benchmarks/host_guest) took 1.0 to 1.3 µs of a core an atom and step, energies in all states with them, which is
0.4 of a step of OpenMM. Smaller boxes take more an atom: 2,025 atoms 2.2 µs (benchmarks/gromacs_rate.json).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gibbsflow.binding.campaign.foreseen.measured_rate import IMPLICIT_ATOMS, WATER_ATOMS, WATER_CUTOFF_ANGSTROM, step_s
from gibbsflow.binding.campaign.foreseen.row_contents import RowContents
from gibbsflow.binding.campaign.foreseen.task_counts import (
    Foreseen,
    boxes_of,
    foresee,
    ligand_atoms,
    receptor_atoms,
)
from gibbsflow.binding.forcefield.given.box_settings import as_given
from gibbsflow.binding.forcefield.given.coordinate_files import count_atoms
from gibbsflow.binding.forcefield.given.given_topologies import boxes_kept
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.binding.workload import h100_ns_per_day
from gibbsflow.config.binding import BindingConfig, Md
from gibbsflow.engines.choice.engine_choice import choose_engine
from gibbsflow.engines.md_engines import EQUILIBRATES, WHOLE_RUNS

_ATOMS_PER_A3 = 0.1003
"""Of water at 1 g/mL."""
_A3_PER_ATOM = 9.5
"""Of a molecule, hydrogens counted."""
_OCTAHEDRON = 0.77
_UNKNOWN_ATOMS = 40
_WINDOW_STEP, _WAIT_S = 1.1, 6e-5
"""Of a step in a window against one without λ, on a CPU; seconds more on the clock, a step."""
_TASK_S = 2.5
MEASURE_S = 20.0
"""Seconds of a measurement for each kind of solvent."""
TABLE = "a table of measured rates (one core of an AMD EPYC; an NVIDIA H100)"
_GROMACS = 0.4
"""Of a step of OpenMM on a CPU in water, what a window of GROMACS takes."""
_OF_GROMACS = "; windows by GROMACS as on two such cores, right within a third for boxes of some 6,000 atoms"
_OF_AMBER = "what AMBER's programs take: OpenMM's rates stand for theirs"
_LONGER = "the water by which sdr makes boxes longer that are first read in their tasks"


@dataclass(frozen=True)
class Estimate:
    """What a campaign will cost.

    Attributes
    ----------
    cpu_h, gpu_h
        Hours of one core, and of a card.
    source
        What the rates are from.
    foreseen
        Tasks and MD.
    notes
        What is not in it.
    """

    cpu_h: float
    gpu_h: float
    source: str
    foreseen: Foreseen
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Give it for JSON.

        Returns
        -------
        dict
            ``tasks, md_ns, cpu_h, gpu_h, source, notes``.
        """
        ns: dict[str, float] = {}
        for one in self.foreseen.work:  # a name may be there twice, of what comes along and of what is built
            ns[one.name] = round(ns.get(one.name, 0.0) + one.items * one.ns, 3)
        said = {"tasks": self.foreseen.tasks, "md_ns": ns, "cpu_h": round(self.cpu_h, 2), "gpu_h": round(self.gpu_h, 2)}
        return {**said, "source": self.source, "notes": list(self.notes)}

    def text(self) -> str:
        """Lay it out for a terminal.

        Returns
        -------
        str
            Lines.
        """
        rows = [f"  {name:<26} {count:>6}" for name, count in self.foreseen.tasks.items()]
        work = [
            f"  {one.name:<26} {one.items * one.ns:>10.4g} ns{f', {one.windows} windows each' if one.windows else ''}"
            for one in self.foreseen.work
        ]
        hours = f"Estimate: {self.cpu_h:.3g} CPU hours, {self.gpu_h:.3g} GPU hours, by {self.source}"
        notes = [f"  not in it: {note}" for note in self.notes]
        return "\n".join([f"Tasks: {sum(self.foreseen.tasks.values())}", *rows, "MD:", *work, hours, *notes])


def estimate(
    rows: Sequence[Row],
    receptor: Path | None,
    settings: BindingConfig,
    *,
    contents: Mapping[str, RowContents] = MappingProxyType({}),
    windows_per_task: int = 1,
    measure_s: float | None = None,
) -> Estimate:
    """Estimate what a campaign costs.

    Parameters
    ----------
    rows
        Its ligands.
    receptor
        Its receptor's file, None where there is none.
    settings
        All settings.
    contents
        What a check has found in the rows, by ligand.
    windows_per_task
        Windows that a task of the independent sampler takes.
    measure_s
        Seconds of a measurement on this machine, by which the table is scaled; None for none.

    Returns
    -------
    Estimate
        Of MD, energies in other states, and what each task takes to start and to prepare or analyse.

    Raises
    ------
    InputError
        For a λ schedule that cannot be used.
    """
    found, md = foresee(rows, settings, windows_per_task), settings.md
    engine = choose_engine(as_given(md) if any(row.solvated for row in rows) else md).engine
    built, boxed = [row for row in rows if not row.solvated], [row for row in rows if row.solvated]
    counts = [ligand_atoms(row) for row in built]
    ligand, whole = _mean(counts), receptor_atoms(receptor) if built else 0
    given, notes = _given_atoms(boxed, contents, settings), list(found.notes)
    if built and settings.param.charge_source != "sdf":
        notes.insert(0, "charges of ligands larger than some 20 atoms")
    if whole is None or None in counts or None in [n for work in found.work for n in given.get(work.box, ())]:
        notes.append("atoms of files that do not tell them in a moment")
    if settings.fe.abfe_protocol == "sdr" and any(
        "complex" not in contents.get(row.ligand, RowContents()).boxes for row in boxed
    ):
        notes.append(_LONGER)
    notes += [_OF_AMBER] if engine == EQUILIBRATES else []
    core_s, card_s = _TASK_S * sum(found.tasks.values()), 0.0
    factor = {explicit: 1.0 for explicit in (False, True)}
    source = TABLE + (_OF_GROMACS if engine == WHOLE_RUNS else "")
    if measure_s is not None:
        for explicit in {work.explicit for work in found.work}:
            size = WATER_ATOMS if explicit else IMPLICIT_ATOMS
            own = step_s(explicit=explicit, platform=md.platform, seconds=measure_s, timestep_fs=md.timestep_fs)
            timed = md.model_copy(update={"cutoff_angstrom": WATER_CUTOFF_ANGSTROM})
            factor[explicit] = own / _step_s(size, explicit, timed, walkers=1)
        source = f"measurements of {measure_s:g} s on this machine, which scale {source}"
    for work in found.work:
        if work.box:
            atoms = _mean(given[work.box] or given["complex"])
        else:
            solute = ligand + (whole or 0 if work.with_receptor else 0)
            atoms = solute + (_water_atoms(solute, md) if work.explicit else 0)
        steps = work.items * work.ns * 1e6 / md.timestep_fs
        if work.windows and work.explicit and engine == WHOLE_RUNS:  # with its energies in other states
            core_s += steps * _GROMACS * _core_step_s(atoms, True, md)
            continue
        step = factor[work.explicit] * _step_s(atoms, work.explicit, md, walkers=8 if work.windows else 1)
        seconds = steps * step + work.items * work.energies * step
        if work.windows and not md.on_gpu:
            seconds += steps * ((_WINDOW_STEP - 1) * step + _WAIT_S)
        core_s += seconds
        card_s += seconds if md.on_gpu else 0.0
    return Estimate(core_s / 3600, card_s / 3600, source, found, tuple(notes))


def _given_atoms(
    rows: Sequence[Row], contents: Mapping[str, RowContents], settings: BindingConfig
) -> dict[str, list[int | None]]:
    """Atoms of boxes that come along, by role: as a check has counted them, or as coordinates say at their head."""
    told: dict[str, list[int | None]] = {"complex": [], "solvent": [], "ligand": []}
    for row in rows:
        known = contents.get(row.ligand, RowContents()).boxes
        for box in boxes_kept(boxes_of(row), settings.fe):
            told[box].append(known.get(box) or count_atoms(Path(getattr(row, f"{box}_coordinates"))))
        told["ligand"].append(known.get("ligand"))
    return told


def _mean(counts: Sequence[int | None]) -> int:
    return round(sum(known) / len(known)) if (known := [n for n in counts if n is not None]) else _UNKNOWN_ATOMS


def _step_s(atoms: int, explicit: bool, md: Md, *, walkers: int) -> float:
    """Seconds of a core, or of the card, for a step of one walker."""
    if md.on_gpu:
        return 86400 * md.timestep_fs * 1e-6 / h100_ns_per_day(atoms, walkers, explicit=explicit)
    return _core_step_s(atoms, explicit, md)


def _core_step_s(atoms: int, explicit: bool, md: Md) -> float:
    return (
        (1.5 + 2.0 * (md.cutoff_angstrom / 10) ** 3) * 1e-6 * atoms
        if explicit
        else 6e-5 + 1.3e-6 * atoms + 2.32e-8 * atoms**2
    )


def _water_atoms(solute: int, md: Md) -> int:
    """Atoms of the water round a sphere of the solute's volume, with the padding on each side."""
    radius = (3 * _A3_PER_ATOM * solute / (4 * math.pi)) ** (1 / 3)
    edge = 2 * (radius + md.padding_angstrom)
    volume = edge**3 * (_OCTAHEDRON if md.box_shape == "octahedron" else 1.0)
    return round(_ATOMS_PER_A3 * (volume - _A3_PER_ATOM * solute))
