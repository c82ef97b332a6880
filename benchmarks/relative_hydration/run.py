#!/usr/bin/env python3
"""Relative hydration free energies, held against the differences of absolute ones and of published ones.

    python benchmarks/relative_hydration/run.py --state /tmp/hydration --edges benzene~toluene --ligands benzene toluene
    python benchmarks/relative_hydration/run.py --state /tmp/hydration --edges toluene~phenol --replicates 3 \
        --settings platform=CUDA window_ps=1000.0 window_equil_ps=100.0

Each edge leads from one ligand to the other in the first one's box of TIP3P and in vacuum; each of ``--ligands`` is
decoupled (mode ``asfe``) from the same box. Both ways share force field (GAFF 1 with AM1-BCC, as the published values),
waters and λ sampling, and nothing of what is sampled. Edges come first, then ligands. Run again with the same options,
it goes on from its state, and with a longer ``--ligand_ps`` windows of the ligands are gone on with. ``--out``
(results.json) takes each value as it comes, beside those that it has. Exits 1 where an edge of this call differs by
more than 3 σ from its ligands, or by more than 0.3 kcal/mol and 2 σ from what is published.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from gibbsflow.binding.network.design.comparison import Ways, compare
from gibbsflow.binding.prepare.complex import prepare_solute, row_from_options
from gibbsflow.binding.sample.energies import in_order, join_windows, read_window
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.units import kt_kcal_per_mol
from gibbsflow.workflow.result import Result, versions
from gibbsflow.workflow.state.segments import Stopper

HERE = Path(__file__).parent
DEFAULTS = {
    "mode": "asfe", "ligand_ff": "gaff", "solvent": "tip3p", "cutoff_angstrom": 9.0, "padding_angstrom": 10.0,
    "window_ps": 100.0, "window_equil_ps": 10.0, "sample_ps": 0.5, "segment_ps": 10.0, "heat_ps": 5.0,
    "density_ps": 50.0, "equil_ps": 50.0, "equil_segment_ps": 10.0, "trajectory": "none",
}  # fmt: skip
APART = 0.3
"""Further from a published value than this, kcal/mol, and than twice the error, an edge fails."""


@dataclass(frozen=True)
class Value:
    """A free energy with its error, kcal/mol, and what it cost."""

    dg: float
    error: float
    legs: dict[str, list[tuple[float, float]]]
    least_overlap: float
    windows: int
    window_ps: float
    cpu_s: float


def published() -> dict[str, dict[str, str]]:
    """Rows of the table of molecules by ligand."""
    with (HERE / "molecules.csv").open(newline="") as table:
        return {row["ligand"]: row for row in csv.DictReader(table)}


def of_table(row: Mapping[str, str]) -> tuple[float, float]:
    """Value and error of a row of the table, kcal/mol."""
    return float(row["calc_kcal_per_mol"]), float(row["calc_error_kcal_per_mol"])


def parametrised(name: str, config: BindingConfig, state: Path, structure: Path | None = None) -> SimSystem:
    """A ligand of the table, or of an SDF, with parameters and a box of water, as the pipeline's verbs make it."""
    home = state / name
    if not (home / "system" / "system.json").exists():
        (home / "system").mkdir(parents=True, exist_ok=True)
        smiles = None if structure else published()[name]["smiles"]
        row = row_from_options(name, structure, smiles, None, None)
        system, _ = prepare_solute(row, config, home / "system")
        system.write()
    system = SimSystem.read(home / "system")
    if not (home / "topologies" / "system.json").exists():
        system, _ = parameters_of(system, config.param, cache=state / "cache", out=home / "parameters")
        prepare_topologies(system, config, home / "topologies")
    return SimSystem.read(home / "topologies")


def equilibrated(name: str, config: BindingConfig, state: Path, structure: Path | None = None) -> SimSystem:
    """The same with the frames of its equilibration."""
    home, topologies = state / name, parametrised(name, config, state, structure)
    with Stopper() as stopper:
        done = equilibrate(topologies, home / "equil_state", home / "trajectory", stopper, Result())
    done.write()
    analysis = analyse_equilibration(done, home / "equilibrated", Result())
    analysis.system.write()
    return analysis.system


def cpu_s() -> float:
    """Processor time of this process and of all that it has waited for."""
    return sum(os.times()[:4])


def sampled(system: SimSystem, protocol: Sequence[LegSpec], state: Path, window_ps: float | None) -> Value:
    """Sample all legs and replicates of what was prepared, for `window_ps` where that is longer, and sum them up."""
    found: dict[str, list[tuple[float, float]]] = {leg.name: [] for leg in protocol}
    overlap, cost, sampled_ps, count = 1.0, 0.0, 0.0, 0
    for spec in protocol:
        leg = read_leg_folder(system.path("legs") / spec.name)
        for replicate in range(leg.replicates):
            run, begun = state / spec.name / f"replicate_{replicate}", cpu_s()
            with Stopper() as stopper:
                sample_leg(leg, replicate, None, run, run / "out", stopper, Result(), window_ps=window_ps)
            spent = run / "cpu_s.json"  # of all calls
            of_leg = (json.loads(spent.read_text()) if spent.exists() else 0.0) + cpu_s() - begun
            spent.write_text(json.dumps(of_leg))
            windows = in_order([read_window(path) for path in sorted((run / "out").glob("window_*.parquet"))])
            energies = join_windows(windows, temperature_k=leg.md.temperature_k)
            analysed = analyse_leg(energies, decorrelate="auto", bridge_overlap=0.03)
            kt = kt_kcal_per_mol(leg.md.temperature_k)
            found[spec.name].append((kt * analysed.mbar.dg_kt, kt * analysed.mbar.dg_error_kt))
            overlap = min(overlap, float(np.diagonal(np.asarray(analysed.overlap), 1).min()))
            sampled_ps = max(sampled_ps, window_ps or leg.fe.window_ps)
            count = max(count, len(leg.states))
            cost += of_leg
    means, errors = zip(*(mean_of(values) for values in found.values()), strict=True)
    dg = cycle_sum(protocol, dict(zip(found, means, strict=True)), 0.0)
    return Value(dg, math.hypot(*errors), found, overlap, count, sampled_ps, round(cost, 1))


def mean_of(values: list[tuple[float, float]]) -> tuple[float, float]:
    """Mean of the replicates; its error from their spread (Student's t for one σ), and no less than MBAR's."""
    own = math.hypot(*(error for _, error in values)) / len(values)
    spread = 0.0
    if len(values) > 1:
        one_sigma = stats.t.ppf(0.5 + 0.6827 / 2, len(values) - 1)
        spread = float(one_sigma * np.std([dg for dg, _ in values], ddof=1) / math.sqrt(len(values)))
    return float(np.mean([dg for dg, _ in values])), max(own, spread)


def absolute(name: str, config: BindingConfig, state: Path, window_ps: float | None) -> Value:
    """Free energy of hydration of one ligand."""
    system = equilibrated(name, config, state)
    prepared = prepare_legs(system, config, state / name / "absolute", Result(), protocol=SOLVATION)
    return sampled(prepared, SOLVATION, state / name / "absolute_state", window_ps)


def relative(
    name: str,
    config: BindingConfig,
    state: Path,
    protocol: Sequence[LegSpec] = RELATIVE_SOLVATION,
    structures: Mapping[str, Path | None] = {},
) -> Value:
    """The same of an edge's second ligand less that of its first; ligands with `structures` are not of the table."""
    first, second = name.split("~")
    a = equilibrated(first, config, state, structures.get(first))
    # a whole ligand has a place of its own in water
    make = parametrised if Ways.of(config).topology == "hybrid" else equilibrated
    b = make(second, config, state, structures.get(second))
    edge = compare(ligands_of([a, b]), seed=config.run.seed, ways=Ways.of(config)).edge(first, second)
    folder, pairs = state / name, edge.atoms or ()
    print(f"{name}: {len(pairs)} atoms in common, difficulty {edge.difficulty}", flush=True)
    prepared = prepare_edge(
        a, b, pairs, config, folder / "legs_of_edge", Result(), name=name, protocol=protocol,
        dual=not pairs, difficulty=edge.difficulty,
    )  # fmt: skip
    return sampled(prepared, protocol, folder / "state", None)


def beside(name: str, ligands: Mapping[str, Any], edges: Mapping[str, Any]) -> dict[str, float]:
    """An edge beside the difference of its ligands, where both are there, and of what is published of them."""
    told: dict[str, float] = {}
    known, (a, b), edge = published(), name.split("~"), edges[name]
    pairs = {"published": [of_table(known[x]) for x in (a, b)]}
    if a in ligands and b in ligands:
        pairs["ligands"] = [(ligands[x]["dg"], ligands[x]["error"]) for x in (a, b)]
    for what, ((of_a, error_a), (of_b, error_b)) in pairs.items():
        difference, error = of_b - of_a, math.hypot(error_a, error_b)
        told |= {what: round(difference, 3), f"{what}_error": round(error, 3)}
        told |= {f"apart_from_{what}": round(edge["dg"] - difference, 3)}
        told |= {f"apart_from_{what}_sigma": round((edge["dg"] - difference) / math.hypot(error, edge["error"]), 2)}
    return told


def fails(told: Mapping[str, float]) -> bool:
    """Whether an edge differs from its ligands or from what is published."""
    apart, sigma = abs(told["apart_from_published"]), abs(told["apart_from_published_sigma"])
    return (apart > APART and sigma > 2) or abs(told.get("apart_from_ligands_sigma", 0.0)) > 3


def table(rows: Mapping[str, Any]) -> str:
    """What was found as the tables of README.md."""
    lines = ["| edge | ΔΔG | published | z | of its ligands | z | windows, ps each | CPU minutes |", f"|{'---|' * 8}"]
    for name, told in rows["beside"].items():
        edge = rows["edges"][name]
        cells = [name.replace("~", " → "), pm(edge["dg"], edge["error"])]
        for what in ("published", "ligands"):
            known = what in told
            cells.append(pm(told[what], told[f"{what}_error"]) if known else "waits")
            cells.append(f"{told[f'apart_from_{what}_sigma']:.1f}" if known else "")
        lines.append(f"| {' | '.join(cells)} | {edge['windows']}, {edge['window_ps']:g} | {edge['cpu_s'] / 60:.0f} |")
    lines += ["", "| ligand | ΔG | published | z | windows, ps each | CPU minutes |", "|---|---|---|---|---|---|"]
    for name, found in rows["ligands"].items():
        known, error = of_table(published()[name])
        z = (found["dg"] - known) / math.hypot(error, found["error"])
        cost = f"{found['windows']}, {found['window_ps']:g} | {found['cpu_s'] / 60:.0f}"
        lines.append(f"| {name} | {pm(found['dg'], found['error'])} | {pm(known, error)} | {z:.1f} | {cost} |")
    return "\n".join(lines)


def pm(value: float, error: float) -> str:
    """A value with its error, kcal/mol."""
    return f"{value:.2f} ± {error:.2f}".replace("-", "−")


def configured(defaults: Mapping[str, Any], options: argparse.Namespace) -> tuple[BindingConfig, dict[str, Any]]:
    """Settings by ``--settings`` and ``--replicates`` over defaults, and what is kept of them with each value."""
    given = {key: yaml.safe_load(value) for key, value in (pair.split("=", 1) for pair in options.settings)}
    chosen = {**defaults, **given, "replicates": options.replicates}
    config = BindingConfig.from_params(chosen)
    return config, {
        "settings": {key: str(value) for key, value in chosen.items()},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, platform {config.md.platform}",
        "versions": versions("openmm"),
    }


def main() -> int:
    """Run, enter, print, judge."""
    names = published()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, help="where it goes on from")
    parser.add_argument("--edges", nargs="+", default=[], metavar="A~B")
    parser.add_argument("--ligands", nargs="+", choices=names, default=[], metavar="NAME", help="to decouple as well")
    parser.add_argument("--ligand_ps", type=float, help="window length of ligands, where longer than window_ps")
    parser.add_argument("--replicates", type=int, default=3)
    parser.add_argument("--settings", nargs="+", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    parser.add_argument("--table", action="store_true", help="print what is in --out as tables, and run nothing else")
    options = parser.parse_args()
    if options.table:
        print(table(json.loads(options.out.read_text())))
        return 0
    if options.state is None:
        parser.error("--state is wanted")
    if bad := [edge for edge in options.edges if set(edge.split("~")) - set(names) or edge.count("~") != 1]:
        parser.error(f"{bad[0]}: want A~B of {', '.join(names)}")
    config, made = configured(DEFAULTS, options)
    rows: dict[str, dict[str, Any]] = {"edges": {}, "ligands": {}}
    if options.out.exists():
        rows |= json.loads(options.out.read_text())
    for kind, wanted in (("edges", options.edges), ("ligands", options.ligands)):
        for name in wanted:
            if kind == "edges":
                value = relative(name, config, options.state)
            else:
                value = absolute(name, config, options.state, options.ligand_ps)
            rows[kind][name] = vars(value) | made
            rows["beside"] = {edge: beside(edge, rows["ligands"], rows["edges"]) for edge in rows["edges"]}
            options.out.write_text(json.dumps(rows, indent=1) + "\n")
            print(f"{name}: {value.dg:.2f} ± {value.error:.2f} kcal/mol {rows['beside'].get(name, '')}", flush=True)
    return int(any(fails(rows["beside"][edge]) for edge in options.edges))


if __name__ == "__main__":
    sys.exit(main())
