#!/usr/bin/env python3
"""Variance x time of a free energy: the exchange that `fe run` uses beside openmmtools' with its defaults, in one run.

    python benchmarks/gpu/variance.py --platform CUDA --out variance.json \\
        --system benzene benzene.prmtop benzene.rst7 LIG --schedule water_17
    python benchmarks/gpu/variance.py --platform CPU --out variance.json

Of each system the ligand is taken out of its box of water at 1 bar, through the same λ states:

* gibbsflow: `WalkerSampler` with the defaults of a campaign;
* openmmtools: `AbsoluteAlchemicalFactory` and `ReplicaExchangeSampler` with their defaults (1 fs, 10/ps, 1000 steps);
* openmmtools, our MD: the same with the time step, the friction and the interval of a campaign, so that what is left
  is the exchange and what it costs.

Without `--system` the ligand is one water of a box of TIP3P. All take turns (`--repeats`), with seeds of their own. The
first `--discard` samples of each are left out, what is left is cut into `--blocks`, and MBAR gives a free energy of
each. The variance is that of these blocks about their mean; times the seconds of a block it is what a machine pays for
an error, however long it runs. Seconds are the processor's on a CPU, which neighbours change less, and the clock's on a
card; making the systems and Contexts is not in them. Of a ratio of two such products the 95 % interval is F's.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import exchange
import numpy as np
import pymbar
from openmm import unit
from scipy import stats

from gibbsflow.binding.alchemy.schedules import read_schedule
from gibbsflow.binding.sample.walkers import ON_CPU
from gibbsflow.config.binding import Fe, Md
from gibbsflow.engines.gpu.mps import Mps, shared_card
from gibbsflow.units import kt_kcal_per_mol
from gibbsflow.workflow.result import versions

States = list[dict[str, float]]
Advance = Callable[[int], np.ndarray]
"""Goes on for so many samples and gives their reduced potentials, shape (samples, K of the window, K)."""
OF_OPENMMTOOLS = {"timestep_fs": 1.0, "friction_per_ps": 10.0, "sample_ps": 1.0}
"""Its defaults of `LangevinDynamicsMove`; `main` refuses to run where they are others."""


def states(schedule: str) -> States:
    """λ of a shipped schedule or a file, without restraints."""
    rows = [state.as_dict() for state in read_schedule(schedule)]
    return [{name: row[name] for name in ("lambda_electrostatics", "lambda_sterics")} for row in rows]


def ours(measured: exchange.Measured, schedule: States, md: Md, mps: Mps | None, seed: int) -> Advance:
    """This project's exchange, from one start."""
    _, run = exchange.sampler(measured, md, schedule, exchange.contexts_of(mps), seed)
    segments, count = itertools.count(1), len(schedule)

    def advance(samples: int) -> np.ndarray:
        return run(samples, steps_per_sample(md), seed + next(segments)).reshape(samples, count, count)

    return advance


def theirs(measured: exchange.Measured, schedule: States, md: Md, move: Any, seed: int) -> Advance:
    """openmmtools' exchange, with a move of its own or of ours."""
    np.random.seed(seed % 2**32)  # noqa: NPY002 - openmmtools draws its exchanges by it
    made, reporter = exchange.openmmtools_exchange(measured, md, schedule, move, md.pressure_bar)
    done = 0

    def advance(samples: int) -> np.ndarray:
        nonlocal done
        made.extend(samples)
        first, done = done + 1, done + samples
        energies, _, _ = reporter.read_energies(slice(first, done + 1))
        replicas = reporter.read_replica_thermodynamic_states(slice(first, done + 1))
        order = np.argsort(replicas, axis=1)  # which replica was in each state
        return np.take_along_axis(np.asarray(energies), order[:, :, None], axis=1)

    return advance


def steps_per_sample(md: Md) -> int:
    """MD steps between two samples of a campaign."""
    return round(Fe().sample_ps * 1000 / md.timestep_fs)


def dg_kcal_per_mol(u: np.ndarray, temperature_k: float) -> float:
    """MBAR between the ends, from potentials of shape (samples, K, K)."""
    samples, count, _ = u.shape
    u_kn = u.transpose(1, 0, 2).reshape(count * samples, count).T
    found = pymbar.MBAR(u_kn, np.full(count, samples)).compute_free_energy_differences(compute_uncertainty=False)
    return float(found["Delta_f"][0, -1]) * kt_kcal_per_mol(temperature_k)


def blocks_kcal_per_mol(u: np.ndarray, asked: argparse.Namespace, temperature_k: float) -> list[float]:
    """A free energy of each block of a run, whose start is left out."""
    kept = u[asked.discard :]
    return [dg_kcal_per_mol(part, temperature_k) for part in np.array_split(kept, asked.blocks)]


def measure(measured: exchange.Measured, md: Md, schedule: States, asked: argparse.Namespace, mps: Mps | None) -> Any:
    """Take turns, and put variances and times together."""
    from openmmtools import mcmc

    makers: dict[str, Callable[[int], Advance]] = {
        "gibbsflow": lambda seed: ours(measured, schedule, md, mps, seed),
        "openmmtools": lambda seed: theirs(measured, schedule, md, mcmc.LangevinDynamicsMove(), seed),
        "openmmtools, our MD": lambda seed: theirs(
            measured, schedule, md, exchange.openmmtools_move(md, steps_per_sample(md)), seed
        ),
    }
    values: dict[str, list[list[float]]] = {name: [] for name in makers}
    seconds: dict[str, list[float]] = {name: [] for name in makers}
    for turn in range(asked.repeats):
        for name, make in list(makers.items())[:: 1 if turn % 2 else -1]:
            advance = make(1 + 1000 * turn)
            advance(1)  # Contexts are made
            wall, cpu = time.perf_counter(), time.process_time()
            u = advance(asked.discard + asked.samples)
            spent = time.process_time() - cpu if md.platform in ON_CPU else time.perf_counter() - wall
            seconds[name].append(round(spent, 2))
            values[name].append([round(dg, 4) for dg in blocks_kcal_per_mol(u, asked, md.temperature_k)])
            print(f"{measured[0]} {turn + 1}/{asked.repeats} {name}: {spent:.0f} s, {values[name][-1]}", flush=True)
    return together(values, seconds, asked) | {"atoms": len(measured[2]), "states": len(schedule)}


def together(values: dict[str, list[list[float]]], seconds: dict[str, list[float]], asked: argparse.Namespace) -> Any:
    """Means, variances of blocks, products and their ratios."""
    found: dict[str, Any] = {}
    share = asked.samples / (asked.samples + asked.discard) / asked.blocks
    for name, blocks in values.items():
        all_blocks = np.ravel(blocks)
        variance, took = float(np.var(all_blocks, ddof=1)), statistics.median(seconds[name]) * share
        found[name] = {
            "dg_kcal_per_mol": round(float(all_blocks.mean()), 3),
            "dg_error_kcal_per_mol": round(math.sqrt(variance / len(all_blocks)), 3),
            "blocks_kcal_per_mol": blocks,
            "seconds": seconds[name],
            "seconds_a_block": round(took, 2),
            "variance_of_a_block": round(variance, 5),
            "variance_x_time": round(variance * took, 4),
        }
    freedom = asked.blocks * asked.repeats - 1
    width = float(stats.f.ppf(0.975, freedom, freedom))
    mine = found["gibbsflow"]["variance_x_time"]
    ratios = {name: found[name]["variance_x_time"] / mine for name in found if name != "gibbsflow"}
    return {
        "methods": found,
        "gain": {name: [round(x, 2) for x in (ratio, ratio / width, ratio * width)] for name, ratio in ratios.items()},
        "samples": asked.samples, "discarded": asked.discard, "blocks": asked.blocks, "repeats": asked.repeats,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--system", nargs=4, action="append", default=[], metavar=("NAME", "PRMTOP", "RST7", "RESIDUE"))
    parser.add_argument("--water", type=float, default=2.0, metavar="NM", help="edge of the box of water")
    parser.add_argument("--schedule", default="water_10", help="λ schedule, shipped or a file")
    parser.add_argument("--platform", default="CUDA", choices=["CUDA", "OpenCL", "CPU", "Reference"])
    parser.add_argument("--samples", type=int, default=40, help="of each window in each turn, 1 ps apart")
    parser.add_argument("--discard", type=int, default=10, help="samples before these")
    parser.add_argument("--blocks", type=int, default=4, help="of each turn")
    parser.add_argument("--repeats", type=int, default=4, help="turns")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args(arguments)
    if asked.samples < 2 * asked.blocks or asked.blocks * asked.repeats < 2:  # noqa: PLR2004
        parser.error("--samples: two a block at the least; --blocks x --repeats: two at the least")
    check_defaults()
    md = Md(solvent="tip3p", platform=asked.platform, threads=1)
    mps = shared_card(several=True) if asked.platform == "CUDA" else None
    log: dict[str, Any] = {"card": exchange.card(), "processor": os.uname().machine, "commit": exchange.commit()}
    log |= {"platform": asked.platform, "mps": mps and str(mps), "schedule": asked.schedule}
    log |= {"versions": versions("openmm", "openmmtools", "pymbar"), "systems": {}}
    schedule = states(asked.schedule)
    boxes = [exchange.given(*words, md) for words in asked.system] or [exchange.water(asked.water)]
    for measured in boxes:
        found = log["systems"][measured[0]] = measure(measured, md, schedule, asked, mps)
        for name, one in found["methods"].items():
            value = f"{one['dg_kcal_per_mol']} ± {one['dg_error_kcal_per_mol']} kcal/mol"
            print(f"{name}: {value}; {one['variance_x_time']} (kcal/mol)² s")
        for name, (gain, low, high) in found["gain"].items():
            print(f"{name}: {gain} times the variance x time of gibbsflow ({low} to {high})")
        if asked.out:
            asked.out.write_text(json.dumps(log, indent=1) + "\n")


def check_defaults() -> None:
    """Refuse to call others its defaults."""
    from openmmtools import mcmc

    move = mcmc.LangevinDynamicsMove()
    step, friction = move.timestep / unit.femtosecond, move.collision_rate * unit.picosecond
    found = {"timestep_fs": step, "friction_per_ps": friction, "sample_ps": step * move.n_steps / 1000}
    if any(not math.isclose(found[key], value) for key, value in OF_OPENMMTOOLS.items()):
        sys.exit(f"openmmtools' defaults are {found}; right: {OF_OPENMMTOOLS}, or this page and its docs changed")


if __name__ == "__main__":
    main()
