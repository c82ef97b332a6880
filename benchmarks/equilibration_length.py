"""Where the bound for uncorrelated samples of an equilibration is from: pieces of a long one, judged like whole ones.

    python benchmarks/equilibration_length.py results/mine/phases/LIGAND/equil [...] > equilibration_length.json

Each folder is one left by `equil run` (mode md, 200 ps here). Of pieces of each length, overlapping by half: the
uncorrelated samples of their judged half, how many are doubted (fewer than 10), and of how many the mean of that half,
distance of the ligand or its RMSD, is more than 3 of its standard errors off that of the whole run without its start.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from gibbsflow.binding.analyse.verdict import Thresholds
from gibbsflow.binding.equilibrate.bound_state import LAST_SHARE, analyse_bound, uncorrelated_samples
from gibbsflow.binding.facts import TopologyFacts
from gibbsflow.binding.forcefield.topology_file import heavy_atoms
from gibbsflow.binding.system import SimSystem
from gibbsflow.workflow.files import read_arrays

LENGTHS, START, SIGMAS = (5, 10, 20, 40, 80, 160), 20, 3.0
"""Frames (1 ps each) of a piece; frames of the whole run that its mean leaves out; standard errors."""


def pieces(folder: Path) -> list[dict[str, object]]:
    """Judge the pieces of one equilibration, a row for each length."""
    system = SimSystem.read(folder)
    file = read_arrays(system.path("equil_frames"), "positions_nm", "time_ps", "heating")
    frames = file["positions_nm"][~file["heating"].astype(bool)].astype(float) * 10
    atoms, heavy = system.facts(TopologyFacts), set(heavy_atoms(system.path("complex_prmtop")))
    ligand, receptor = (
        [a for a in group if a in heavy] for group in (atoms.ligand_atoms, atoms.receptor_atoms)
    )  # fmt: skip
    seen = analyse_bound(frames, ligand=ligand, site=atoms.site_atoms, receptor=receptor, threshold_angstrom=8.0)
    series, rows = (seen.distance_angstrom, seen.rmsd_angstrom), []
    for length in (n for n in (*LENGTHS, len(frames)) if n <= len(frames)):
        found = []
        for first in range(0, len(frames) - length + 1, max(1, length // 2)):
            cut = [one[first : first + length] for one in series]
            judged = range(length - max(1, round(length * LAST_SHARE)), length)
            samples = uncorrelated_samples(judged, *cut)
            parts = [one[list(judged)] for one in cut]
            off = [
                abs(part.mean() - one[START:].mean()) / (part.std(ddof=1) / np.sqrt(samples))
                for part, one in zip(parts, series, strict=True)
            ]
            found.append((samples, bool(max(off) > SIGMAS)))
        few = [bad for samples, bad in found if samples < Thresholds().samples_warn]
        passed = [bad for samples, bad in found if samples >= Thresholds().samples_warn]
        median = round(float(np.median([samples for samples, _ in found])), 1)
        rows.append({"ps": length, "pieces": len(found), "samples_median": median, "doubted": len(few)}
                    | {"doubted_off": sum(few), "passed_off": sum(passed)})  # fmt: skip
    return rows


if __name__ == "__main__":
    print(json.dumps({Path(name).parent.name: pieces(Path(name)) for name in sys.argv[1:]}, indent=1))
