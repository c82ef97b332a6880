"""Active against random picking on the same labelled pool: labels for equal force errors on a hold-out.

Usage: python benchmarks/fewer_labels/run.py --data FOLDER [--pools Si Mo MD] [--seeds 5]; writes results.json,
picks.json and curves.svg beside itself. FOLDER is a copy of materialsvirtuallab/mlearn (BSD-3) with
data/ELEMENT/{training,test}.json; without it the pool MD alone, which is made here by Stillinger-Weber silicon.

The selector's folder gets the pool without labels, and what has been picked; the hold-out lies in another folder, which
is read by this script to judge and given to no selection and no fit. A round: the product's fit of a fixed basis to
what is picked (rows by LAMMPS, weights by validation), its grade, its selection among the rest. Random picking takes
the same numbers; both begin from the same four random frames. What --methods leaves out stays as it was. --verbs does
one round by `train fit` and `infer select` and compares the picks.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from ase import Atoms, units
from ase.build import bulk, surface
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "mlearn"), str(HERE.parents[1] / "python" / "tests")]

from run import _sets  # noqa: E402 - benchmarks/mlearn, by the path above
from stillinger_weber import StillingerWeber  # noqa: E402 - the tests' calculator

from gibbsflow.config.potential_training import Selection  # noqa: E402
from gibbsflow.engines.lammps import Lammps  # noqa: E402
from gibbsflow.potential.explore import selection  # noqa: E402
from gibbsflow.potential.train.shared import regression  # noqa: E402
from gibbsflow.potential.train.shared.grade import calibrate  # noqa: E402
from gibbsflow.potential.train.trainers.pod import evaluate_zbl, zbl_for  # noqa: E402
from gibbsflow.potential.train.trainers.pod_basis import (  # noqa: E402
    PodBasis,
    descriptor_sums,
    ladder_basis,
    local_descriptors,
)

SIZES = (4, 6, 8, 10, 12, 15, 20, 25, 30, 45, 60, 90)
METHODS = ("medoids", "maxvol", "fps", "variance")
DRAWS = 8
CUTOFF_ANGSTROM, RUNG, FOLDS = 5.0, 2, 5
# frames of the pool and of the hold-out by condition: a pool as MD leaves it, most of it near the crystal
CONDITIONS = {
    "crystal, 300 K": (170, 8),
    "crystal, 900 K": (80, 8),
    "crystal, 2400 K": (20, 8),
    "vacancy, 900 K": (16, 8),
    "surface, 900 K": (14, 8),
}


@dataclass
class Frame:
    """One frame with its rows of the fit: in the pool, labels are read once it is picked."""

    atoms: Atoms
    kind: str
    energy: float
    forces: np.ndarray
    sums: np.ndarray
    rows: np.ndarray
    gram: np.ndarray
    local: np.ndarray
    core: np.ndarray
    moment: np.ndarray


def main() -> int:
    """Measure, record, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="see above")
    parser.add_argument("--pools", nargs="+", default=("Si", "Ge", "Mo", "Li", "MD"))
    parser.add_argument("--methods", nargs="+", default=("random", *METHODS), choices=("random", *METHODS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--verbs", action="store_true", help="one round by the verbs, compared")
    arguments = parser.parse_args()
    paths = HERE / "results.json", HERE / "picks.json"
    results, picks = (json.loads(path.read_text()) if path.exists() else {} for path in paths)
    for pool in arguments.pools:
        started = time.process_time()
        found = None if pool == "MD" else _sets(arguments.data, pool)
        if pool != "MD" and found is None:
            print(f"skipped: {pool} is not in {arguments.data}")
            continue
        with tempfile.TemporaryDirectory() as scratch:
            folders = Path(scratch) / "selector", Path(scratch) / "judge"
            for folder, frames in zip(folders, found or trajectories(Path(scratch)), strict=True):
                folder.mkdir()
                write(folder / "frames.extxyz", frames)
            basis = ladder_basis(RUNG, tuple(set(read(folders[0] / "frames.extxyz").symbols)), 0.9, CUTOFF_ANGSTROM)
            frames, holdout = (described(folder / "frames.extxyz", basis, Path(scratch)) for folder in folders)
            if arguments.verbs:
                by_verbs(frames, basis, folders[0])
        before = {**results.get(pool, {}).get("curves", {})}, {**picks.get(pool, {})}
        results[pool], picks[pool] = measured(frames, holdout, basis, arguments.seeds, arguments.methods, before)
        results[pool]["command"] = f"python benchmarks/fewer_labels/run.py --data FOLDER --pools {pool}"
        results[pool]["processor_s"] = round(time.process_time() - started)
        for path, content in zip(paths, (results, picks), strict=True):
            path.write_text(json.dumps(content, indent=1) + "\n")
    draw(results, HERE / "curves.svg")
    print(table(results))
    return 0


def trajectories(scratch: Path) -> tuple[list[Atoms], list[Atoms]]:
    """Pool and hold-out of Stillinger-Weber silicon: MD at several conditions, by different seeds."""
    crystal = bulk("Si", "diamond", a=5.431, cubic=True) * (2, 2, 2)
    vacancy = crystal.copy()
    del vacancy[20]
    slab = surface(bulk("Si", "diamond", a=5.431, cubic=True), (1, 0, 0), 2, vacuum=5.0, periodic=True) * (2, 2, 1)
    made: tuple[list[Atoms], list[Atoms]] = ([], [])
    with Lammps(scratch) as lammps:
        for number, (kind, counts) in enumerate(CONDITIONS.items()):
            for part, count in enumerate(counts):
                start = next((own for name, own in (("vacancy", vacancy), ("surface", slab)) if name in kind), crystal)
                atoms = start.copy()
                atoms.calc = StillingerWeber(lammps)
                kelvin = float(kind.split()[1])
                rng = np.random.default_rng(100 * number + part)
                MaxwellBoltzmannDistribution(atoms, temperature_K=2 * kelvin, rng=rng)
                motion = Langevin(atoms, 2 * units.fs, temperature_K=kelvin, friction=0.02, rng=rng)
                motion.run(200)
                for _ in range(count):
                    motion.run(10 if part == 0 else 40)
                    frame = atoms.copy()
                    frame.calc = SinglePointCalculator(
                        frame, energy=atoms.get_potential_energy(), forces=atoms.get_forces()
                    )
                    frame.info["config_type"] = kind
                    made[part].append(frame)
    return made


def described(path: Path, basis: PodBasis, scratch: Path) -> list[Frame]:
    """Frames of a file with the rows of the fit and the descriptors of their atoms, by LAMMPS."""
    found, zbl = [], zbl_for(basis.species)
    with Lammps(scratch) as lammps:
        for atoms in read(path, ":"):
            sums, rows, rotation = descriptor_sums(lammps, atoms, basis)
            core = evaluate_zbl(lammps, atoms, basis.species, zbl)
            forces = ((atoms.get_forces() - core.forces_ev_per_angstrom) @ rotation).ravel()
            found.append(Frame(
                atoms, atoms.info["config_type"], atoms.get_potential_energy() - core.energy_ev, forces, sums, rows,
                rows.T @ rows, local_descriptors(lammps, atoms, basis),
                (core.forces_ev_per_angstrom @ rotation).ravel(), rows.T @ forces,
            ))  # fmt: skip
            found[-1].atoms.calc = None
    return found


def fitted(frames: list[Frame]) -> np.ndarray:
    """Coefficients of the product's regression, with weight and penalty by validation."""
    folds = min(FOLDS, len(frames))
    blocks = regression.new_blocks(folds, len(frames[0].sums))
    for k, frame in enumerate(frames):
        own, n = blocks[k % folds], len(frame.atoms)
        own["energy"].add(frame.sums[None] / n, np.array([frame.energy / n]))
        force = own["force"]
        force.gram += frame.gram
        force.moment += frame.moment
        force.square += float(frame.forces @ frame.forces)
        force.rows += 3 * n
    return regression.least_squares(blocks, regression.cross_validate(blocks).weights)


def errors(coefficients: np.ndarray, holdout: list[Frame]) -> tuple[float, float]:
    """MAE and RMSE of the force components, eV/Å."""
    off = np.concatenate([frame.rows @ coefficients - frame.forces for frame in holdout])
    return float(np.abs(off).mean()), float(np.sqrt((off**2).mean()))


def active(frames: list[Frame], basis: PodBasis, method: str, seed: int) -> dict[int, list[int]]:
    """Frames that are picked, by number of labels; ends where the selector finds nothing new."""
    picked = [int(k) for k in np.random.default_rng(seed).permutation(len(frames))[: SIZES[0]]]
    found = {SIZES[0]: list(picked)}
    for size in SIZES[1:]:
        coefficients = fitted([frames[k] for k in picked])
        chosen = select(frames, picked, coefficients, basis, method, size - len(picked), seed)
        picked += chosen
        if len(picked) < size:
            found[len(picked)] = list(picked)
            break
        found[size] = list(picked)
    return found


def select(
    frames: list[Frame], picked: list[int], coefficients: np.ndarray, basis: PodBasis, method: str, budget: int,
    seed: int,
) -> list[int]:  # fmt: skip
    """One batch by the product's selector, from what has been picked and the geometry of the rest."""
    # these look at no grade where forces are sane, as they are in these pools
    graded = picked[: SIZES[0]] if method in ("variance", "medoids") else picked
    symbols = [frames[k].atoms.get_chemical_symbols() for k in graded]
    grader = calibrate(symbols, [frames[k].local for k in graded], np.arange(len(graded)) % FOLDS, basis.to_json())

    def _candidate(k: int) -> selection.Candidate:
        frame = frames[k]
        grade = grader.grades(frame.atoms.get_chemical_symbols(), frame.local).max()
        return selection.Candidate(frame.atoms, str(k), frame.local, float(grade), rows=frame.rows)

    rest = [k for k in range(len(frames)) if k not in set(picked)]
    largest = {
        id(frames[k].atoms): float(
            np.linalg.norm((frames[k].rows @ coefficients + frames[k].core).reshape(-1, 3), axis=1).max()
        )
        for k in rest
    }
    decided = selection.choose(
        [_candidate(k) for k in rest], [_candidate(k) for k in picked], grader, Selection(method=method),
        budget=budget, seed=seed, largest_force=lambda atoms: largest[id(atoms)],
    )  # fmt: skip
    return [k for k, candidate in zip(rest, decided, strict=True) if candidate.fate == "selected"]


def measured(
    frames: list[Frame], holdout: list[Frame], basis: PodBasis, seeds: int, methods: tuple[str, ...],
    before: tuple[dict, dict],
) -> tuple[dict, dict]:  # fmt: skip
    """Curves of all methods and seeds, and the labels that each needs; other methods' as they were before."""
    whole = errors(fitted(frames), holdout)
    curves, picks = ({m: own[m] for m in ("random", *METHODS) if m in own and m not in methods} for own in before)
    curves, picks = {"random": [], **curves}, {"random": [], **picks}
    for seed in range(seeds):
        for draw in range(DRAWS if "random" in methods else 0):
            # the first draw shares its first frames with active picking; the others average out the luck of one order
            order = [int(k) for k in np.random.default_rng(seed + 1000 * draw).permutation(len(frames))]
            curves["random"].append([(n, *errors(fitted([frames[k] for k in order[:n]]), holdout)) for n in SIZES])
            picks["random"].append({"seed": seed + 1000 * draw, "order": order[: SIZES[-1]]})
        for method in (m for m in methods if m != "random"):
            found = active(frames, basis, method, seed)
            curves.setdefault(method, []).append([
                (n, *errors(fitted([frames[k] for k in own]), holdout)) for n, own in found.items()
            ])  # fmt: skip
            picks.setdefault(method, []).append({"seed": seed, "order": list(found.values())[-1]})
    needed = {}
    for column, name in ((1, "force_mae"), (2, "force_rmse")):
        needed[name] = {
            f"{above:.0%}, {way}": _needed(curves, column, (1 + above) * whole[column - 1], len(frames), seeds, way)
            for above in (0.20, 0.10, 0.05)
            for way in ("first", "for good")
        }
    return {
        "pool_frames": len(frames), "holdout_frames": len(holdout), "coefficients": len(frames[0].sums),
        "pool_by_kind": {kind: sum(f.kind == kind for f in frames) for kind in sorted({f.kind for f in frames})},
        "holdout_by_kind": {kind: sum(f.kind == kind for f in holdout) for kind in sorted({f.kind for f in holdout})},
        "error_of_whole_pool": {"force_mae": whole[0], "force_rmse": whole[1]},
        "labels_to_come_within": needed, "curves": curves,
    }, picks  # fmt: skip


def _needed(curves: dict, column: int, target: float, whole: int, seeds: int, way: str) -> dict:
    """Labels until the error is at or below a target, and the share of random picking's over the seeds."""
    labels = {
        method: [_crossing([(row[0], row[column]) for row in own], target, whole, way) for own in rows]
        for method, rows in curves.items()
    }
    told = {}
    for method, own in labels.items():
        told[method] = {"labels": [round(n, 1) for n in own], "mean": round(float(np.mean(own)), 1)}
        if method != "random":
            usual = [float(np.mean(labels["random"][DRAWS * s : DRAWS * (s + 1)])) for s in range(seeds)]
            shares = np.array(own) / np.array(usual)
            told[method] |= {"share_of_random": round(float(shares.mean()), 3),
                             "share_over_seeds": [round(float(f(shares)), 3) for f in (np.min, np.max)]}  # fmt: skip
    return told


def _crossing(curve: list[tuple[int, float]], target: float, whole: int, way: str) -> float:
    """Where interpolated errors get to a target, first or for good; the whole pool where they do not."""
    below = [error <= target for _, error in curve]
    if way == "first":
        k = below.index(True) if True in below else len(curve)
    else:
        k = len(curve) - (below[::-1].index(False) if False in below else len(curve))
    if k == len(curve):
        return float(whole)
    if k == 0:
        return float(curve[0][0])
    (n, error), (later, lower) = curve[k - 1], curve[k]
    return n + (later - n) * (error - target) / (error - lower)


def by_verbs(frames: list[Frame], basis: PodBasis, folder: Path) -> None:
    """One batch by `train fit` and `infer select`, as a user would; says how many picks are the same."""
    every = read(folder / "frames.extxyz", ":")
    picked = [int(k) for k in np.random.default_rng(0).permutation(len(frames))[:30]]
    rest = [k for k in range(len(frames)) if k not in set(picked)]
    write(folder / "labelled.extxyz", [every[k] for k in picked])
    write(folder / "rest.extxyz", [every[k] for k in rest])
    (folder / "settings.yaml").write_text(
        f"training: {{cutoff_angstrom: {basis.rcut_angstrom}, max_coefficients: 100, max_environments: 1}}\n"
        "selection: {method: medoids}\n"
    )
    _verb("train", "fit", "--train", "labelled.extxyz", "--test", "rest.extxyz", "--out", "fit", folder=folder)
    _verb("infer", "select", "--labelled", "labelled.extxyz", "--candidates", "rest.extxyz", "--potential",
          "fit/potential", "--budget", "15", "--out", "selected", folder=folder)  # fmt: skip
    told = json.loads((folder / "selected" / "result.json").read_text())["fates"]
    verbs = {k for k, fate in zip(rest, told, strict=True) if fate["fate"] == "selected"}
    ours = set(select(frames, picked, fitted([frames[k] for k in picked]), basis, "medoids", 15, 2026))
    print(f"one batch of 15: {len(verbs & ours)} picks of `infer select` are those of this script")


def _verb(program: str, *words: str, folder: Path) -> None:
    command = [sys.executable, "-m", f"gibbsflow.cli.{program}", *words, "--config", "settings.yaml"]
    subprocess.run(command, check=True, cwd=folder)


def draw(results: dict, path: Path) -> None:
    """Force RMSE and MAE over labels, mean and range over seeds."""
    mpl.use("svg")
    from matplotlib import pyplot

    mpl.rcParams.update({"svg.hashsalt": "gibbsflow", "font.size": 9})
    figure, panels = pyplot.subplots(2, len(results), figsize=(3.4 * len(results), 5.6), squeeze=False)
    for place, (pool, found) in enumerate(results.items()):
        for column, (name, key) in enumerate((("MAE", "force_mae"), ("RMSE", "force_rmse")), 1):
            panel = panels[column - 1][place]
            for method, rows in found["curves"].items():
                sizes = [n for n in SIZES if any(row[0] == n for own in rows for row in own)]
                values = [[row[column] for own in rows for row in own if row[0] == n] for n in sizes]
                line = panel.plot(sizes, [np.mean(v) for v in values], label=method)[0]
                low, high = ([np.quantile(v, q) for v in values] for q in (0.1, 0.9))
                panel.fill_between(sizes, low, high, color=line.get_color(), alpha=0.12, linewidth=0)
            panel.axhline(found["error_of_whole_pool"][key], color="0.4", linewidth=0.8, linestyle=":")
            panel.set(xscale="log", title=f"{pool}: force {name}, eV/Å", xlabel="labels")
            panel.set_xticks([10, 20, 45, 90], ["10", "20", "45", "90"])
            panel.minorticks_off()
    panels[0][0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def table(results: dict) -> str:
    """Labels that each needs, as Markdown: mean over seeds, and the share of random picking's with its range."""
    lines = ["| pool | within | random | " + " | ".join(METHODS) + " |", "|---" * (3 + len(METHODS)) + "|"]
    for pool, found in results.items():
        for name, levels in found["labels_to_come_within"].items():
            for level, own in levels.items():
                cells = [f"{own['random']['mean']:.0f}"]
                for method in METHODS:
                    if method not in own:
                        cells.append("not run")
                        continue
                    low, high = own[method]["share_over_seeds"]
                    cells.append(
                        f"{own[method]['mean']:.0f} ({own[method]['share_of_random']:.2f}: {low:.2f} to {high:.2f})"
                    )
                lines.append(f"| {pool} | {name[6:].upper()} {level} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
