#!/usr/bin/env python3
"""Hydration free energies from SMILES against FreeSolv's calculated ones, by `gibbsflow run-local`.

    python benchmarks/freesolv/solvation.py methane ethane methanol benzene --runs /tmp/freesolv
    python benchmarks/freesolv/solvation.py toluene --runs /tmp/freesolv --set fe.window_ps=1000 --set md.platform=CUDA

Each molecule is a campaign of its own below `--runs`; run again, it goes on from its state. What came out is kept in
`--results`, with all settings that are not defaults, versions, machine and cost. Exits 1 where a value differs by 0.3
kcal/mol or more from FreeSolv's, or by more than twice the error of the difference.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
GIBBSFLOW = HERE.parents[1] / "bin" / "gibbsflow"
TOLERANCE_KCAL_PER_MOL = 0.3
CHOSEN: dict[str, dict[str, Any]] = {
    "run": {"mode": "asfe", "replicates": 1},
    "param": {"ligand_ff": "gaff"},
    "md": {"solvent": "tip3p"},
}
"""What makes it FreeSolv's system: GAFF 1, AM1-BCC and TIP3P at 298.15 K and 1.01325 bar; the rest by `--set`."""


def settings(given: list[str]) -> dict[str, dict[str, Any]]:
    """Sections of the run: what FreeSolv asks for, and SECTION.KEY=VALUE as given, values in YAML."""
    sections = {name: dict(values) for name, values in CHOSEN.items()}
    for text in given:
        key, _, value = text.partition("=")
        section, _, name = key.partition(".")
        sections.setdefault(section, {})[name] = yaml.safe_load(value)
    return sections


def run(ligand: str, smiles: str, sections: dict[str, dict[str, Any]], folder: Path) -> None:
    """Run one molecule, or go on with it, and note what this took."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ligands.csv").write_text(f"ligand,smiles\n{ligand},{smiles}\n")
    places = {"input": "ligands.csv", "outdir": "results", "state_dir": "state"}
    (folder / "run.yaml").write_text(yaml.safe_dump({"io": places} | sections))
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([GIBBSFLOW, "run-local", "run.yaml"], cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = {
        "wall_s": round(time.monotonic() - start),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime),
    }
    with open(folder / "cost.jsonl", "a") as file:
        file.write(json.dumps(cost) + "\n")
    if done.returncode:
        sys.exit(done.returncode)


def outcome(molecule: dict[str, str], sections: dict[str, dict[str, Any]], folder: Path) -> dict[str, Any]:
    """What came out, beside what FreeSolv has."""
    record = json.loads((folder / "results" / f"record.{molecule['ligand']}.json").read_text())
    dg, error = record["dg_kcal_per_mol"], record["dg_error_kcal_per_mol"]
    reference, reference_error = float(molecule["calc_kcal_per_mol"]), float(molecule["calc_error_kcal_per_mol"])
    costs = [json.loads(line) for line in (folder / "cost.jsonl").read_text().splitlines()]
    return {
        "ligand": molecule["ligand"],
        "freesolv_id": molecule["freesolv_id"],
        "dg_kcal_per_mol": round(dg, 3),
        "dg_error_kcal_per_mol": round(error, 3),
        "freesolv_kcal_per_mol": reference,
        "freesolv_error_kcal_per_mol": reference_error,
        "difference_kcal_per_mol": round(dg - reference, 3),
        "differs_by_errors": round(abs(dg - reference) / math.hypot(error, reference_error), 2),
        "verdict": record["verdict"],
        "settings": sections,
        "cost": {key: sum(cost[key] for cost in costs) for key in ("wall_s", "cpu_s")},
        "versions": record["versions"],
        "machine": {"cores": os.cpu_count(), "cpu": cpu(), "system": f"{platform.system()} {platform.machine()}"},
        "date": time.strftime("%Y-%m-%d"),
    }


def cpu() -> str:
    """What the processor calls itself."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def main() -> int:
    """Run, keep, compare."""
    with open(HERE / "molecules.csv") as file:
        table = {row["ligand"]: row for row in csv.DictReader(file)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ligand", nargs="+", choices=table, metavar="LIGAND", help="of molecules.csv")
    parser.add_argument("--runs", type=Path, required=True, help="folder of the campaigns, with their state")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="given")
    parser.add_argument("--results", type=Path, default=HERE / "results.json")
    options = parser.parse_args()
    sections, passed = settings(options.given), True
    for ligand in options.ligand:
        folder = options.runs / ligand
        run(ligand, table[ligand]["smiles"], sections, folder)
        found = outcome(table[ligand], sections, folder)
        kept = json.loads(options.results.read_text()) if options.results.exists() else []
        kept = [one for one in kept if (one["ligand"], one["settings"]) != (ligand, sections)] + [found]
        options.results.write_text(json.dumps(kept, indent=2) + "\n")
        far = abs(found["difference_kcal_per_mol"]) >= TOLERANCE_KCAL_PER_MOL or found["differs_by_errors"] > 2
        passed &= not far
        said = f"{found['freesolv_kcal_per_mol']} ± {found['freesolv_error_kcal_per_mol']}"
        own = f"{found['dg_kcal_per_mol']} ± {found['dg_error_kcal_per_mol']}"
        print(f"{ligand}: {own} kcal/mol, FreeSolv {said}: {'differs' if far else 'agrees'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
