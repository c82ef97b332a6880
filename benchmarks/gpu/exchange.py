#!/usr/bin/env python3
"""Rates of the sampler that `fe run` uses, beside the bare engine and openmmtools' replica exchange, in one run.

    python benchmarks/gpu/exchange.py --platform CUDA --out log.json \\
        --system cb7_b2 CB7-B2.prmtop CB7-B2.rst7 B2 --system t4_xylene COMPLEX.prmtop COMPLEX.inpcrd LIG

Of each system: NAME, AMBER topology and coordinates with a box, residue name of the ligand. All three run the same
alchemical parts at the same interval between exchanges, all K×K energies included:

* bare: `integrator.step` on this project's alchemical System, one Context;
* sampler: `WalkerSampler`, with MPS as `fe run` begins it; with `--walkers 1` the ratio to bare is the sampler's cost;
* openmmtools: `ReplicaExchangeSampler` on its own factory's System with exact PME (openmmtools is in the dev set-up).

They take turns (`--repeats`), so that a machine that warms up or is shared bears on all. Prints ns/day of all walkers
and ratios of medians; `--out` keeps the raw times with card, versions and commit. `--smoke`: a box of water on any
platform, to see that it runs; its figures mean nothing.

On a CPU, without files, in two or three minutes: the sampler with one walker beside the bare engine, by seconds of the
clock and of the processor, which other programs change less:

    python benchmarks/gpu/exchange.py --platform CPU --walkers 1 --water 2.5 --iterations 8 --repeats 5
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openmm
from openmm import app, unit

from gibbsflow.binding.alchemy.periodic_states import periodic_alchemical_system
from gibbsflow.binding.forcefield.topology_file import molecules
from gibbsflow.binding.sample.sampling import CONTEXTS_WITHOUT_MPS
from gibbsflow.binding.sample.walkers import ON_CPU, WalkerSampler
from gibbsflow.config.binding import Md
from gibbsflow.engines.gpu.mps import Mps, shared_card
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.engines.openmm_systems import box_vectors_nm, load_topology, minimise, new_context, read_positions_nm
from gibbsflow.workflow.result import versions

Measured = tuple[str, openmm.System, np.ndarray, np.ndarray, list[int], np.ndarray]
"""Name, parent System, positions and box in nm, atoms of the ligand, molecule of each atom."""


def given(name: str, prmtop: str, coordinates: str, residue: str, md: Md) -> Measured:
    """Read a system of AMBER's files."""
    topology = load_topology(Path(prmtop)).topology
    ligand = [atom.index for r in topology.residues() if r.name == residue for atom in r.atoms()]
    if not ligand:
        sys.exit(f"{prmtop}: no residue {residue}")
    parent = OPENMM.system(Path(prmtop), md)
    places, box = read_positions_nm(Path(coordinates)), box_vectors_nm(Path(coordinates))
    return name, parent, places, box, ligand, molecules(Path(prmtop))


def water(edge_nm: float = 1.9) -> Measured:
    """A box of water, one of which is the ligand."""
    field, model = app.ForceField("tip3p.xml"), app.Modeller(app.Topology(), [])
    model.addSolvent(field, boxSize=openmm.Vec3(edge_nm, edge_nm, edge_nm) * unit.nanometer)
    parent = field.createSystem(
        model.topology, nonbondedMethod=app.PME, nonbondedCutoff=0.9 * unit.nanometer, constraints=app.HBonds
    )
    places = np.array(model.positions.value_in_unit(unit.nanometer))
    return "water", parent, places, np.eye(3) * edge_nm, [0, 1, 2], np.arange(len(places)) // 3


def states(count: int) -> list[dict[str, float]]:
    """States from coupled to decoupled: charges over the first third, then Lennard-Jones."""
    first = max(count // 3, 1)
    charges = [1 - i / first for i in range(first)]
    sterics = [1 - (i + 1) / max(count - first, 1) for i in range(count - first)]
    pairs = [(e, 1.0) for e in charges] + [(0.0, s) for s in sterics]
    return [{"lambda_electrostatics": e, "lambda_sterics": s} for e, s in pairs]


def bare(measured: Measured, md: Md) -> Callable[[int], None]:
    """What steps the alchemical System, and nothing else."""
    _, parent, places, box, ligand, _ = measured
    context = new_context(periodic_alchemical_system(parent, ligand), md.model_copy(update={"threads": 1}), 1)
    context.setPeriodicBoxVectors(*box)
    context.setPositions(places)
    minimise(context, 50)
    context.setVelocitiesToTemperature(md.temperature_k, 1)

    def run(steps: int) -> None:
        context.getIntegrator().step(steps)
        context.getState(getEnergy=True) if md.platform in ("CUDA", "OpenCL") else None  # wait for the card

    return run


def sampler(
    measured: Measured, md: Md, schedule: Sequence[dict[str, float]], contexts: int | None, seed: int = 1
) -> tuple[WalkerSampler, Callable[..., np.ndarray]]:
    """What runs iterations of this project's exchange, and gives the reduced potentials of their samples."""
    _, parent, places, box, ligand, parts = measured
    count = len(schedule)
    made = WalkerSampler(periodic_alchemical_system(parent, ligand), schedule, md, OPENMM, parts, contexts=contexts)
    walkers = made.start(np.tile(places, (count, 1, 1)), True, seed, lambda: None, np.tile(box, (count, 1, 1)))

    def run(iterations: int, steps: int, seed: int = 1) -> np.ndarray:
        nonlocal walkers
        walkers, drawn = made.segment(walkers, iterations, steps, seed, lambda _: None)
        return drawn.u

    return made, run


def platform_of(md: Md) -> dict[str, Any]:
    """The platform in the words of openmmtools' caches."""
    properties = {"CUDA": {"Precision": "mixed"}, "OpenCL": {"Precision": "mixed"}, "CPU": {"Threads": str(md.threads)}}
    return {
        "platform": openmm.Platform.getPlatformByName(md.platform),
        "platform_properties": properties.get(md.platform),
    }


def openmmtools_move(md: Md, steps: int) -> Any:
    """MD between two exchanges in openmmtools, as it is here."""
    from openmmtools import mcmc

    return mcmc.LangevinDynamicsMove(
        timestep=md.timestep_fs * unit.femtosecond, collision_rate=md.friction_per_ps / unit.picosecond, n_steps=steps,
        reassign_velocities=False,
    )  # fmt: skip


def openmmtools_exchange(
    measured: Measured,
    md: Md,
    schedule: Sequence[dict[str, float]],
    move: Any,
    pressure_bar: float | None = None,
    **settings: Any,
) -> tuple[Any, Any]:
    """openmmtools' exchange, as its users set it up, and what it writes to."""
    from openmmtools import alchemy, cache, multistate
    from openmmtools import states as tools

    _, parent, places, box, ligand, _ = measured
    factory = alchemy.AbsoluteAlchemicalFactory(alchemical_pme_treatment="exact")
    region = alchemy.AlchemicalRegion(alchemical_atoms=ligand, annihilate_electrostatics=True)
    system = factory.create_alchemical_system(parent, region)
    pressure = None if pressure_bar is None else pressure_bar * unit.bar
    thermal = []
    for state in schedule:
        alchemical = alchemy.AlchemicalState.from_system(system)
        alchemical.set_alchemical_parameters(1.0)
        for name, value in state.items():
            setattr(alchemical, name, value)
        plain = tools.ThermodynamicState(system, md.temperature_k * unit.kelvin, pressure)
        thermal.append(tools.CompoundThermodynamicState(plain, [alchemical]))
    contexts = cache.ContextCache(capacity=None, time_to_live=None, **platform_of(md))
    exchange = multistate.ReplicaExchangeSampler(mcmc_moves=move, number_of_iterations=10**6, **settings)
    exchange.energy_context_cache = exchange.sampler_context_cache = contexts
    folder = Path(tempfile.mkdtemp())
    reporter = multistate.MultiStateReporter(str(folder / "run.nc"), checkpoint_interval=10**6)
    start = tools.SamplerState(places * unit.nanometer, box_vectors=box * unit.nanometer)
    exchange.create(thermal, [start], reporter)
    exchange.minimize(max_iterations=50)
    return exchange, reporter


def contexts_of(mps: Mps | None) -> int | None:
    """How many Contexts walkers share where MPS is not on, as `fe run` has it; None for its own choice."""
    return CONTEXTS_WITHOUT_MPS if mps is not None and not mps.on else None


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of the clock, and of the processor."""
    begin, begin_cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begin, time.process_time() - begin_cpu


def measure(measured: Measured, md: Md, asked: argparse.Namespace, mps: Mps | None) -> dict[str, Any]:
    """Take turns, and put the rates together."""
    count, steps, iterations = asked.walkers, round(asked.ps * 1000 / md.timestep_fs), asked.iterations
    plain = bare(measured, md)
    made, ours = sampler(measured, md, states(count), asked.contexts or contexts_of(mps))
    runs: dict[str, tuple[Callable[[], Any], int]] = {
        "bare": (lambda: plain(steps * iterations), 1),
        "sampler": (lambda: ours(iterations, steps), count),
    }
    if not asked.without_openmmtools and count > 1:
        move = openmmtools_move(md, steps)
        theirs, _ = openmmtools_exchange(measured, md, states(count), move, online_analysis_interval=None)
        runs["openmmtools"] = (lambda: theirs.extend(iterations), count)
    plain(steps)
    ours(1, steps)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    cpu_seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(asked.repeats):
        for name, (work, _) in list(runs.items())[:: 1 if turn % 2 else -1]:  # neither is always the one before
            wall, cpu = timed(work)
            seconds[name].append(wall)
            cpu_seconds[name].append(cpu)
    ns = steps * iterations * md.timestep_fs * 1e-6
    rates = {name: runs[name][1] * ns * 86400 / statistics.median(times) for name, times in seconds.items()}
    ratios = {f"sampler/{name}": rates["sampler"] / rates[name] for name in rates if name != "sampler"}
    if md.platform in ON_CPU:
        each = {name: statistics.median(times) / runs[name][1] for name, times in cpu_seconds.items()}
        ratios |= {f"sampler/{name} (cpu)": each[name] / each["sampler"] for name in each if name != "sampler"}
    return {
        "atoms": len(measured[2]), "walkers": count, "contexts": made.contexts, "ps_between_exchanges": asked.ps,
        "iterations": iterations, "seconds": seconds, "cpu_seconds": cpu_seconds,
        "ns_per_day": {name: round(rate, 2) for name, rate in rates.items()},
        "ratios": {name: round(ratio, 3) for name, ratio in ratios.items()},
    }  # fmt: skip


def card() -> str | None:
    """Name, memory and driver of the cards of this machine."""
    if shutil.which("nvidia-smi") is None:
        return None
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    return subprocess.run(query, capture_output=True, text=True, check=False, timeout=60).stdout.strip()


def commit() -> str:
    """Commit of the sources, with a plus where they were changed."""
    words = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--abbrev=12"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", nargs=4, action="append", default=[], metavar=("NAME", "PRMTOP", "RST7", "RESIDUE"))
    parser.add_argument("--water", type=float, metavar="NM", help="a box of water of this edge, beside any --system")
    parser.add_argument("--platform", default="CUDA", choices=["CUDA", "OpenCL", "CPU", "Reference"])
    parser.add_argument("--walkers", type=int, default=16)
    parser.add_argument("--contexts", type=int, help="default: as fe run does")
    parser.add_argument("--threads", type=int, default=1, help="on a CPU: walkers that run at the same time")
    parser.add_argument("--ps", type=float, default=1.0, help="between exchanges")
    parser.add_argument("--iterations", type=int, default=20, help="in each turn")
    parser.add_argument("--repeats", type=int, default=3, help="turns")
    parser.add_argument("--without-openmmtools", action="store_true")
    parser.add_argument("--smoke", action="store_true", help="a box of water, briefly")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(arguments)
    if asked.smoke:
        asked.walkers, asked.ps, asked.iterations, asked.repeats = min(asked.walkers, 3), 0.02, 2, 1
    elif not asked.system and not asked.water:
        parser.error("--system, --water or --smoke")
    step = 2.0 if asked.smoke else 4.0
    md = Md(solvent="tip3p", platform=asked.platform, threads=asked.threads, timestep_fs=step)
    mps = shared_card(several=asked.walkers > 1) if asked.platform == "CUDA" else None
    log: dict[str, Any] = {"card": card(), "commit": commit(), "platform": asked.platform, "mps": mps and str(mps)}
    log |= {"versions": versions("openmm", "openmmtools"), "systems": {}}
    boxes = [water(asked.water or 1.9)] if asked.smoke or asked.water else []
    for measured in boxes if asked.smoke else [*boxes, *(given(*words, md) for words in asked.system)]:
        found = log["systems"][measured[0]] = measure(measured, md, asked, mps)
        told = ", ".join(f"{name} {rate:g}" for name, rate in found["ns_per_day"].items())
        ratios = ", ".join(f"{name} {ratio:g}" for name, ratio in found["ratios"].items())
        print(f"{measured[0]}, {found['atoms']} atoms: ns/day in all: {told}; {ratios}", flush=True)
    if asked.out:
        asked.out.write_text(json.dumps(log, indent=2) + "\n")


if __name__ == "__main__":
    main()
