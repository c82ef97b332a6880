#!/usr/bin/env python3
"""One binding free energy under each restraint: what holds the decoupled ligand must not change the answer.

    python benchmarks/restraints.py --state /tmp/held                        # CB7·B2, a symmetric host
    python benchmarks/restraints.py --state /tmp/held --receptor protein.pdb --ligand p-xylene.sdf   # a pocket

One equilibration; from it one complex leg for each restraint, all by the verbs of the pipeline, in OBC2. The ligand's
own leg is the same for all and left out: what is compared is −ΔG(complex) − ΔG(release) − kT ln σ. Run again, it goes
on from its state. docs/methods/restraints.md has the table that this gave. Exits 1 where two restraints differ by more
than 3 σ.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))
import host_guest as hg  # noqa: E402

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg  # noqa: E402
from gibbsflow.binding.alchemy.prepare_fe import prepare_legs  # noqa: E402
from gibbsflow.binding.analyse.leg_result import analyse_leg  # noqa: E402
from gibbsflow.binding.campaign.verbs import parametrise_complex, prepare_complex  # noqa: E402
from gibbsflow.binding.equilibrate.equil_analysis import analyse_equilibration  # noqa: E402
from gibbsflow.binding.equilibrate.equilibration import equilibrate  # noqa: E402
from gibbsflow.binding.sample.energies import in_order, join_windows, read_window  # noqa: E402
from gibbsflow.binding.sample.sampling import sample_leg  # noqa: E402
from gibbsflow.binding.system import SimSystem  # noqa: E402
from gibbsflow.config.binding import BindingConfig, Equil  # noqa: E402
from gibbsflow.units import kt_kcal_per_mol  # noqa: E402
from gibbsflow.workflow.result import Result, versions  # noqa: E402
from gibbsflow.workflow.state.segments import Stopper  # noqa: E402


def equilibrated(options: argparse.Namespace, config: BindingConfig) -> SimSystem:
    """The bound complex, with its anchors: from files, or CB7·B2 with the wheel's topologies."""
    state = options.state
    if options.receptor is None:
        if not (state / "prepared").exists():
            hg.prepare_equil(state / "prepared", config.equil)
        system = SimSystem.read(state / "prepared")
    else:
        name = options.ligand.stem
        placed = prepare_complex(name, options.receptor, config, state / "placed", structure=options.ligand)
        system = parametrise_complex(placed, config, state / "prepared", cache=state / "cache")
        system.write()
    with Stopper() as stopper:
        done = equilibrate(system, state / "equil_state", state / "equil", stopper, Result())
    analysis = analyse_equilibration(done, state / "analysis", Result())
    analysis.require_bound()
    analysis.system.write()
    return analysis.system


def held(system: SimSystem, restraint: str, replicate: int, config: BindingConfig, state: Path) -> dict[str, object]:
    """−ΔG(complex) − ΔG(release) − kT ln σ of one restraint and replicate, kcal/mol."""
    chosen = config.model_copy(update={"fe": config.fe.model_copy(update={"restraint": restraint})})
    out, result = state / restraint, Result()
    prepared = prepare_legs(system, chosen, out, Result())
    leg = AlchemicalLeg.read(out / "legs" / "complex")
    run = state / f"{restraint}_{replicate}"
    with Stopper() as stopper:
        sample_leg(leg, replicate, None, run, run / "out", stopper, result)
    windows = [read_window(path) for path in sorted((run / "out").glob("window_*.parquet"))]
    energies = join_windows(in_order(windows), temperature_k=leg.md.temperature_k)
    estimate = analyse_leg(energies, decorrelate="auto", bridge_overlap=0.03).mbar
    kt = kt_kcal_per_mol(leg.md.temperature_k)
    release = prepared.meta["standard_state"]["numeric_kcal_per_mol"]
    return {
        "restraint": restraint,
        "replicate": replicate,
        "value_kcal_per_mol": -kt * estimate.dg_kt
        - release
        + prepared.meta["restraint_choice"]["symmetry_kcal_per_mol"],
        "mbar_error_kcal_per_mol": kt * estimate.dg_error_kt,
        "release_kcal_per_mol": release,
        "cpu_s": result.timings["cpu_s"],
        "why": leg.restraint.why if leg.restraint else "",
    }


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--receptor", type=Path)
    parser.add_argument("--ligand", type=Path)
    parser.add_argument("--restraint", nargs="+", default=["com", "flat_bottom", "boresch"])
    parser.add_argument("--replicates", type=int, default=2)
    parser.add_argument("--window-ps", type=float, default=60.0)
    parser.add_argument("--equil-ps", type=float, default=50.0)
    parser.add_argument("--symmetry-number", type=int, default=1)
    parser.add_argument("--platform", default="CPU")
    options = parser.parse_args()
    config = BindingConfig.from_params(
        {
            "replicates": options.replicates, "window_ps": options.window_ps, "window_equil_ps": 4.0,
            "sample_ps": 0.5, "segment_ps": 4.0, "platform": options.platform, "charge_method": "bcc",
        }
    )  # fmt: skip
    equil = Equil(heat_ps=4.0, equil_ps=options.equil_ps, equil_segment_ps=4.0)
    config = config.model_copy(update={"equil": equil})
    system = equilibrated(options, config)
    rows = []
    for replicate, restraint in itertools.product(range(options.replicates), options.restraint):
        number = options.symmetry_number if restraint == "boresch" else 1
        fe = config.fe.model_copy(update={"symmetry_number": number})
        rows.append(held(system, restraint, replicate, config.model_copy(update={"fe": fe}), options.state))
        print(json.dumps(rows[-1]), flush=True)
    means = {}
    for restraint in options.restraint:
        values = np.array([row["value_kcal_per_mol"] for row in rows if row["restraint"] == restraint], dtype=float)
        errors = np.array(
            [row["mbar_error_kcal_per_mol"] for row in rows if row["restraint"] == restraint], dtype=float
        )
        spread = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else 0.0
        means[restraint] = (float(values.mean()), float(max(spread, math.hypot(*errors) / len(errors))))
    print(json.dumps({"means": means, "window_ps": options.window_ps, "versions": versions("openmm")}))
    apart = [
        abs(means[a][0] - means[b][0]) > 3 * math.hypot(means[a][1], means[b][1])
        for a, b in itertools.combinations(means, 2)
    ]
    return int(any(apart))


if __name__ == "__main__":
    sys.exit(main())
