#!/usr/bin/env python3
"""One binding free energy under each restraint: what holds the decoupled ligand must not change the answer.

    python benchmarks/restraints.py --state /tmp/cb7 --receptor assets/demo/cb7.sdf --ligand p-xylene.sdf --pose place \
        --replicates 3 --settings window_ps=28.0 equil_ps=80.0 complex_schedule=benchmarks/restraints_schedule.yaml \
        --set restraint=com --set restraint=boresch boresch_atoms=C37,N25,C39,C4,C1,C5 symmetry_number=2
    python benchmarks/restraints.py --state /tmp/t4 --receptor protein.pdb --ligand p-xylene.sdf --pocket 4 \
        --discard-ps 8 --settings window_ps=28.0 equil_ps=60.0 \
        complex_schedule=benchmarks/restraints_schedule.yaml \
        site=B:84,B:87,B:91,C:99,C:102,C:103,E:118 --set restraint=boresch symmetry_number=4 --set restraint=com

A symmetric host, and a pocket (protein and pose as in openfe-benchmarks, ``t4_lysozyme``).
Without a receptor, CB7·B2 with the openmmtools wheel's topologies. One equilibration; from it one complex leg for each
``--set`` and replicate, all by the verbs of the pipeline. The ligand's own leg is the same for all and left out: what
is compared is −ΔG(complex) − ΔG(release) − kT ln σ. ``--pocket`` cuts the residues within so many Å of the ligand out
of a protein, caps them, and ties their heavy atoms within 8 Å of each other to their distances (½ K x², K = 1
kcal/mol/Å², each), the same in all legs. Run again with the same options, it goes on from its state. ``--out``
(restraints.json) keeps what other calls have put there. Exits 1 where two restraints differ by more than 3 σ.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import platform
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import openmm
import yaml
from openmm import app, unit
from rdkit import Chem
from scipy import stats
from scipy.spatial import cKDTree

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))
import host_guest as hg  # noqa: E402

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg  # noqa: E402
from gibbsflow.binding.alchemy.prepare_fe import prepare_legs  # noqa: E402
from gibbsflow.binding.analyse.leg_result import analyse_leg  # noqa: E402
from gibbsflow.binding.campaign.verbs import parametrise_complex, prepare_complex  # noqa: E402
from gibbsflow.binding.equilibrate.equil_analysis import analyse_equilibration  # noqa: E402
from gibbsflow.binding.equilibrate.equilibration import equilibrate  # noqa: E402
from gibbsflow.binding.facts import TopologyFacts  # noqa: E402
from gibbsflow.binding.forcefield.topology_file import heavy_atoms  # noqa: E402
from gibbsflow.binding.sample.energies import Window, in_order, join_windows, read_window  # noqa: E402
from gibbsflow.binding.sample.sampling import sample_leg  # noqa: E402
from gibbsflow.binding.system import SimSystem  # noqa: E402
from gibbsflow.config.binding import BindingConfig, Md  # noqa: E402
from gibbsflow.engines.openmm_engine import OpenMmEngine  # noqa: E402
from gibbsflow.errors import NumericalError  # noqa: E402
from gibbsflow.units import KJ_PER_KCAL, kt_kcal_per_mol  # noqa: E402
from gibbsflow.workflow.result import Result, versions  # noqa: E402
from gibbsflow.workflow.state.segments import Stopper  # noqa: E402

TIE_ANGSTROM, TIE_KCAL_PER_MOL_ANGSTROM2 = 8.0, 1.0
DEFAULTS = {
    "solvent": "vacuum", "window_ps": 60.0, "window_equil_ps": 4.0, "sample_ps": 0.5, "segment_ps": 8.0,
    "heat_ps": 4.0, "equil_ps": 50.0, "equil_segment_ps": 8.0, "trajectory": "none",
}  # fmt: skip


class Tied(OpenMmEngine):
    """OpenMM with bonds between the heavy atoms of a receptor that keep a piece of a protein in its shape.

    Parameters
    ----------
    complex_
        As parametrised; its distances are kept. Topologies without a receptor are left as they are.
    """

    def __init__(self, complex_: SimSystem) -> None:
        path = complex_.path("complex_prmtop")
        places = app.AmberInpcrdFile(str(complex_.path("complex_inpcrd"))).positions.value_in_unit(unit.angstrom)
        here = np.array([[*place] for place in places])
        self._atoms = len(here)
        inside = set(complex_.facts(TopologyFacts).receptor_atoms)
        heavy = [atom for atom in heavy_atoms(path) if atom in inside]
        self._ties = [(heavy[a], heavy[b]) for a, b in cKDTree(here[heavy]).query_pairs(TIE_ANGSTROM)]
        self._lengths = [float(np.linalg.norm(here[a] - here[b])) for a, b in self._ties]

    def system(self, topology: Path, md: Md, *others: object, **settings: object) -> openmm.System:
        """The System of a topology, and the ties where it is the complex."""
        system = super().system(topology, md, *others, **settings)
        if system.getNumParticles() == self._atoms:
            force = openmm.HarmonicBondForce()
            for (a, b), length in zip(self._ties, self._lengths, strict=True):
                force.addBond(a, b, length / 10, TIE_KCAL_PER_MOL_ANGSTROM2 * KJ_PER_KCAL * 100)
            system.addForce(force)
        return system


def cut_pocket(protein: Path, ligand: Path, angstrom: float, out: Path) -> Path:
    """Write the residues near a ligand, each row of them a chain of its own with ACE and NME at its ends."""
    pdb = app.PDBFile(str(protein))
    places = np.array(pdb.positions.value_in_unit(unit.angstrom))
    guest = next(iter(Chem.SDMolSupplier(str(ligand), removeHs=False))).GetConformer().GetPositions()
    lines: list[str] = []

    def put(residue: app.topology.Residue, names: dict[str, str], called: str, chain: str) -> None:
        for atom in residue.atoms():
            if (name := names.get(atom.name)) is not None:
                x, y, z = places[atom.index]
                name = name if len(name) == 4 else f" {name}"
                lines.append(
                    f"ATOM  {len(lines) + 1:5d} {name:<4s} {called:3s} {chain}{int(residue.id):4d}    "
                    f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          {atom.element.symbol:>2s}"
                )

    letters = iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for residues in (list(chain.residues()) for chain in pdb.topology.chains()):
        inside = set()
        for k, residue in enumerate(residues):
            atoms = places[[atom.index for atom in residue.atoms()]]
            if np.linalg.norm(atoms[:, None] - guest[None], axis=-1).min() <= angstrom:
                inside |= {k}
        near = sorted(inside)
        for a, b in itertools.pairwise(near):  # no room for two caps between them
            inside |= set(range(a, b)) if b - a <= 3 else set()
        near = sorted(inside)
        rows = np.split(near, np.flatnonzero(np.diff(near) > 1) + 1) if near else []
        for row in rows:
            chain = next(letters)
            if row[0] > 0:
                put(residues[row[0] - 1], {"CA": "CH3", "C": "C", "O": "O"}, "ACE", chain)
            for k in row:
                put(residues[k], {atom.name: atom.name for atom in residues[k].atoms()}, residues[k].name, chain)
            if row[-1] + 1 < len(residues):
                put(residues[row[-1] + 1], {"N": "N", "CA": "C"}, "NME", chain)
            lines.append("TER")
    out.write_text("\n".join([*lines, "END", ""]))
    return out


def without_start(window: Window, discard_ps: float) -> Window:
    """Leave out what was sampled before a time of the first sample."""
    kept = window.time_ps > window.time_ps[0] + discard_ps - 1e-6
    return replace(window, time_ps=window.time_ps[kept], replica=window.replica[kept], u=window.u[kept])


@dataclass(frozen=True)
class Row:
    """One leg: its restraint, replicate, and −ΔG(complex) − ΔG(release) − kT ln σ in kcal/mol."""

    settings: str
    replicate: int
    value_kcal_per_mol: float
    mbar_error_kcal_per_mol: float
    release_kcal_per_mol: float
    symmetry_kcal_per_mol: float
    least_overlap: float
    round_trips: int
    cpu_s: float
    why: str


def equilibrated(options: argparse.Namespace, config: BindingConfig) -> tuple[SimSystem, OpenMmEngine]:
    """The bound complex, with its anchors, and the engine that all legs use."""
    state: Path = options.state
    state.mkdir(parents=True, exist_ok=True)
    if options.receptor is None:
        if not (state / "prepared").exists():
            hg.prepare_equil(state / "prepared", config.equil)
            prepared = SimSystem.read(state / "prepared")
            SimSystem(prepared.name, prepared.root, prepared.artifacts, {
                **prepared.meta, "md": config.md.model_dump(mode="json")
            }).write()  # fmt: skip
        system = SimSystem.read(state / "prepared")
    else:
        receptor = options.receptor
        if options.pocket:
            receptor = cut_pocket(receptor, options.ligand, options.pocket, state / "pocket.pdb")
        name = options.ligand.stem
        placed = prepare_complex(
            name, receptor, config, state / "placed", structure=options.ligand, pose=options.pose
        )  # fmt: skip
        system = parametrise_complex(placed, config, state / "prepared", cache=state / "cache")
    engine = OpenMmEngine()
    if options.pocket:
        engine = Tied(system)
    with Stopper() as stopper:
        done = equilibrate(system, state / "equil_state", state / "equil", stopper, Result(), engine)
    analysis = analyse_equilibration(done, state / "analysis", Result())
    analysis.require_bound()
    analysis.system.write()
    return analysis.system, engine


def held(
    system: SimSystem, settings: str, replicate: int, config: BindingConfig, options: argparse.Namespace,
    engine: OpenMmEngine,
) -> Row:  # fmt: skip
    """Sample and analyse one leg."""
    state: Path = options.state
    slug = "".join(c if c.isalnum() else "_" for c in settings)
    prepared = prepare_legs(system, config, state / slug, Result(), engine=engine)
    leg = AlchemicalLeg.read(state / slug / "legs" / "complex")
    run, result = state / f"{slug}_{replicate}", Result()
    with Stopper() as stopper:
        try:
            sample_leg(leg, replicate, None, run, run / "out", stopper, result, engine=engine)
        except NumericalError:  # a start far from the held pose: again with safer settings, as the pipeline does
            sample_leg(leg, replicate, None, run, run / "out", stopper, result, engine=engine)
    windows = [
        without_start(read_window(path), options.discard_ps) for path in sorted((run / "out").glob("window_*.parquet"))
    ]
    energies = join_windows(in_order(windows), temperature_k=leg.md.temperature_k)
    analysed = analyse_leg(energies, decorrelate="auto", bridge_overlap=0.03)
    spent = run / "cpu_s.json"  # a leg that is finished costs nothing when it is read again
    cost = (json.loads(spent.read_text()) if spent.exists() else 0.0) + result.timings["cpu_s"]
    spent.write_text(json.dumps(cost))
    kt = kt_kcal_per_mol(leg.md.temperature_k)
    release = prepared.meta["standard_state"]["numeric_kcal_per_mol"]
    symmetry = prepared.meta["restraint_choice"]["symmetry_kcal_per_mol"]
    return Row(
        settings=settings,
        replicate=replicate,
        value_kcal_per_mol=-kt * analysed.mbar.dg_kt - release + symmetry,
        mbar_error_kcal_per_mol=kt * analysed.mbar.dg_error_kt,
        release_kcal_per_mol=release,
        symmetry_kcal_per_mol=symmetry,
        least_overlap=float(np.diagonal(np.asarray(analysed.overlap), 1).min()),
        round_trips=int(result.figures.get("round_trips", 0)),
        cpu_s=round(cost, 1),
        why=leg.restraint.why if leg.restraint else "",
    )


def summed_up(rows: list[Row]) -> dict[str, object]:
    """Mean of the replicates; its error from their spread (Student's t for one σ), and no less than MBAR's."""
    values = np.array([row.value_kcal_per_mol for row in rows])
    own = math.hypot(*(row.mbar_error_kcal_per_mol for row in rows)) / len(rows)
    spread = 0.0
    if len(rows) > 1:
        one_sigma = stats.t.ppf(0.5 + 0.6827 / 2, len(rows) - 1)
        spread = float(one_sigma * values.std(ddof=1) / math.sqrt(len(rows)))
    return {
        "value_kcal_per_mol": float(values.mean()),
        "error_kcal_per_mol": max(own, spread),
        "of_replicates_kcal_per_mol": spread,
        "mbar_kcal_per_mol": own,
        "cpu_s": sum(row.cpu_s for row in rows),
        "rows": [vars(row) for row in rows],
    }


def chosen(pairs: list[str]) -> dict[str, object]:
    """Settings given as KEY=VALUE."""
    return {key: yaml.safe_load(value) for key, value in (pair.split("=", 1) for pair in pairs)}


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--name", help="what the complex is called in --out; default: ligand and receptor")
    parser.add_argument("--receptor", type=Path)
    parser.add_argument("--ligand", type=Path)
    parser.add_argument("--pose", help="given or place")
    parser.add_argument("--pocket", type=float, metavar="ANGSTROM")
    parser.add_argument("--replicates", type=int, default=2)
    parser.add_argument("--discard-ps", type=float, default=0.0, help="of each window, beside window_equil_ps")
    parser.add_argument("--settings", nargs="+", default=[], metavar="KEY=VALUE", help="of all legs")
    parser.add_argument("--set", nargs="+", action="append", metavar="KEY=VALUE", help="of one kind of leg")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    common = DEFAULTS | chosen(options.settings) | {"replicates": options.replicates}
    kinds = options.set or [["restraint=com"], ["restraint=flat_bottom"], ["restraint=boresch"]]
    system, engine = equilibrated(options, BindingConfig.from_params(common))
    rows: dict[str, list[Row]] = {" ".join(kind): [] for kind in kinds}
    name = options.name or f"{system.name} in {options.receptor.stem if options.receptor else 'cb7'}"
    kept = json.loads(options.out.read_text()) if options.out.exists() else {}
    for replicate in range(options.replicates):
        for kind in kinds:
            settings = " ".join(kind)
            config = BindingConfig.from_params(common | chosen(kind))
            rows[settings].append(held(system, settings, replicate, config, options, engine))
            print(json.dumps(vars(rows[settings][-1])), flush=True)
            kept[name] = {
                "settings": {key: str(value) for key, value in common.items()} | {"discard_ps": options.discard_ps},
                "atoms": app.AmberPrmtopFile(str(system.path("complex_prmtop"))).topology.getNumAtoms(),
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, OpenMM platform {config.md.platform}",
                "versions": versions("openmm"),
                "restraints": {key: summed_up(found) for key, found in rows.items() if found},
            }
            options.out.write_text(json.dumps(kept, indent=1) + "\n")
    means = kept[name]["restraints"]
    for settings, found in means.items():
        print(f"{settings}: {found['value_kcal_per_mol']:.2f} ± {found['error_kcal_per_mol']:.2f} kcal/mol")
    apart = [
        abs(a["value_kcal_per_mol"] - b["value_kcal_per_mol"])
        > 3 * math.hypot(a["error_kcal_per_mol"], b["error_kcal_per_mol"])
        for a, b in itertools.combinations(means.values(), 2)
    ]
    return int(any(apart))


if __name__ == "__main__":
    sys.exit(main())
