"""Fit the six elements of the mlearn set and set the errors beside published ones.

Usage: python benchmarks/mlearn/run.py [--data FOLDER] [--elements Ge Si] [--splits public aimd] [--time-budget 15m]

FOLDER is a copy of materialsvirtuallab/mlearn (BSD-3) with data/ELEMENT/{training,test}.json, or holds mlearn_si with
training.extxyz and test.extxyz. An element that is not there is skipped by name. Results go to results.json beside this
file, where those of other elements stay; --table prints what is there and fits nothing.

Splits: `public`, as published (Zuo et al., J. Phys. Chem. A 2020, 124, 731); `aimd`: no frame of molecular dynamics in
training, and only such frames in the test, since frames of one trajectory lie on both sides of the public split.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read, write

ELEMENTS = ("Ni", "Cu", "Li", "Mo", "Si", "Ge")
HERE = Path(__file__).resolve().parent
AIMD = "AIMD-NVT"
KEPT = ("coefficients", "basis", "split", "search_stopped_by", "search", "pareto", "grade", "stress_frames_used")


def main() -> int:
    """Fit what is there, record, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("GIBBSFLOW_REFERENCE_DATA"), help="see above")
    parser.add_argument("--elements", nargs="+", choices=ELEMENTS, default=ELEMENTS)
    parser.add_argument("--splits", nargs="+", choices=("public", "aimd"), default=("public", "aimd"))
    parser.add_argument("--time-budget", default="15m", help="of each fit")
    parser.add_argument("--out", type=Path, help="keeps the fits and goes on with those that were interrupted")
    parser.add_argument("--note", default="", help="recorded with the results, such as where frames came from")
    parser.add_argument("--table", action="store_true", help="print the table of what was measured")
    arguments = parser.parse_args()
    results = HERE / "results.json"
    found = json.loads(results.read_text()) if results.exists() else {}
    for element in () if arguments.table else arguments.elements:
        sets = _sets(arguments.data, element)
        if sets is None:
            print(f"skipped: {element} is not in {arguments.data}", flush=True)
            continue
        for split in arguments.splits:
            found.setdefault(element, {})[split] = _fit(*_split(sets, split), f"{element}-{split}", arguments)
            results.write_text(json.dumps(found, indent=1) + "\n")
    print(table(found, json.loads((HERE / "published.json").read_text())))
    return 0


def _sets(data: Path | None, element: str) -> tuple[list[Atoms], list[Atoms]] | None:
    """Frames for training and test of an element, or None."""
    names = ("training", "test")
    for folder in (data / "data" / element, data / element) if data else ():
        if all((folder / f"{name}.json").exists() for name in names):
            return tuple(_frames(folder / f"{name}.json") for name in names)
    if data and element == "Si":
        for folder in (data / "mlearn_si", data):
            if all((folder / f"{name}.extxyz").exists() for name in names):
                return tuple(read(folder / f"{name}.extxyz", ":") for name in names)
    return None


def _frames(path: Path) -> list[Atoms]:
    frames = []
    for record in json.loads(path.read_text()):
        structure, outputs = record["structure"], record["outputs"]
        atoms = Atoms(
            [site["species"][0]["element"] for site in structure["sites"]],
            cell=structure["lattice"]["matrix"],
            scaled_positions=[site["abc"] for site in structure["sites"]],
            pbc=True,
        )
        # stresses are left out: the order of the shear components is not the same in all files
        atoms.calc = SinglePointCalculator(atoms, energy=outputs["energy"], forces=np.array(outputs["forces"]))
        atoms.info["config_type"] = record["group"]
        frames.append(atoms)
    return frames


def _split(sets: tuple[list[Atoms], list[Atoms]], split: str) -> tuple[list[Atoms], list[Atoms]]:
    training, test = sets
    if split == "public":
        return training, test
    every = [*training, *test]
    kinds = [atoms.info["config_type"] == AIMD for atoms in every]
    return (
        [atoms for atoms, aimd in zip(every, kinds, strict=True) if not aimd],
        [atoms for atoms, aimd in zip(every, kinds, strict=True) if aimd],
    )


def _fit(training: list[Atoms], test: list[Atoms], name: str, arguments: argparse.Namespace) -> dict:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(arguments.out or scratch) / name
        folder.mkdir(parents=True, exist_ok=True)
        paths = folder / "training.extxyz", folder / "test.extxyz"
        for path, frames in zip(paths, (training, test), strict=True):
            write(path, frames)
        command = [sys.executable, "-m", "gibbsflow.cli.train", "fit", "--time-budget", arguments.time_budget]
        command += ["--train", str(paths[0]), "--test", str(paths[1]), "--out", str(folder / "fit")]
        command += ["--state", str(folder / "state")]
        start = time.monotonic()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True)
        seconds, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        result = json.loads((folder / "fit" / "result.json").read_text())
        record = {key: result[key] for key in KEPT}
        # all frames as published, also those that the fit leaves out of its own account as copies
        record |= {
            "training": _errors(folder / "fit" / "potential", training),
            "test": _errors(folder / "fit" / "potential", test),
        }
    element, split = name.split("-")
    spent = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return record | {
        "command": f"python benchmarks/mlearn/run.py --data FOLDER --elements {element} --splits {split} "
        f"--time-budget {arguments.time_budget}",
        "wall_s": round(seconds),
        "processor_s": round(spent),
        "cores": os.cpu_count(),
        "load_average_at_end": round(os.getloadavg()[0], 1),
        "machine": platform.machine(),
        "versions": result["versions"],
        "note": arguments.note,
    }


def _errors(potential: Path, frames: list[Atoms]) -> dict:
    """MAE and RMSE of energies (meV/atom) and force components (eV/Å), of all frames and by group."""
    from gibbsflow.potential.train.fit import load_potential

    evaluator = load_potential(potential).start()
    energies, forces, groups = [], [], []
    for atoms in frames:
        predicted = evaluator.predict(atoms)
        energies.append(1e3 * (predicted.energy_ev - atoms.get_potential_energy()) / len(atoms))
        forces.append((predicted.forces_ev_per_angstrom - atoms.get_forces()).ravel())
        groups.append(atoms.info["config_type"])
    evaluator.close()

    def _of(chosen: list[int]) -> dict:
        energy, force = np.array([energies[k] for k in chosen]), np.concatenate([forces[k] for k in chosen])
        return {
            "frames": len(chosen),
            "energy_mae_mev_per_atom": float(np.abs(energy).mean()),
            "energy_rmse_mev_per_atom": float(np.sqrt((energy**2).mean())),
            "force_mae_ev_per_angstrom": float(np.abs(force).mean()),
            "force_rmse_ev_per_angstrom": float(np.sqrt((force**2).mean())),
        }

    by_group = {group: _of([k for k, own in enumerate(groups) if own == group]) for group in sorted(set(groups))}
    return {**_of(list(range(len(frames)))), "by_group": by_group}


def table(found: dict, published: dict) -> str:
    """What was published and what was measured, as Markdown: meV/atom and eV/Å, MAE (RMSE), test unless it says so."""
    rows = [["potential", "errors of", *ELEMENTS], ["---"] * (2 + len(ELEMENTS))]
    for entry in published["rows"]:
        rows.append([entry["potential"], entry["of"], *(entry["values"].get(element, "–") for element in ELEMENTS)])
    wanted = (("public", "training"), ("public", "test"), ("aimd", "test"))
    for (split, of), words in zip(wanted, ("training", "test", "test, no AIMD in training"), strict=True):
        cells = []
        for element in ELEMENTS:
            errors = found.get(element, {}).get(split, {}).get(of)
            cells.append(_cell(errors) if errors else "–")
        rows.append(["gibbsflow", words, *cells])
    for key, words in (("coefficients", "coefficients"), ("wall_s", "wall, s"), ("processor_s", "processor, s")):
        rows.append(["", words, *(str(found.get(e, {}).get("public", {}).get(key, "–")) for e in ELEMENTS)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cell(errors: dict) -> str:
    energy, force = (errors[f"{name}"] for name in ("energy_mae_mev_per_atom", "force_mae_ev_per_angstrom"))
    return (
        f"{energy:.2f} ({errors['energy_rmse_mev_per_atom']:.2f}) / "
        f"{force:.4f} ({errors['force_rmse_ev_per_angstrom']:.4f})"
    )


if __name__ == "__main__":
    sys.exit(main())
