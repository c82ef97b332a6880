#!/usr/bin/env python3
"""Relative hydration free energies by hybrid topologies, held against the difference of two absolute ones.

    python benchmarks/rbfe_hydration.py --state /tmp/hydration
    python benchmarks/rbfe_hydration.py --state /tmp/hydration --edges benzene~toluene --settings platform=CUDA \
        window_ps=1000.0 window_equil_ps=100.0

benzene → toluene and toluene → p-xylene in TIP3P and in vacuum, GAFF2 with AM1-BCC: each ligand is equilibrated and
decoupled (mode ``asfe``), and each edge leads from one to the other in the same box. Both ways share force field,
waters and λ sampling, and nothing of what is sampled. Run again with the same options, it goes on from its state;
``--out`` (rbfe_hydration.json) takes what is there after each value. Exits 1 where an edge differs from the two
ligands by more than 3 σ.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from scipy import stats

from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
from gibbsflow.binding.alchemy.prepare_fe import prepare_legs
from gibbsflow.binding.alchemy.protocols import RELATIVE_SOLVATION, SOLVATION, LegSpec, cycle_sum
from gibbsflow.binding.analyse.leg_result import analyse_leg
from gibbsflow.binding.campaign.edges import ligands_of
from gibbsflow.binding.campaign.verbs import prepare_topologies
from gibbsflow.binding.equilibrate.equil_analysis import analyse_equilibration
from gibbsflow.binding.equilibrate.equilibration import equilibrate
from gibbsflow.binding.forcefield.given.given_topologies import parameters_of
from gibbsflow.binding.network.design.comparison import compare
from gibbsflow.binding.prepare.complex import prepare_solute, row_from_options
from gibbsflow.binding.sample.energies import in_order, join_windows, read_window
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.units import kt_kcal_per_mol
from gibbsflow.workflow.result import Result, versions
from gibbsflow.workflow.state.segments import Stopper

SMILES = {"benzene": "c1ccccc1", "toluene": "Cc1ccccc1", "p-xylene": "Cc1ccc(C)cc1"}
EDGES = ("benzene~toluene", "toluene~p-xylene")
DEFAULTS = {
    "mode": "asfe", "solvent": "tip3p", "cutoff_angstrom": 9.0, "padding_angstrom": 9.0, "window_ps": 100.0,
    "window_equil_ps": 10.0, "sample_ps": 0.5, "segment_ps": 10.0, "heat_ps": 5.0, "density_ps": 50.0,
    "equil_ps": 50.0, "equil_segment_ps": 10.0, "trajectory": "none",
}  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A free energy with its error, kcal/mol, and what it cost."""

    dg: float
    error: float
    legs: dict[str, list[tuple[float, float]]]
    least_overlap: float
    cpu_s: float


def equilibrated(
    name: str, config: BindingConfig, state: Path, *, smiles: str | None = None, structure: Path | None = None
) -> SimSystem:
    """A ligand in its box of water, as the verbs of the pipeline leave it."""
    home = state / name
    if not (home / "system" / "system.json").exists():
        (home / "system").mkdir(parents=True, exist_ok=True)
        system, _ = prepare_solute(row_from_options(name, structure, smiles, None, None), config, home / "system")
        system.write()
    system = SimSystem.read(home / "system")
    if not (home / "topologies" / "system.json").exists():
        system, _ = parameters_of(system, config.param, cache=state / "cache", out=home / "parameters")
        prepare_topologies(system, config, home / "topologies")
    with Stopper() as stopper:
        topologies = SimSystem.read(home / "topologies")
        done = equilibrate(topologies, home / "equil_state", home / "trajectory", stopper, Result())
    done.write()
    analysis = analyse_equilibration(done, home / "equilibrated", Result())
    analysis.system.write()
    return analysis.system


def sampled(system: SimSystem, protocol: Sequence[LegSpec], state: Path) -> Value:
    """Sample all legs and replicates of what was prepared, and sum them up."""
    found: dict[str, list[tuple[float, float]]] = {leg.name: [] for leg in protocol}
    overlap, cpu_s = 1.0, 0.0
    for spec in protocol:
        leg = read_leg_folder(system.path("legs") / spec.name)
        for replicate in range(leg.replicates):
            run, begun = state / spec.name / f"replicate_{replicate}", processor_s()
            with Stopper() as stopper:
                sample_leg(leg, replicate, None, run, run / "out", stopper, Result())
            spent = run / "cpu_s.json"  # of all calls
            cost = (json.loads(spent.read_text()) if spent.exists() else 0.0) + processor_s() - begun
            spent.write_text(json.dumps(cost))
            windows = in_order([read_window(path) for path in sorted((run / "out").glob("window_*.parquet"))])
            energies = join_windows(windows, temperature_k=leg.md.temperature_k)
            analysed = analyse_leg(energies, decorrelate="auto", bridge_overlap=0.03)
            kt = kt_kcal_per_mol(leg.md.temperature_k)
            found[spec.name].append((kt * analysed.mbar.dg_kt, kt * analysed.mbar.dg_error_kt))
            overlap = min(overlap, float(np.diagonal(np.asarray(analysed.overlap), 1).min()))
            cpu_s += cost
    means, errors = zip(*(mean_of(values) for values in found.values()), strict=True)
    dg = cycle_sum(protocol, dict(zip(found, means, strict=True)), 0.0)
    return Value(dg, math.hypot(*errors), found, overlap, round(cpu_s, 1))


def processor_s() -> float:
    """Seconds of the processor so far, of programs that ended as well: GROMACS is one."""
    return sum(os.times()[:4])


def mean_of(values: list[tuple[float, float]]) -> tuple[float, float]:
    """Mean of the replicates; its error from their spread (Student's t for one σ), and no less than MBAR's."""
    own = math.hypot(*(error for _, error in values)) / len(values)
    spread = 0.0
    if len(values) > 1:
        one_sigma = stats.t.ppf(0.5 + 0.6827 / 2, len(values) - 1)
        spread = float(one_sigma * np.std([dg for dg, _ in values], ddof=1) / math.sqrt(len(values)))
    return float(np.mean([dg for dg, _ in values])), max(own, spread)


def absolute(system: SimSystem, config: BindingConfig, state: Path) -> Value:
    """Free energy of hydration of one ligand."""
    prepared = prepare_legs(system, config, state / system.name / "absolute", Result(), protocol=SOLVATION)
    return sampled(prepared, SOLVATION, state / system.name / "absolute_state")


def relative(
    a: SimSystem, b: SimSystem, config: BindingConfig, state: Path, protocol: Sequence[LegSpec] = RELATIVE_SOLVATION
) -> Value:
    """The same of b less that of a, along one edge."""
    edge = compare(ligands_of([a, b]), seed=config.run.seed).edge(a.name, b.name)
    folder = state / str(edge)
    pairs = edge.atoms or ()
    prepared = prepare_edge(a, b, pairs, config, folder / "legs_of_edge", Result(), name=str(edge), protocol=protocol)
    return sampled(prepared, protocol, folder / "state")


def compared(edge: str, of_edge: Value, ligands: dict[str, Value]) -> dict[str, float]:
    """The edge beside the difference of its ligands."""
    a, b = edge.split("~")
    difference, error = ligands[b].dg - ligands[a].dg, math.hypot(ligands[a].error, ligands[b].error)
    apart = of_edge.dg - difference
    return {
        "edge_kcal_per_mol": of_edge.dg,
        "edge_error_kcal_per_mol": of_edge.error,
        "difference_kcal_per_mol": difference,
        "difference_error_kcal_per_mol": error,
        "apart_kcal_per_mol": apart,
        "apart_sigma": apart / math.hypot(error, of_edge.error),
    }


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--edges", nargs="+", choices=EDGES, default=list(EDGES))
    parser.add_argument("--replicates", type=int, default=3)
    parser.add_argument("--settings", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    given = {key: yaml.safe_load(value) for key, value in (pair.split("=", 1) for pair in options.settings)}
    chosen = DEFAULTS | given | {"replicates": options.replicates}
    config = BindingConfig.from_params(chosen)
    made = {
        "command": " ".join(["python", "benchmarks/rbfe_hydration.py", *sys.argv[1:]]),
        "settings": {key: str(value) for key, value in chosen.items()},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, OpenMM platform {config.md.platform}",
        "versions": versions("openmm"),
    }
    ligands: dict[str, Value] = {}
    edges: dict[str, Value] = {}
    systems: dict[str, SimSystem] = {}
    for edge in options.edges:
        ends = edge.split("~")
        systems |= {
            name: equilibrated(name, config, options.state, smiles=SMILES[name]) for name in ends if name not in systems
        }
        edges[edge] = relative(*(systems[name] for name in ends), config, options.state)
        for name in ends:
            if name not in ligands:
                ligands[name] = absolute(systems[name], config, options.state)
                print(f"{name}: {ligands[name].dg:.2f} ± {ligands[name].error:.2f} kcal/mol", flush=True)
        of_all = {name: compared(name, value, ligands) for name, value in edges.items()}
        found = {"ligands": {k: vars(v) for k, v in ligands.items()}, "edges": {k: vars(v) for k, v in edges.items()}}
        options.out.write_text(json.dumps(made | found | {"compared": of_all}, indent=1) + "\n")
        told = of_all[edge]
        print(
            f"{edge}: {told['edge_kcal_per_mol']:.2f} ± {told['edge_error_kcal_per_mol']:.2f}, of its ligands "
            f"{told['difference_kcal_per_mol']:.2f} ± {told['difference_error_kcal_per_mol']:.2f} kcal/mol",
            flush=True,
        )
    return int(any(abs(one["apart_sigma"]) > 3 for one in of_all.values()))


if __name__ == "__main__":
    sys.exit(main())
