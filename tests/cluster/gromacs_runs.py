"""Campaigns that GROMACS samples, started, killed and gone on with; and its energies held against OpenMM's."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import openmm
import psutil
import yaml
from openmm.app.internal.unitcell import reducePeriodicBoxVectors
from scipy.stats import ttest_ind

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg, read_leg_folder
from gibbsflow.binding.alchemy.periodic_states import periodic_alchemical_system
from gibbsflow.binding.analyse.estimators import Estimate, decorrelated, estimate_mbar
from gibbsflow.binding.sample.energies import read_leg
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.units import KJ_PER_KCAL, kt_kcal_per_mol
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.checkpoints import RollingCheckpoints
from gibbsflow.workflow.state.segments import Stopper

DECOUPLING = [(0, 1, 1), (0, 0, 1), (0, 0, 0.8), (0, 0, 0.6), (0, 0, 0.45), (0, 0, 0.3), (0, 0, 0.15), (0, 0, 0)]
"""λ states of a solute as small as methane."""
RELATIVE, BETWEEN_KJ_PER_MOL = 1e-4, 0.15
_COMPARABLE_KJ_PER_MOL = 200.0
"""States of higher energy than the own one by more than this count for nothing, and rounding grows with them."""


def write_campaign(
    folder: Path,
    content: Mapping[str, Any],
    schedules: Mapping[str, list[tuple[float, ...]]],
    ligands: Mapping[str, str] = MappingProxyType({"methane": "C"}),
) -> None:
    """Write ``run.yaml``, ligands by SMILES, and λ schedules by their names."""
    rows = [f"{name},{smiles}\n" for name, smiles in ligands.items()]
    (folder / "ligands.csv").write_text("".join(["ligand,smiles\n", *rows]))
    for name, states in schedules.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({"states": [list(state) for state in states]}))
    given = {"io": {"input": "ligands.csv", "outdir": "results", "state_dir": "state"} | content.get("io", {})}
    (folder / "run.yaml").write_text(yaml.safe_dump(dict(content) | given))


@contextmanager
def working(folder: Path | None) -> Iterator[Path]:
    """Give a folder to work in: one that is kept, or a temporary one."""
    if folder is not None:
        folder.mkdir(parents=True)
        yield folder.absolute()
    else:
        with tempfile.TemporaryDirectory() as place:
            yield Path(place)


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start the campaign, or go on with it."""
    with open(folder / "log", "ab") as log:
        words = [sys.executable, "-m", "gibbsflow.cli.gibbsflow", "run-local", "run.yaml"]
        return subprocess.Popen(words, cwd=folder, stdout=log, stderr=subprocess.STDOUT)


def run_campaign(folder: Path) -> None:
    """Run the campaign to its end; exits with what it said where it fails."""
    if start(folder).wait():
        sys.exit((folder / "log").read_text(errors="replace")[-4000:])


def kill_at(folder: Path, pattern: str) -> None:
    """Start the campaign and kill it once there is a file in its state; exits where anything of it lives on."""
    run = start(folder)
    while run.poll() is None and not any((folder / "state").glob(pattern)):
        time.sleep(0.1)
    if run.poll() is not None:
        sys.exit((folder / "log").read_text(errors="replace")[-4000:])
    children = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.wait()
    _, alive = psutil.wait_procs(children, timeout=15)
    if alive:
        sys.exit(f"outlived the process that had started them: {alive}")


def result_row(folder: Path, table: str = "results.csv") -> dict[str, str]:
    """Read the one row of the table."""
    with open(folder / "results" / table) as file:
        (row,) = csv.DictReader(file)
    return row


def leg_of(folder: Path, name: str) -> AlchemicalLeg:
    """Read a leg as it was prepared."""
    (place,) = (folder / "results").glob(f"**/legs/{name}")
    return read_leg_folder(place)


def home_of(folder: Path, name: str) -> Path:
    """State folder of a leg's only replicate."""
    (home,) = (folder / "state").glob(f"**/{name}/replicate_0")
    return home


def attempts_of(folder: Path, name: str) -> list[str]:
    """How the attempts at a leg have ended."""
    attempts = json.loads((home_of(folder, name) / "attempts.json").read_text())["attempts"]
    return [attempt["end"] for attempt in attempts]


def state_energies(folder: Path, name: str) -> tuple[float, float]:
    """Weigh the last sample of each window in all states by OpenMM as well; of an edge in those of its ends.

    Returns the largest relative difference of an energy, and the largest difference in kJ/mol of a state to the own.
    """
    leg, home = leg_of(folder, name), home_of(folder, name)
    hashed = json.loads((home / "FINISHED").read_text())["inputs_hash"]
    point = RollingCheckpoints(home).load(hashed)
    assert point is not None
    count = len(leg.states)
    with np.load(sorted(home.glob("segment-*.npz"))[-1]) as file:
        theirs = file["u"][-count:] * kt_kcal_per_mol(leg.md.temperature_k) * KJ_PER_KCAL
    compared = range(count)
    if isinstance(leg, HybridLeg):
        system, compared = leg.hybrid(OPENMM).system, [0, count - 1]
    else:
        parent = create_system(leg.folder / leg.topology, leg.md)
        system = periodic_alchemical_system(parent, leg.ligand_atoms, leg.restraint)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("CPU"))
    relative = between = 0.0
    for window in range(count):
        # an octahedron's box is at the limit of the form that OpenMM wants, and GROMACS keeps it in single precision
        context.setPeriodicBoxVectors(*reducePeriodicBoxVectors(point.arrays["box_nm"][window] * openmm.unit.nanometer))
        context.setPositions(point.arrays["positions_nm"][window])
        ours = []
        for state in compared:
            for key, value in leg.states[state].as_dict().items():
                if key in context.getParameters():
                    context.setParameter(key, value)
            ours.append(context.getState(getEnergy=True).getPotentialEnergy()._value)
        off = theirs[window, compared] - np.array(ours)
        near = np.abs(theirs[window, compared] - theirs[window, window]) < _COMPARABLE_KJ_PER_MOL
        if near.any():
            relative = max(relative, float(np.abs(off / ours)[near].max()))
            between = max(between, float(np.ptp(off[near])))
    return relative, between


def sampled(leg: AlchemicalLeg, replicate: int, folder: Path, engine: str) -> Estimate:
    """Sample a leg by an engine, and estimate its free energy."""
    leg = replace(leg, md=leg.md.model_copy(update={"engine": engine}), replicates=replicate + 1)
    with Stopper() as stopper:
        sample_leg(leg, replicate, None, folder / "state", folder / "out", stopper, Result())
    return estimated(folder / "out")


def estimated(folder: Path) -> Estimate:
    """Estimate the free energy of a sampled leg."""
    energies = read_leg(sorted(folder.glob("window_*.parquet")))
    return estimate_mbar(energies, *decorrelated(energies))[1]


def engines_agree(folder: Path, name: str, what: str) -> bool:
    """Compare a leg by both engines, and say what was found.

    Two standard errors of one repeat are enough; else two more repeats by each count as well. As the error of so short
    a run does not know all that the run has not seen, those are told apart by their own spread (Welch, 99 %).
    """
    leg = leg_of(folder, name)
    kt = kt_kcal_per_mol(leg.md.temperature_k)
    (theirs,) = (folder / "results").glob(f"**/fe/{name}_replicate_0")
    found = {"gromacs": [estimated(theirs)], "openmm": [sampled(leg, 0, folder / "openmm_0", "openmm")]}
    first = [one for (one,) in found.values()]
    far = abs(first[0].dg_kt - first[1].dg_kt) > 2 * math.hypot(*(one.dg_error_kt for one in first))
    told = [f"{kt * one.dg_kt:.2f} ± {kt * one.dg_error_kt:.2f}" for one in first]
    print(f"{what}: GROMACS {told[0]}, OpenMM {told[1]} kcal/mol{', so both again' if far else ''}", flush=True)
    if not far:
        return True
    for replicate in (1, 2):
        for engine, repeats in found.items():
            repeats.append(sampled(leg, replicate, folder / f"{engine}_{replicate}", engine))
    ours, others = ([kt * one.dg_kt for one in repeats] for repeats in found.values())
    agree = bool(ttest_ind(ours, others, equal_var=False).pvalue > 0.01)
    for engine, values in zip(found, (ours, others), strict=True):
        print(f"{what}, by {engine}: {', '.join(f'{value:.2f}' for value in values)} kcal/mol")
    if not agree:
        print(f"{what}: TOO FAR")
    return agree
