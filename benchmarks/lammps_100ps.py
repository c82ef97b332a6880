"""A potential of mlearn Si in LAMMPS: 100 ps inside of its range, and outside, where it has to halt and say so.

Usage: python benchmarks/lammps_100ps.py --data DIR [--steps 100000] [--out DIR]; writes lammps_100ps.json beside it.
DIR holds training.extxyz and test.extxyz (materialsvirtuallab/mlearn, BSD-3). `train fit` and `train export lammps`
make the folder; `lmp -in in.md` of the LAMMPS beside this Python runs it, with one process.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase.build import bulk
from ase.io import write

TRAINING = {"cutoff_angstrom": 5.0, "max_coefficients": 150, "processes": 1}
LATTICE_ANGSTROM = 5.469  # PBE, of the set's own crystal
RDF = [
    "compute rdf all rdf 200 cutoff 5.0",
    "fix rdf all ave/time 50 1000 50000 c_rdf[*] mode vector file rdf.txt",
    "comm_modify cutoff 7.5",
]
NVE = [
    "units metal", "atom_style atomic", "atom_modify map array", "box tilt large", "read_data start.data",
    "include in.potential", "include in.grade", "timestep 0.001",
    "velocity all create 1200 7 mom yes rot no dist gaussian",  # half of it goes into the springs
    "fix move all nve", "thermo 50", "thermo_style custom step temp pe etotal v_grade_max", "run 10000",
]  # fmt: skip


def main() -> int:
    """Fit, export, run, record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("GIBBSFLOW_REFERENCE_DATA"), help="folder of the set"
    )
    parser.add_argument("--steps", type=int, default=100_000, help="of the run inside of the range")
    parser.add_argument("--out", type=Path, help="keeps the fit and finished runs, which are not repeated")
    arguments = parser.parse_args()
    data = arguments.data
    if data and (data / "mlearn_si").is_dir():
        data = data / "mlearn_si"
    if data is None or not (data / "training.extxyz").exists():
        print("skipped: the mlearn Si set is not there (--data DIR)")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = (arguments.out or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        record = measure(data.resolve(), folder, arguments.steps)
    Path(__file__).with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))
    return 0


def measure(data: Path, folder: Path, steps: int) -> dict:
    """All runs of one potential."""
    (folder / "fit.yaml").write_text(json.dumps({"training": TRAINING}))
    if not (folder / "fit" / "result.json").exists():
        _gibbsflow("train", "fit", "--train", data / "training.extxyz", "--test", data / "test.extxyz", "--config",
                   folder / "fit.yaml", "--time-budget", "1m", "--out", folder / "fit")  # fmt: skip
    fit = json.loads((folder / "fit" / "result.json").read_text())
    crystal = bulk("Si", "diamond", a=LATTICE_ANGSTROM, cubic=True) * (2, 2, 2)
    pressed = crystal.copy()
    pressed.set_cell(pressed.cell * 0.85, scale_atoms=True)
    inside = _export(folder, "inside", crystal, temperature_k=600.0, steps=steps)
    runs = {"600 K, constant volume": _run(inside, extra=RDF)}
    runs["600 K, constant volume"]["rdf"] = _rdf(inside / "rdf.txt")
    npt = _export(folder, "npt", crystal, temperature_k=600.0, steps=max(steps // 10, 1000), ensemble="npt")
    runs["600 K, 1 bar, a tenth of the time"] = _run(npt)
    for kelvin in (3000.0, 6000.0):
        hot = _export(folder, f"hot{kelvin:.0f}", crystal, temperature_k=kelvin, steps=max(steps // 4, 1000))
        runs[f"{kelvin:.0f} K, constant volume, a quarter of the time"] = _run(hot)
    ramp = _export(folder, "ramp", crystal, temperature_k=300.0, temperature_end_k=6000.0, steps=20_000)
    runs["300 to 6000 K in 20 ps"] = _run(ramp)
    runs["start at 61 % of the volume"] = _run(_export(folder, "pressed", pressed, temperature_k=600.0, steps=1000))
    return {
        "training": TRAINING, "coefficients": fit["coefficients"], "test": fit["test"]["force_mae_ev_per_angstrom"],
        "thresholds": [fit["grade"]["lower"], fit["grade"]["upper"]], "runs": runs,
        "constant energy, 10 ps": _drift(inside), "grade": _speed(inside), "versions": fit["versions"],
        "command": f"python benchmarks/lammps_100ps.py --data DIR --steps {steps}",
        "load_average": round(os.getloadavg()[0], 1), "cores": os.cpu_count(),
    }  # fmt: skip


def _gibbsflow(program: str, *words: object) -> None:
    subprocess.run([sys.executable, "-m", f"gibbsflow.cli.{program}", *map(str, words)], check=True)


def _export(folder: Path, name: str, start: object, **exploration: object) -> Path:
    out = folder / name
    write(folder / f"{name}.extxyz", start)
    (folder / f"{name}.yaml").write_text(json.dumps({"exploration": {"timestep_fs": 1.0, **exploration}}))
    _gibbsflow("train", "export", "lammps", "--from", folder / "fit", "--structure", folder / f"{name}.extxyz",
               "--config", folder / f"{name}.yaml", "--out", out)  # fmt: skip
    return out


def _lammps(folder: Path, script: str, *words: str) -> tuple[int, str, float]:
    command = [Path(sys.executable).with_name("lmp"), "-in", script, "-nocite", *words]
    start = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    return done.returncode, done.stdout, time.monotonic() - start


def _run(folder: Path, extra: list[str] | None = None) -> dict:
    """Run the input as it was written, with `extra` before the dynamics where something is to be measured."""
    kept = folder.with_name(f"{folder.name}.json")
    if kept.exists():
        return json.loads(kept.read_text())
    script = "in.md"
    if extra:
        script = "in.measured"
        text = (
            (folder / "in.md")
            .read_text()
            .replace("thermo ${grade_every}", "\n".join([*extra, "thermo ${grade_every}"]))
        )
        (folder / script).write_text(text)
    code, told, seconds = _lammps(folder, script)
    rows = _thermo(told)[1:]
    said = [line for line in told.splitlines() if re.match("warning: .*looks|halted outside|the start lies", line)]
    record: dict = {
        "exit_code": code,
        "said": said,
        "wall_s": round(seconds, 1),
        "steps_done": int(rows[-1, 0]) if len(rows) else 0,
    }
    if len(rows) > 20:
        half = len(rows) // 2
        record |= {
            "temperature_k": float(rows[half:, 1].mean()), "grade_mean": float(rows[:, 4].mean()),
            "grade_largest": float(rows[:, 4].max()),
            "potential_energy_halves_ev_per_atom": [
                float(part[:, 2].mean() / 64) for part in (rows[half // 4 : half], rows[half:])
            ],
        }  # fmt: skip
    kept.write_text(json.dumps(record))
    return record


def _thermo(told: str) -> np.ndarray:
    """Numbers of the lines that begin with a step."""
    rows = [line.split() for line in told.splitlines() if re.fullmatch(r"\s*\d+(\s+[-+.\deE]+){4}\s*", line)]
    return np.array(rows, dtype=float).reshape(-1, 5)


def _rdf(path: Path) -> dict:
    """Peaks of the last average: distance, height; and neighbours up to the first minimum."""
    rows = [line.split() for line in path.read_text().splitlines() if line[:1] != "#"]
    table = np.array([row for row in rows if len(row) == 4][-200:], dtype=float)
    r, g, count = table[:, 1], table[:, 2], table[:, 3]
    first, second = (int(np.flatnonzero(own)[g[own].argmax()]) for own in (r < 3.0, (r > 3.2) & (r < 4.6)))
    between = first + int(g[first:second].argmin())
    return {"first_peak_angstrom": float(r[first]), "second_peak_angstrom": float(r[second]),
            "least_between": float(g[between]), "neighbours": float(count[between])}  # fmt: skip


def _drift(folder: Path) -> dict:
    (folder / "in.nve").write_text("\n".join(NVE) + "\n")
    code, told, _ = _lammps(folder, "in.nve")
    rows = _thermo(told)
    slope = np.polyfit(rows[:, 0] * 1e-3, rows[:, 3] / 64, 1)[0]
    return {"exit_code": code, "temperature_k": float(rows[len(rows) // 2 :, 1].mean()),
            "drift_mev_per_atom_ps": 1e3 * float(slope), "spread_mev_per_atom": 1e3 * float(rows[:, 3].std() / 64),
            "grade_largest": float(rows[:, 4].max())}  # fmt: skip


def _speed(folder: Path, steps: int = 4000, repeats: int = 3) -> dict:
    """Time of the loop with and without the grade, in turn."""
    plain = [line for line in NVE if "grade" not in line]
    (folder / "in.plain").write_text("\n".join([*plain, "thermo 50", f"run {steps}"]).replace("run 10000\n", "") + "\n")
    (folder / "in.graded").write_text("\n".join(NVE).replace("run 10000", f"run {steps}") + "\n")
    seconds: dict[str, list[float]] = {"in.plain": [], "in.graded": []}
    for _ in range(repeats):
        for script, own in seconds.items():
            found = re.findall(r"Loop time of ([\d.]+)", _lammps(folder, script)[1])
            own.append(float(found[-1]))
    return {"looks_every_steps": 50, "steps": steps, "atoms": 64, "without_s": seconds["in.plain"],
            "with_s": seconds["in.graded"],
            "ratio": float(np.median(seconds["in.graded"]) / np.median(seconds["in.plain"]))}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
