#!/usr/bin/env python3
"""Binding free energies of hosts and guests, taken solvated as given, against published ones: by `gibbsflow run-local`.

    python benchmarks/host_guest/binding.py argon a1 b2 --data DIR --runs /scratch/hg --set md.platform=CUDA
    python benchmarks/host_guest/binding.py OA-G3.counter_ion OA-G3.sdr --runs /scratch/hg --set md.platform=CUDA

Each is a campaign of its own below `--runs`. Started again with the same settings it goes on from its state, in as many
allocations as it takes: a run that is stopped (`--time-budget`, or a signal) exits 75 with all state saved. What came
out is kept in `--results`, with all settings that are not defaults, versions, machine and cost; of octa-acid the cost
curve too: value, half-width and RMSE by evaluations of energy and forces. Exits 1 where a value differs from the
published one by more than twice the error of the difference.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import curve
import yaml

HERE = Path(__file__).resolve().parent
GIBBSFLOW = HERE.parents[1] / "bin" / "gibbsflow"
STOPPED, WRONG_DATA = 75, 65
CB7: dict[str, Any] = {"md": {"cutoff_angstrom": 9.0}, "run": {"replicates": 3}}
ONE_SITE: dict[str, Any] = {
    "restraint": "flat_bottom",
    "flat_bottom_radius_angstrom": 6.0,
    "complex_schedule": str(HERE / "one_site_complex.yaml"),
    "solvent_schedule": str(HERE / "one_site_water.yaml"),
}
"""The reference held argon within 6 Å of the host's centre; a weak binder's value depends on that radius."""
OCTA_ACID: dict[str, Any] = {"md": {"cutoff_angstrom": 10.0}, "run": {"replicates": 5}}
WAYS: dict[str, dict[str, Any]] = {
    "counter_ion": {"charge_correction": "counter_ion", "window_ps": 700.0},
    "sdr": {"abfe_protocol": "sdr", "window_ps": 1000.0},
    "analytic": {"charge_correction": "analytic", "window_ps": 700.0},
}
"""The cutoff of the reference, as many replicates, and windows a little longer than 1.2e7 evaluations of each."""
SYSTEMS: dict[str, dict[str, Any]] = {
    "argon": {
        "files": ("cb7/argon", "complex", "ligand"),
        "published": (-1.01, 0.10),
        "settings": CB7 | {"fe": ONE_SITE},
    },
    "a1": {"files": ("cb7/a1", "cb7-a1", "a1"), "published": (-24.00, 0.14), "settings": CB7},
    "b2": {"files": ("cb7/b2", "cb7-b2", "b2"), "published": (-21.49, 0.14), "settings": CB7},
    **{
        f"OA-{guest}.{way}": {
            "files": (f"octa_acid/OA-{guest}", "complex", "solvent"),
            "published": published,
            "settings": OCTA_ACID | {"fe": setting},
            "curve": f"OA-{guest}",
        }
        for guest, published in (("G3", (-6.71, 0.05)), ("G6", (-7.18, 0.06)))
        for way, setting in WAYS.items()
    },
}
"""By name: folder below the data with topologies of complex and of ligand; published value and its error, kcal/mol."""


def settings(system: Mapping[str, Any], given: list[str]) -> dict[str, dict[str, Any]]:
    """Sections of the run: those of the system, and SECTION.KEY=VALUE as given, values in YAML."""
    sections: dict[str, dict[str, Any]] = {name: dict(values) for name, values in system["settings"].items()}
    for text in given:
        key, _, value = text.partition("=")
        section, _, name = key.partition(".")
        sections.setdefault(section, {})[name] = yaml.safe_load(value)
    return sections


def samplesheet(name: str, system: Mapping[str, Any], data: Path) -> str:
    """One row: the files where they lie."""
    folder, bound, free = system["files"]
    boxes = [data / folder / f"{file}.{suffix}" for file in (bound, free) for suffix in ("prmtop", "rst7")]
    if lacking := [str(path) for path in boxes if not path.is_file()]:
        print(f"{name}: no {lacking[0]}; right: --data with the folders of README.md", file=sys.stderr)
        sys.exit(WRONG_DATA)
    columns = "ligand,complex_topology,complex_coordinates,solvent_topology,solvent_coordinates"
    return f"{columns}\n{name.replace('.', '_')},{','.join(map(str, boxes))}\n"


def run(name: str, sheet: str, sections: dict[str, dict[str, Any]], folder: Path, budget_s: float | None) -> int:
    """Run one system, or go on with it, and note what this took."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ligands.csv").write_text(sheet)
    places = {"input": "ligands.csv", "outdir": "results", "state_dir": "state"}
    (folder / "run.yaml").write_text(yaml.safe_dump({"io": places} | sections))
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    task = subprocess.Popen([GIBBSFLOW, "run-local", "run.yaml"], cwd=folder)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):  # what a scheduler warns with: state is saved
        signal.signal(number, lambda *_: task.send_signal(signal.SIGUSR1))
    try:
        code = task.wait(budget_s)
    except subprocess.TimeoutExpired:
        task.send_signal(signal.SIGUSR1)
        code = task.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = {
        "wall_s": round(time.monotonic() - start),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime),
    }
    with open(folder / "cost.jsonl", "a") as file:
        file.write(json.dumps({"system": name, "exit": code} | cost) + "\n")
    return code


def outcome(name: str, sections: dict[str, dict[str, Any]], folder: Path) -> dict[str, Any]:
    """What came out, beside what is published."""
    system = SYSTEMS[name]
    analysis = folder / "results" / "phases" / name.replace(".", "_") / "analysis"
    if not (analysis / "record.json").exists():
        print(f"{name}: no analysis; {folder / 'results' / 'report.html'} says why", file=sys.stderr)
        sys.exit(1)
    record = json.loads((analysis / "record.json").read_text())
    dg, error = record["dg_kcal_per_mol"], record["dg_error_kcal_per_mol"]
    published, published_error = system["published"]
    found: dict[str, Any] = {
        "system": name,
        "dg_kcal_per_mol": None if dg is None else round(dg, 3),
        "dg_error_kcal_per_mol": None if error is None else round(error, 3),
        "published_kcal_per_mol": published,
        "published_error_kcal_per_mol": published_error,
        "verdict": record["verdict"],
        "reasons": record["reasons"],
    }
    if dg is not None and error is not None:
        found["difference_kcal_per_mol"] = round(dg - published, 3)
        found["differs_by_errors"] = round(abs(dg - published) / math.hypot(error, published_error), 2)
    if "curve" in system:
        found["curve"] = curve.points(folder / "results", record, published)
    costs = [json.loads(line) for line in (folder / "cost.jsonl").read_text().splitlines()]
    return found | {
        "settings": portable(sections),
        "cost": {key: sum(cost[key] for cost in costs) for key in ("wall_s", "cpu_s")} | {"allocations": len(costs)},
        "versions": record["versions"],
        "machine": {"cpu": cpu(), "cores": os.cpu_count(), "gpu": gpu(), "system": platform.machine()},
        "date": time.strftime("%Y-%m-%d"),
    }


def portable(sections: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The settings with files of this folder by their names."""
    home = f"{HERE}{os.sep}"
    return {
        name: {key: value.replace(home, "") if isinstance(value, str) else value for key, value in values.items()}
        for name, values in sections.items()
    }


def cpu() -> str:
    """What the processor calls itself."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def gpu() -> str:
    """What the card calls itself; empty without one."""
    try:
        asked = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        return subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def kept(path: Path, found: dict[str, Any]) -> None:
    """Put a result in place of one of the same system and settings."""
    earlier = json.loads(path.read_text()) if path.exists() else []
    same = (found["system"], found["settings"])
    path.write_text(json.dumps([*(r for r in earlier if (r["system"], r["settings"]) != same), found], indent=2) + "\n")


def said(found: dict[str, Any]) -> tuple[str, bool]:
    """One line of what came out, and whether it agrees."""
    published = f"published {found['published_kcal_per_mol']} ± {found['published_error_kcal_per_mol']}"
    if "differs_by_errors" not in found:
        return f"{found['system']}: no value ({'; '.join(found['reasons'])}), {published}", False
    agrees = found["differs_by_errors"] <= 2  # noqa: PLR2004
    own = f"{found['dg_kcal_per_mol']} ± {found['dg_error_kcal_per_mol']} kcal/mol"
    return f"{found['system']}: {own}, {published}: {'agrees' if agrees else 'differs'} ({found['verdict']})", agrees


def main() -> int:
    """Run, keep, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", nargs="+", choices=SYSTEMS, metavar="SYSTEM", help=", ".join(SYSTEMS))
    given = os.environ.get("GIBBSFLOW_REFERENCE_DATA")
    parser.add_argument(
        "--data", type=Path, default=given, required=given is None, help="folder with cb7 and octa_acid"
    )
    parser.add_argument("--runs", type=Path, required=True, help="folder of the campaigns, with their state")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", dest="given")
    parser.add_argument("--time-budget", type=float, metavar="HOURS", help="stop with state saved after so long in all")
    parser.add_argument("--results", type=Path, default=HERE / "results.json")
    options = parser.parse_args()
    end, passed = time.monotonic() + 3600 * (options.time_budget or math.inf), True
    for name in options.system:
        folder, sections = options.runs.absolute() / name, settings(SYSTEMS[name], options.given)
        sheet = samplesheet(name, SYSTEMS[name], options.data.absolute())
        left = end - time.monotonic()
        code = run(name, sheet, sections, folder, None if math.isinf(left) else max(1.0, left))
        if code:
            return code
        found = outcome(name, sections, folder)
        kept(options.results, found)
        line, agrees = said(found)
        passed &= agrees
        print(line)
        for point in found.get("curve", []):
            print(curve.line(point, SYSTEMS[name]["curve"]))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
