#!/usr/bin/env python3
"""CPU cost of the alchemical windows of CB7·B2 (156 atoms, OBC2), by kind of state, and of all K×K energies.

    OMP_NUM_THREADS=1 python benchmarks/fe_speed.py [--picoseconds 4]

CPU time of this process, the least of three goes, so that a busy machine matters little. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))
import host_guest as hg  # noqa: E402

from gibbsflow.binding.sample.contexts import StateContexts  # noqa: E402
from gibbsflow.binding.sample.exchange import ExchangeSampler  # noqa: E402
from gibbsflow.binding.sample.sampling import leg_systems  # noqa: E402
from gibbsflow.config.binding import Fe  # noqa: E402
from gibbsflow.engines.openmm_engine import OPENMM  # noqa: E402
from gibbsflow.engines.openmm_systems import create_system, minimise, new_context  # noqa: E402
from gibbsflow.workflow.result import versions  # noqa: E402


def cpu_s(work, goes: int = 3) -> float:
    """Least CPU seconds of some goes."""
    times = []
    for _ in range(goes):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def measure(name: str, folder: Path, steps: int) -> dict[str, object]:
    """Speeds of one leg."""
    leg = hg.make_leg(folder, name, fe=Fe())
    plain = new_context(create_system(leg.folder / leg.topology, leg.md), leg.md, 1)
    plain.setPositions(leg.start_nm)
    minimise(plain, 50)
    plain.getIntegrator().step(50)
    systems = leg_systems(leg, OPENMM)
    sampler = ExchangeSampler(systems, leg.md)
    walkers = sampler.start(leg.starts_nm(0), True, 1, lambda: None)
    states = StateContexts(systems, leg.md, 1)

    def window(k: int) -> None:
        states.propagate(k, walkers.positions_nm[k], walkers.velocities_nm_per_ps[k], steps, lambda _: None)

    def ns_per_core_day(seconds: float, md_steps: int) -> float:
        return round(md_steps * leg.md.timestep_fs * 1e-6 / seconds * 86400, 1)

    return {
        "plain_md_ns_per_core_day": ns_per_core_day(cpu_s(lambda: plain.getIntegrator().step(steps)), steps),
        "window_ns_per_core_day": {
            str(list(state.as_dict().values())): ns_per_core_day(cpu_s(lambda k=k: window(k)), steps)
            for k, state in enumerate(leg.states)
        },
        "energies_of_all_states_ms": round(
            1000 * cpu_s(lambda: [states.reduced_potentials(x, 0) for x in walkers.positions_nm]), 2
        ),
        "exchange_ns_per_core_day": ns_per_core_day(
            cpu_s(lambda: sampler.segment(walkers, 2, 250, 1, lambda _: None), 1), 2 * 250 * len(systems)
        ),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picoseconds", type=float, default=2.0)
    steps = round(parser.parse_args().picoseconds * 250)
    figures: dict[str, object] = {"machine": platform.processor() or platform.machine(), "versions": versions("openmm")}
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("complex", "solvent"):
            figures[name] = measure(name, Path(scratch) / name, steps)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
