#!/usr/bin/env python3
"""A neutral sphere takes +2 e while two waters of its box become Cl-, as an edge with ``counter_ion`` does.

    python benchmarks/charged_edges.py --state DIR [--waters 129 345] [--window_ps 20]

The leg is prepared, sampled and analysed as any other. Beside it stand its parts: the same sphere charged alone in as
many waters (finite_size.json), and one water that becomes Cl- alone. Their boxes have a net charge in the end, so that
their raw sum depends on the box, by the terms of Rocklin et al.; the leg's box is neutral throughout, and there is left
how three charges and their images see each other through the dielectric, which is computed. So leg and raw parts are to
differ by what theory says, and legs of two boxes by next to nothing. Called again with the same options it goes on.
Exits 1 where a leg is more than 2 σ off.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import platform
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import finite_size
import numpy as np
import openmm
import parmed
from openmm import unit

from gibbsflow.binding.alchemy.finite_size.terms import PERMITTIVITY
from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg, read_leg_folder
from gibbsflow.binding.alchemy.protocols import RELATIVE_IN_WATER
from gibbsflow.binding.analyse.leg_result import analyse_leg
from gibbsflow.binding.facts import RunFacts, SettingsFacts, TopologyFacts
from gibbsflow.binding.forcefield.ions import ANION, ion_of
from gibbsflow.binding.sample.energies import in_order, join_windows, read_window
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Equil, Fe, Md, Run
from gibbsflow.engines import ambertools
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.units import KJ_PER_KCAL, kt_kcal_per_mol
from gibbsflow.workflow.result import Result, versions
from gibbsflow.workflow.state.segments import Stopper

HERE = Path(__file__).parent
COULOMB_KJ_NM = 138.935458
MD = Md(solvent="tip3p", cutoff_angstrom=7.0)
WINDOWS = 17
EQUIL_PS, FRAMES, APART_PS = 16.0, 4, 2.0
FIRST_PS = 12.0
"""Of a window; a run may be gone on with for longer."""
THERE = RELATIVE_IN_WATER[1]
LEGS = (THERE, replace(THERE, name="again", sign=-THERE.sign))
"""The same leg with both signs, since an edge with ions wants two in water; the first is sampled."""


def sphere(folder: Path, charge: float, waters: int) -> None:
    """Topologies of the sphere alone and in so many waters, as ``ligand`` and ``solvent``."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["source leaprc.water.tip3p", "m = copy K+", "saveamberparm m ligand.prmtop ligand.inpcrd"]
    lines += [f"solvatebox m TIP3PBOX {6 + waters / 60:.1f}", "saveamberparm m solvent.prmtop solvent.inpcrd", "quit"]
    ambertools.tleap("\n".join([*lines, ""]), folder=folder, log=folder / "leap.log", name="sphere")
    for role in ("ligand", "solvent"):
        file = folder / f"{role}.prmtop"
        made = parmed.load_file(str(file), str(file.with_suffix(".inpcrd")))
        if role == "solvent":
            away = np.linalg.norm(made.coordinates - made.coordinates[0], axis=1)
            near = sorted((min(away[a.idx] for a in one.atoms), one.number) for one in made.residues[1:])
            kept = sorted(number for _, number in near[:waters])
            if len(kept) < waters:
                raise SystemExit(f"{len(kept)} waters fit, and {waters} were asked for")
            box = made.box.copy()
            box[:3] *= (waters / (len(made.residues) - 1)) ** (1 / 3)
            made = made[[0, *(a.idx for number in kept for a in made.residues[number].atoms)]]
            made.box = box
        radius_angstrom = finite_size.SIGMA_NM * 10 * 2 ** (1 / 6) / 2
        parmed.tools.changeLJSingleType(made, "@1", radius_angstrom, finite_size.EPSILON / KJ_PER_KCAL).execute()
        parmed.tools.change(made, "CHARGE", "@1", charge).execute()
        made.save(str(file), overwrite=True)
        made.save(str(file.with_suffix(".inpcrd")), format="rst7", overwrite=True)


def as_equilibrated(folder: Path, name: str, charge: float, waters: int) -> SimSystem:
    """The sphere in its box at its density, as the pipeline leaves a ligand after ``equil run``."""
    if not (folder / "system.json").exists():
        sphere(folder, charge, waters)
        system = create_system(folder / "solvent.prmtop", MD)
        made = finite_size.context(system, 5, barostat=True)
        start = parmed.load_file(str(folder / "solvent.inpcrd"))
        made.setPositions(start.coordinates.reshape(-1, 3) * unit.angstrom)
        made.setPeriodicBoxVectors(*np.diag(start.box[:3] / 10))
        openmm.LocalEnergyMinimizer.minimize(made, 10, 200)
        frames, boxes = [], []
        made.getIntegrator().step(round(EQUIL_PS / finite_size.STEP_PS))
        for _ in range(FRAMES):
            made.getIntegrator().step(round(APART_PS / finite_size.STEP_PS))
            state = made.getState(getPositions=True)
            frames.append(state.getPositions(asNumpy=True)._value)
            boxes.append(np.array(state.getPeriodicBoxVectors()._value))
        np.savez(folder / "frames.npz", positions_nm=frames, box_nm=boxes, heating=np.zeros(FRAMES, dtype=bool))
        roles = {f"{role}_{kind}": f"{role}.{kind}" for role in ("ligand", "solvent") for kind in ("prmtop", "inpcrd")}
        found = SimSystem(name, folder, roles | {"solvent_equil_frames": "frames.npz", "equil_frames": "frames.npz"})
        found = found.with_facts(TopologyFacts(md=MD, receptor_atoms=(), ligand_atoms=(0,), site_atoms=()))
        found.with_facts(SettingsFacts(md=MD, equil=Equil(), run=RunFacts(seed=7))).write()
    return SimSystem.read(folder)


def schedule(path: Path) -> str:
    """All charges in equal steps: one atom is shared, and none comes or goes."""
    rows = [[0, 1, 1, 0, 0], *([x, 1 - x, 1, 1, x] for x in np.linspace(0, 1, WINDOWS)[1:-1].tolist()), [1, 0, 0, 1, 1]]
    path.write_text(f"states: {rows}\n")
    return str(path)


def leg_of(waters: int, state: Path, config: BindingConfig) -> HybridLeg:
    """The edge from the neutral sphere to the charged one."""
    folder = state / f"waters_{waters}"
    a = as_equilibrated(folder / "neutral", "neutral", 0.0, waters)
    b = as_equilibrated(folder / "charged", "charged", finite_size.CHARGE, waters)
    legs = folder / "edge" / "legs"
    if not (legs / "again" / "leg.json").exists():
        prepare_edge(a, b, [(0, 0)], config, folder / "edge", Result(), protocol=LEGS)
    found = read_leg_folder(legs / THERE.name)
    assert isinstance(found, HybridLeg)
    return found


def foretold(leg: HybridLeg, edge_nm: float) -> float:
    """What three charges and their images are worth in a dielectric, beyond the wall, kcal/mol.

    Lattice sums by OpenMM, over the permittivity of the water model; ions anywhere beyond the wall, by Boltzmann.
    """
    assert leg.ions is not None
    charges = [finite_size.CHARGE, *[leg.ions.charge_e] * len(leg.ions.waters)]
    system, force = openmm.System(), openmm.NonbondedForce()
    system.setDefaultPeriodicBoxVectors(*(np.eye(3) * edge_nm))
    for charge in charges:
        system.addParticle(1.0)
        force.addParticle(charge, 0.1, 0.0)
    force.setNonbondedMethod(openmm.NonbondedForce.Ewald)
    force.setCutoffDistance(0.49 * edge_nm)
    force.setEwaldErrorTolerance(1e-6)
    system.addForce(force)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("CPU"))
    random, least_nm, energies = np.random.default_rng(1), leg.apart[0].least_angstrom / 10, []
    kt = kt_kcal_per_mol(MD.temperature_k)
    while len(energies) < 4000:
        places = random.uniform(-edge_nm / 2, edge_nm / 2, (len(charges), 3))
        places[0] = 0
        between = places[1] - places[-1]
        between -= edge_nm * np.round(between / edge_nm)
        if np.linalg.norm(places[1:], axis=1).min() > least_nm and np.linalg.norm(between) > 0.4:
            context.setPositions(places)
            energies.append(context.getState(getEnergy=True).getPotentialEnergy()._value / KJ_PER_KCAL)
    return float(-kt * np.log(np.mean(np.exp(-np.array(energies) / PERMITTIVITY["tip3p"] / kt))))


def sampled(waters: int, state: Path, config: BindingConfig, window_ps: float) -> dict[str, Any]:
    """The free energy of one box, and what it should be but for a constant."""
    leg, run = leg_of(waters, state, config), state / f"waters_{waters}" / "run"
    longer, before = window_ps if window_ps > FIRST_PS else None, sum(os.times()[:4])
    with Stopper() as stopper:
        sample_leg(leg, 0, None, run, run / "out", stopper, Result(), window_ps=longer)
    spent = run / "cpu_s.json"
    cost = (json.loads(spent.read_text()) if spent.exists() else 0.0) + sum(os.times()[:4]) - before
    spent.write_text(json.dumps(cost))
    windows = in_order([read_window(path) for path in sorted((run / "out").glob("window_*.parquet"))])
    analysed = analyse_leg(join_windows(windows, temperature_k=MD.temperature_k), decorrelate="auto")
    kt = kt_kcal_per_mol(MD.temperature_k)
    boxes = np.load(leg.folder.parents[2] / "neutral" / "frames.npz")["box_nm"]
    edge_nm = float(np.mean([np.linalg.det(box) for box in boxes]) ** (1 / 3))
    return {
        "waters": waters,
        "edge_nm": edge_nm,
        "wall_angstrom": leg.apart[0].least_angstrom,
        "ions": str(leg.ions),
        "dg_kcal_per_mol": kt * analysed.mbar.dg_kt,
        "error_kcal_per_mol": kt * analysed.mbar.dg_error_kt,
        "least_overlap": float(np.diagonal(np.asarray(analysed.overlap), 1).min()),
        "foretold_kcal_per_mol": foretold(leg, edge_nm),
        "cpu_s": round(cost, 1),
    }


def ion_alone(waters: int, length_ps: float) -> dict[str, Any]:
    """What one water of a box is worth that becomes the ion, with nothing to make up for its charge, kcal/mol.

    The sphere is there, neutral. By five Gauss-Legendre points of thermodynamic integration, and what Rocklin's terms
    make of it. What offsets of parameters leave out of the long-range correction at the end is added.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sphere(folder, 0.0, waters)
        start = parmed.load_file(str(folder / "solvent.inpcrd"))
        edges_nm, places = start.box[:3] / 10, start.coordinates.reshape(-1, 3) / 10
        parent = create_system(folder / "solvent.prmtop", MD)
    ion, last = ion_of(MD.solvent, ANION), copy.deepcopy(parent)
    force, of_last = (next(f for f in s.getForces() if isinstance(f, openmm.NonbondedForce)) for s in (parent, last))
    force.addGlobalParameter("x", 0.0)
    oxygen = len(places) - 3
    for atom in range(oxygen, len(places)):
        q, sigma, epsilon = (value._value for value in force.getParticleParameters(atom))
        to = (ion.charge_e, ion.sigma_nm, ion.epsilon_kj_per_mol) if atom == oxygen else (0.0, sigma, 0.0)
        force.addParticleParameterOffset("x", atom, to[0] - q, to[1] - sigma, to[2] - epsilon)
        of_last.setParticleParameters(atom, *to)
    nodes, weights = np.polynomial.legendre.leggauss(5)
    total, variance, volumes, before = 0.0, 0.0, [], sum(os.times()[:4])
    made = finite_size.context(parent, 21, barostat=True)
    made.setPeriodicBoxVectors(*np.diag(edges_nm))
    made.setPositions(places)
    openmm.LocalEnergyMinimizer.minimize(made, 10, 200)
    for number, (node, weight) in enumerate(zip((nodes + 1) / 2, weights / 2, strict=True)):
        made.setParameter("x", node)
        made.getIntegrator().step(375 if number else 1500)
        found = []
        for _ in range(round(length_ps / finite_size.STEP_PS / finite_size.EVERY)):
            made.getIntegrator().step(finite_size.EVERY)
            energies = []
            for value in (node + 0.02, node - 0.02):
                made.setParameter("x", value)
                energies.append(made.getState(getEnergy=True).getPotentialEnergy()._value)
            made.setParameter("x", node)
            found.append((energies[0] - energies[1]) / 0.04 / KJ_PER_KCAL)
            volumes.append(made.getState().getPeriodicBoxVolume()._value * 1000)
        parts = np.array(found)[: len(found) // 10 * 10].reshape(10, -1).mean(axis=1)
        total += weight * float(np.mean(found))
        variance += (weight * float(parts.std(ddof=1)) / 10**0.5) ** 2
        print(f"ion alone, {node:.3f}: {np.mean(found):.2f}", flush=True)
    state = made.getState(getPositions=True)
    made.setParameter("x", 1.0)
    tail = -made.getState(getEnergy=True).getPotentialEnergy()._value
    end = openmm.Context(last, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("CPU"))
    end.setPeriodicBoxVectors(*state.getPeriodicBoxVectors())
    end.setPositions(state.getPositions())
    tail = (tail + end.getState(getEnergy=True).getPotentialEnergy()._value) / KJ_PER_KCAL
    lj = ion.charge_e, ion.sigma_nm, ion.epsilon_kj_per_mol
    terms = finite_size.terms_of_ion(*lj, waters - 1, float(np.mean(volumes)))
    return {
        "waters": waters, "ps_a_point": length_ps, "edge_nm": float(np.mean(volumes)) ** (1 / 3) / 10,
        "raw_kcal_per_mol": total + tail, "error_kcal_per_mol": variance**0.5, "tail_kcal_per_mol": tail,
        "terms_kcal_per_mol": {name: float(value) for name, value in vars(terms).items()},
        "cpu_s": round(sum(os.times()[:4]) - before, 1),
    }  # fmt: skip


def of_parts(box: dict[str, Any], ion: dict[str, Any]) -> dict[str, float]:
    """One box against the sphere and its ions, each charged alone in as many waters: as they are, and corrected."""
    alone = json.loads((HERE / "finite_size.json").read_text())["boxes"]
    (sphere_,) = (one for one in alone if one["waters"] == box["waters"])
    count = round(finite_size.CHARGE)
    raw = sphere_["raw_kcal_per_mol"] + count * ion["raw_kcal_per_mol"]
    terms = sum(sphere_["terms_kcal_per_mol"].values()) + count * sum(ion["terms_kcal_per_mol"].values())
    error = math.hypot(
        sphere_["error_kcal_per_mol"], count * ion["error_kcal_per_mol"], box["error_kcal_per_mol"]
    )  # the leg's own too
    found = {"leg_less_raw_parts": box["dg_kcal_per_mol"] - raw, "error": error}
    found |= {"foretold": terms + box["foretold_kcal_per_mol"], "of_terms": terms}
    return {key: round(value, 3) for key, value in found.items()}


def main() -> int:
    """Run what is left, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--waters", type=int, nargs="+", choices=(129, 345), default=[129, 345])
    parser.add_argument("--window_ps", type=float, default=FIRST_PS)
    parser.add_argument("--ion_ps", type=float, default=20.0, help="a point of the ion alone")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    options.state.mkdir(parents=True, exist_ok=True)
    states = schedule(options.state / "charges.yaml")
    fe = Fe(
        window_ps=FIRST_PS, window_equil_ps=2.0, sample_ps=0.2, segment_ps=2.0, solvent_schedule=states,
        charge_correction="counter_ion",
    )  # fmt: skip
    config = BindingConfig(fe=fe, run=Run(replicates=1, seed=11), md=MD)
    kept = {"settings": {"window_ps": options.window_ps, "ion_ps": options.ion_ps, "windows": WINDOWS}}
    kept["settings"] |= {"window_equil_ps": fe.window_equil_ps, "sample_ps": fe.sample_ps}
    kept["settings"] |= {"cutoff_angstrom": MD.cutoff_angstrom, "timestep_fs": MD.timestep_fs}
    kept |= {"versions": versions("openmm"), "machine": f"{platform.machine()}, one core, shared", "boxes": []}
    wrong = 0
    for waters in options.waters:
        box = sampled(waters, options.state, config, options.window_ps)
        print(json.dumps(box), flush=True)
        known = options.state / f"ion_{waters}_{options.ion_ps:g}.json"
        if not known.exists():
            known.write_text(json.dumps(ion_alone(waters, options.ion_ps)))
        ion = json.loads(known.read_text())
        found = of_parts(box, ion)
        kept["boxes"].append(box | {"ion_alone": ion, "against_parts": found})
        options.out.write_text(json.dumps(kept, indent=1) + "\n")
        print(json.dumps(found), flush=True)
        wrong += abs(found["leg_less_raw_parts"] - found["foretold"]) > 2 * found["error"]
    if len(options.waters) > 1:
        first, last = (kept["boxes"][k] for k in (0, -1))
        kept["first_less_last"] = {
            "with_ions": first["dg_kcal_per_mol"] - last["dg_kcal_per_mol"],
            "error": math.hypot(first["error_kcal_per_mol"], last["error_kcal_per_mol"]),
            "foretold": first["foretold_kcal_per_mol"] - last["foretold_kcal_per_mol"],
        }
        options.out.write_text(json.dumps(kept, indent=1) + "\n")
        print(json.dumps(kept["first_less_last"]))
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
