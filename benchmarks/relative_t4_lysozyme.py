#!/usr/bin/env python3
"""Fourteen relative binding free energies in T4 lysozyme L99A, beside OpenFE's and experiment, and what they cost.

    python benchmarks/relative_t4_lysozyme.py inputs --data shared/data/rbfe/t4_lysozyme --out DIR
    python benchmarks/relative_t4_lysozyme.py solvent --data ... --state DIR --edges methyl_benzene~benzene
    python benchmarks/relative_t4_lysozyme.py compare --data ... [--campaign DIR/results]

The folder of data is openfe-benchmarks' (``protein.pdb``, ``ligands_antechamber_am1bcc.sdf``,
``industry_benchmarks_network.json``, ``openfe_edges.csv``). GAFF2 with the SDF's charges, so another force field than
OpenFE's values: the difference is reported, not required.

``inputs`` writes the samplesheet and prints the command of the campaign: the pipeline runs all 14 edges, or those of
``--edges``, goes on with ``-resume`` over any number of allocations, and repeats no leg. Made for a card.
``solvent`` runs the legs of the ligands alone, which a CPU can do; called again it goes on. ``--reverse`` runs each
edge from B to A as well: A→B must be −(B→A). ``compare`` lists all edges: what has not run is ``waiting``.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import statistics
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relative_hydration.run import DEFAULTS, Value, configured, relative

from gibbsflow.binding.alchemy.protocols import RELATIVE_SOLVATION
from gibbsflow.binding.prepare.small_molecule.sdf_records import ligand_name

RESULTS = Path(__file__).with_suffix(".json")
SOLVENT = tuple(leg for leg in RELATIVE_SOLVATION if leg.name == "solvent")
SDF = "ligands_antechamber_am1bcc.sdf"
FORCE_FIELD = {"ligand_ff": "gaff2", "charge_source": "sdf"}
CAMPAIGN: dict[str, Any] = {
    "mode": "rbfe", "solvent": "tip3p", **FORCE_FIELD, "equil_ps": 1000.0, "window_ps": 2000.0,
    "window_equil_ps": 100.0, "replicates": 3,
}  # fmt: skip
OPENFE_NS_PER_LEG = 3 * 11 * 6.0
"""Three repeats of 11 windows of 5 ns after 1 ns (OpenFE's defaults, which its published edges were run with)."""


@dataclass(frozen=True)
class Published:
    """An edge as OpenFE 1.0.1 and experiment have it, kcal/mol; ΔΔG is b less a."""

    ligand_a: str
    ligand_b: str
    ddg: float
    ddg_sd: float
    complex: float
    solvent: float
    experimental_ddg: float

    def __str__(self) -> str:
        return f"{self.ligand_a}~{self.ligand_b}"


def published(data: Path) -> dict[str, Published]:
    """The edges of the network, by name."""
    with (data / "openfe_edges.csv").open(newline="", encoding="utf-8") as file:
        rows = [
            Published(
                ligand_name(row["ligand_a"]), ligand_name(row["ligand_b"]), float(row["ddg_kcal_per_mol"]),
                float(row["ddg_sd_kcal_per_mol"]), float(row["complex_kcal_per_mol"]),
                float(row["solvent_kcal_per_mol"]), float(row["experimental_ddg_kcal_per_mol"]),
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip
    return {str(row): row for row in rows}


def chosen(edges: Mapping[str, Published], asked: list[str]) -> list[Published]:
    """The edges that were asked for, in the network's order; all where none was named."""
    if unknown := set(asked) - edges.keys():
        sys.exit(f"--edges: no {', '.join(sorted(unknown))}; there are {', '.join(edges)}")
    return [edge for name, edge in edges.items() if not asked or name in asked]


def solvent_legs(options: argparse.Namespace) -> int:
    """Run ligands alone in water, and keep each value as it comes."""
    config, made = configured({**DEFAULTS, **FORCE_FIELD}, options)
    edges = published(options.data)
    # one file holds them all: the record is found by the ligand's name
    files = dict.fromkeys(
        {name for edge in edges.values() for name in (edge.ligand_a, edge.ligand_b)}, options.data / SDF
    )
    kept = json.loads(options.out.read_text()) if options.out.exists() else {}
    for edge in chosen(edges, options.edges):
        ways = [(edge.ligand_a, edge.ligand_b), (edge.ligand_b, edge.ligand_a)]
        for ends in ways[: 2 if options.reverse else 1]:
            value = relative("~".join(ends), config, options.state, SOLVENT, files)
            kept.setdefault("solvent", {})["~".join(ends)] = of_leg(value) | made
            options.out.write_text(json.dumps(kept, indent=1) + "\n")
            print(f"{'~'.join(ends)} in water: {value.dg:.2f} ± {value.error:.2f} kcal/mol", flush=True)
    return 0


def of_leg(value: Value) -> dict[str, Any]:
    """A leg's own free energy, from A to B."""
    return {
        "dg_kcal_per_mol": value.dg,
        "dg_error_kcal_per_mol": value.error,
        "replicates": value.legs["solvent"],
        "windows": value.windows,
        "window_ps": value.window_ps,
        "least_overlap": value.least_overlap,
        "cpu_s": value.cpu_s,
    }


def inputs(options: argparse.Namespace) -> int:
    """Write what the pipeline takes, and print its command."""
    measured = json.loads((options.data / "experimental_binding_data.json").read_text())
    edges = chosen(published(options.data), options.edges)
    ends = {name for edge in edges for name in (edge.ligand_a, edge.ligand_b)}
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "ligands.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["ligand", "structure", "experimental_dg_kcal_per_mol"])
        for name, row in ((name, row) for name, row in measured.items() if ligand_name(name) in ends):
            rows.writerow([ligand_name(name), options.data.resolve() / SDF, f"{row['dg']['magnitude']:.2f}"])
    network = options.out / "network.csv"
    with network.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["ligand_a", "ligand_b"])
        rows.writerows((edge.ligand_a, edge.ligand_b) for edge in edges)
    settings = " ".join(f"--{key} {value}" for key, value in CAMPAIGN.items())
    print(
        f"nextflow run main.nf -profile slurm,apptainer,gpu -resume {settings} --platform CUDA "
        f"--input {options.out / 'ligands.csv'} --receptor {options.data / 'protein.pdb'} --network {network} "
        f"--outdir {options.out / 'results'}"
    )
    return 0


def compare(options: argparse.Namespace) -> int:
    """Print all edges beside OpenFE's and experiment, with what each took."""
    kept, edges = json.loads(options.out.read_text()) if options.out.exists() else {}, published(options.data)
    table = options.campaign / "edges.csv" if options.campaign else None
    rows: dict[str, dict[str, str]] = {}
    if table and table.is_file():
        with table.open(newline="", encoding="utf-8") as file:
            rows = {f"{row['ligand_a']}~{row['ligand_b']}": row for row in csv.DictReader(file)}
    print("| edge (kcal/mol) | ΔΔG | OpenFE | experiment | in water | OpenFE, in water | status |")
    print("|---|---|---|---|---|---|---|")
    apart = []
    for name, edge in edges.items():
        row, water = rows.get(name, {}), kept.get("solvent", {}).get(name)
        done = row.get("ddg_kcal_per_mol", "")
        ours = f"{float(done):.2f} ± {float(row['ddg_error_kcal_per_mol']):.2f}" if done else ""
        alone = f"{water['dg_kcal_per_mol']:.2f} ± {water['dg_error_kcal_per_mol']:.2f}" if water else ""
        status = row.get("status") or "waiting (a card for the complex)"
        print(
            f"| {name} | {ours} | {edge.ddg:.2f} ± {edge.ddg_sd:.2f} | {edge.experimental_ddg:.2f} "
            f"| {alone} | {edge.solvent:.2f} | {status} |"
        )
        if done:
            apart.append((float(done) - edge.experimental_ddg, float(row["ddg_error_kcal_per_mol"]), edge))
    if not apart:
        print(f"\nno edge is complete; OpenFE's RMSE from experiment over all {len(edges)} is {rmse(edges):.2f}")
        return 0
    ours_rmse = math.sqrt(sum(each[0] ** 2 for each in apart) / len(apart))
    theirs = rmse({str(edge): edge for _, _, edge in apart})
    print(f"\nRMSE from experiment over {len(apart)}: {ours_rmse:.2f}, OpenFE's over the same {theirs:.2f}")
    if options.ns_per_leg:
        ratios = [options.ns_per_leg * (error / edge.ddg_sd) ** 2 / OPENFE_NS_PER_LEG for _, error, edge in apart]
        share, rate = statistics.median(ratios), options.rate_ratio
        print(
            f"cost at OpenFE's SD of each ΔΔG, in its own {OPENFE_NS_PER_LEG:g} ns a leg: {share:.2f} in MD (median), "
            f"{share / rate:.2f} in time at {rate:g} times the rate of openmmtools' exchange"
        )
    return 0


def rmse(edges: Mapping[str, Published]) -> float:
    """Of OpenFE's ΔΔG from experiment, kcal/mol."""
    return math.sqrt(sum((edge.ddg - edge.experimental_ddg) ** 2 for edge in edges.values()) / len(edges))


def main() -> int:
    """Take the options, and do what is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    for verb, act in (("inputs", inputs), ("solvent", solvent_legs), ("compare", compare)):
        one = verbs.add_parser(verb, description=act.__doc__)
        one.set_defaults(act=act)
        one.add_argument("--data", type=Path, required=True)
        if act is compare:
            one.add_argument("--campaign", type=Path, help="folder with the campaign's edges.csv")
            one.add_argument("--ns-per-leg", type=float, help="MD of a leg, all windows and replicates")
            one.add_argument(
                "--rate-ratio", type=float, default=1.0, help="of benchmarks/gpu/exchange.py, on that card"
            )
            one.add_argument("--out", type=Path, default=RESULTS, help="what `solvent` has kept")
            continue
        one.add_argument("--edges", nargs="+", default=[], metavar="A~B")
        if act is inputs:
            one.add_argument("--out", type=Path, required=True)
        else:
            one.add_argument("--state", type=Path, required=True)
            one.add_argument("--reverse", action="store_true")
            one.add_argument("--replicates", type=int, default=1)
            one.add_argument("--settings", nargs="+", default=[], metavar="KEY=VALUE")
            one.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"skipped: no folder {options.data} (openfe-benchmarks' t4_lysozyme)")
        return 0
    return int(options.act(options))


if __name__ == "__main__":
    sys.exit(main())
