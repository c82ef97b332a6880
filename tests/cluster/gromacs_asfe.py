#!/usr/bin/env python3
"""Methane into water through GROMACS, from its SMILES to the table: killed in mid-segment, and gone on with.

    python tests/cluster/gromacs_asfe.py [--ps 4] [--seed 2026]

Needs GROMACS on PATH. Prints the free energy of solvation; exit 1 where the run was not resumed from what it had saved,
or where the value is farther from 2.45 kcal/mol than so short a run can be.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import yaml

EXPECTED, NEAR = 2.45, 2.0
STATES = [(0, 1, 1), (0, 0, 1), (0, 0, 0.8), (0, 0, 0.6), (0, 0, 0.45), (0, 0, 0.3), (0, 0, 0.15), (0, 0, 0)]


def settings(folder: Path, ps: float, seed: int) -> Path:
    """Write a campaign of one small box."""
    (folder / "ligands.csv").write_text("ligand,smiles\nmethane,C\n")
    (folder / "states.yaml").write_text(yaml.safe_dump({"states": [list(state) for state in STATES]}))
    content = {
        "io": {"input": "ligands.csv", "outdir": "results", "state_dir": "state"},
        "run": {"mode": "asfe", "replicates": 1, "seed": seed},
        "param": {"ligand_ff": "gaff", "charge_method": "gas"},
        "md": {"solvent": "tip3p", "engine": "gromacs", "threads": 2, "padding_angstrom": 8.0, "cutoff_angstrom": 7.0},
        "equil": {"minimise_steps": 200, "heat_ps": 2, "density_ps": 8, "equil_ps": 8, "equil_segment_ps": 4},
        "fe": {"solvent_schedule": "states.yaml", "sample_ps": 0.2, "segment_ps": 2}
        | {"window_ps": ps, "window_equil_ps": 1},
    }
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start the campaign, or go on with it."""
    with open(folder / "log", "ab") as log:
        words = [sys.executable, "-m", "gibbsflow.cli.gibbsflow", "run-local", "run.yaml"]
        return subprocess.Popen(words, cwd=folder, stdout=log, stderr=subprocess.STDOUT)


def main() -> int:
    """Run, kill, run again, compare; say by the exit code whether it is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ps", type=float, default=4.0, help="sampling a window (default: 4)")
    parser.add_argument("--seed", type=int, default=2026, help="of all random numbers (default: 2026)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        settings(folder, options.ps, options.seed)
        run = start(folder)
        # GROMACS is in its second segment: the first one is saved
        second = "**/solvent/replicate_0/gromacs/*/window_00/run.part0002.log"
        while run.poll() is None and not any((folder / "state").glob(second)):
            time.sleep(0.1)
        if run.poll() is not None:
            print((folder / "log").read_text(errors="replace")[-4000:])
            return 1
        children = psutil.Process(run.pid).children(recursive=True)
        run.kill()
        run.wait()
        _, alive = psutil.wait_procs(children, timeout=15)
        if alive:
            print(f"outlived the process that had started them: {alive}")
            return 1
        if start(folder).wait():
            print((folder / "log").read_text(errors="replace")[-4000:])
            return 1
        (result,) = (folder / "results").glob("**/fe/solvent_replicate_0/result.json")
        told = json.loads(result.read_text())
        (home,) = (folder / "state").glob("**/solvent/replicate_0")
        attempts = json.loads((home / "attempts.json").read_text())["attempts"]
        ends = [attempt["end"] for attempt in attempts]
        with open(folder / "results" / "results.csv") as file:
            (row,) = csv.DictReader(file)
    dg = float(row["dg_kcal_per_mol"])
    good = ends == ["lost", "finished"] and told["engine"] == "gromacs" and abs(dg - EXPECTED) < NEAR
    print(f"attempts: {', '.join(ends)}; exchange: {told['exchange']}; GROMACS {told['versions']['gromacs']}")
    print(f"methane: {dg:.2f} ± {float(row['dg_error_kcal_per_mol']):.2f} kcal/mol ({EXPECTED} expected)")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
