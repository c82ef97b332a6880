#!/usr/bin/env python3
"""Windows that place themselves against the shipped schedules, at equal cost: the ratio of their errors.

    python benchmarks/schedule/run.py --seeds 40                       # systems with exact answers
    python benchmarks/schedule/run.py --system b2_solvent --state DIR  # OpenMM, in segments; goes on where it was

Each seed samples a leg twice: with the shipped schedule, and with a pilot of a twentieth of the samples on that
schedule (as by default), a placement where it is clearly better, and the rest of the samples shared out among the
windows. The samples of a pilot are not used again. MBAR of all samples against the truth gives an error each; of those
the root mean square over the seeds, their ratio, and its 95 % interval by a bootstrap of the seeds (5,000 draws, pairs
kept together).

Exact systems are sampled without correlation, by the inverse of their cumulated distribution, and known by quadrature:

springs   a point in three dimensions whose spring stiffens linearly, 1 to 41 kT; solvent_6
cage      a guest in a shell of Lennard-Jones sites, charged, tied to its centre as it is decoupled; complex_16
cage_weak, cage_strong  the same with a quarter, and with three times, of charges and Lennard-Jones
bath      a solute among 60 particles that do not see each other; water_17

b2_solvent, b2_complex  legs of openmmtools' CB7·B2 in OBC2 by replica exchange, against one run 20 times as long on
          the shipped schedule
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python" / "tests"))

from gibbsflow.binding.alchemy.schedules import LambdaState, read_schedule  # noqa: E402
from gibbsflow.binding.analyse.estimators import fit_mbar  # noqa: E402
from gibbsflow.binding.analyse.placement.distances import By, neighbour_distances  # noqa: E402
from gibbsflow.binding.analyse.placement.even_states import SPACING, place_states, unless_as_good  # noqa: E402
from gibbsflow.binding.sample.energies import Energies, read_leg  # noqa: E402
from gibbsflow.units import Floats  # noqa: E402
from gibbsflow.version import __version__  # noqa: E402

SAMPLES, PILOT_SHARE, DRAWS = 400, 0.05, 5000
REFERENCE = 20
TEMPERATURE_K = 298.15


@dataclass(frozen=True)
class Exact:
    """`copies` of a radius that do not see each other, within `reach`, in three dimensions; kT and Å."""

    schedule: str
    u: Callable[[Floats, LambdaState], Floats]
    reach: float
    copies: int = 1

    @property
    def grid(self) -> Floats:
        """Radii, shape (4000,)."""
        return (np.arange(4000) + 0.5) * self.reach / 4000

    def exact_kt(self) -> float:
        """G(last) − G(first) by quadrature."""
        ends = read_schedule(self.schedule)
        z = [np.sum(self.grid**2 * np.exp(-self.u(self.grid, ends[end]))) for end in (0, -1)]
        return -self.copies * float(np.log(z[1] / z[0]))

    def sample(self, states: Sequence[LambdaState], count: int, random: np.random.Generator) -> Energies:
        """Draw samples of all states, with their energies in all."""
        grid, every = self.grid, []
        for state in states:
            cumulated = np.cumsum([0.0, *(grid**2 * np.exp(-self.u(grid, state)))])
            draws = random.random((count, self.copies)) * cumulated[-1]
            r = np.interp(draws, cumulated, np.linspace(0.0, self.reach, len(cumulated)))
            every.append(np.column_stack([self.u(r, other).sum(axis=1) for other in states]))
        index = pd.MultiIndex.from_product([range(len(states)), np.arange(float(count))], names=["state", "time"])
        u_nk = pd.DataFrame(np.concatenate(every), index=index.swaplevel(), columns=range(len(states)))
        u_nk.attrs = {"temperature": TEMPERATURE_K, "energy_unit": "kT"}
        return Energies(u_nk, TEMPERATURE_K, [state.as_dict() for state in states])


def soft(distance: Floats, sterics: float, epsilon_kt: float, sigma: float) -> Floats:
    """Lennard-Jones by the soft core of openmm_states.py."""
    d = np.maximum(0.5 * (1 - sterics) + (distance / sigma) ** 6, 1e-3)
    return 4 * epsilon_kt * sterics * (1 / d - 1) / d


def cage(strength: float) -> Callable[[Floats, LambdaState], Floats]:
    """A guest in a shell of radius 4.5 Å."""

    def u(r: Floats, state: LambdaState) -> Floats:
        tied = state.lambda_restraints * 0.5 * 16.9 * r**2  # 10 kcal/mol/Å²
        charged = -state.lambda_electrostatics * 12 * strength * np.exp(-((r / 2.0) ** 2))
        return tied + charged + soft(np.abs(4.5 - r), state.lambda_sterics, 6 * strength, 3.5)

    return u


def bath(r: Floats, state: LambdaState) -> Floats:
    """A particle at a distance from the solute."""
    return -state.lambda_electrostatics * 1.5 * np.exp(-r / 3) + soft(r, state.lambda_sterics, 0.2, 3.4)


SYSTEMS = {
    "springs": Exact("solvent_6", lambda r, s: 0.5 * (1 + 40 * (1 - s.lambda_electrostatics)) * r**2, 8.0),
    "cage": Exact("complex_16", cage(1.0), 12.0),
    "cage_weak": Exact("complex_16", cage(0.25), 12.0),
    "cage_strong": Exact("complex_16", cage(3.0), 12.0),
    "bath": Exact("water_17", bath, 8.0, 60),
}


def dg_kt(energies: Energies) -> float:
    """MBAR of all samples."""
    return float(fit_mbar(energies.u_nk).delta_f_.iloc[0, -1])


def run_exact(name: str, seeds: int, by: By, spacing: float) -> dict[str, object]:
    """All seeds of one exact system."""
    system = SYSTEMS[name]
    given, exact = read_schedule(system.schedule), system.exact_kt()
    pilot = round(PILOT_SHARE * SAMPLES)
    rows = []
    for seed in range(seeds):
        random = np.random.default_rng([seed, *name.encode()])
        shipped = dg_kt(system.sample(given, SAMPLES, random)) - exact
        distances = neighbour_distances(system.sample(given, pilot, random))
        placed = unless_as_good(place_states(given, distances, by=by, spacing=spacing)).states
        count = (SAMPLES - pilot) * len(given) // len(placed)
        rows.append([seed, shipped, dg_kt(system.sample(placed, count, random)) - exact, len(placed)])
    return summary(rows, len(given), {"exact_kt": exact, "schedule": system.schedule})


def run_b2(leg_name: str, seeds: int, by: By, spacing: float, state: Path, window_ps: float) -> dict[str, object]:
    """All seeds of a leg of CB7·B2, in one process after the other: what has finished is not run again."""
    import host_guest as hg

    from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
    from gibbsflow.binding.analyse.placement.pilot import place_by_pilot
    from gibbsflow.binding.sample.sampling import sample_leg
    from gibbsflow.config.binding import Fe, Md
    from gibbsflow.workflow.result import Result
    from gibbsflow.workflow.state.segments import Stopper

    def lengths(total_ps: float) -> dict[str, float]:
        """Of a window, a sixth of which is discarded."""
        return {"window_ps": total_ps / 1.2, "window_equil_ps": total_ps / 6, "segment_ps": total_ps / 4}

    def make(home: Path, seed: int, total_ps: float) -> AlchemicalLeg:
        fe = Fe(
            sample_ps=0.04, schedule="auto", fe_pilot_ps=PILOT_SHARE * total_ps, schedule_by=by,
            schedule_spacing=spacing, **lengths(total_ps),
        )  # fmt: skip
        return hg.make_leg(home / "leg", leg_name, fe=fe, md=Md(trajectory="none"), seed=seed, replicates=1)

    def dg(leg: AlchemicalLeg, home: Path) -> float:
        with Stopper(None, None) as stopper:
            sample_leg(leg, 0, None, home / "state", home / "out", stopper, Result())
        return dg_kt(read_leg(sorted((home / "out").glob("window_*.parquet"))))

    total_ps, rows = 1.2 * window_ps, []
    for seed in range(seeds):
        home = state / f"seed_{seed:02d}"
        leg = make(home, seed + 1, total_ps)
        shipped = dg(leg, home / "shipped")
        with Stopper(None, None) as stopper:
            placed = place_by_pilot(leg, home / "pilot", home / "placed", stopper, Result())
        rest_ps = (1 - PILOT_SHARE) * total_ps * len(leg.states) / len(placed.states)
        longer = replace(placed, fe=placed.fe.model_copy(update=lengths(rest_ps)))
        rows.append([seed, shipped, dg(longer, home / "auto"), len(placed.states)])
        sys.stderr.write(f"seed {seed}: {rows[-1]}\n")
    reference = make(state / "reference", 1000, REFERENCE * total_ps)
    truth = dg(reference, state / "reference")
    rows = [[seed, one - truth, other - truth, count] for seed, one, other, count in rows]
    about = {"reference_kt": truth, "reference_ps": REFERENCE * total_ps, "window_ps": window_ps}
    return summary(rows, len(reference.states), about)


def summary(rows: list[list[float]], windows: int, about: dict[str, object]) -> dict[str, object]:
    """Errors of both ways, and their ratio with its interval."""
    errors = np.array([row[1:3] for row in rows])
    rmse = np.sqrt(np.mean(errors**2, axis=0))
    random = np.random.default_rng(1)
    drawn = errors[random.integers(len(errors), size=(DRAWS, len(errors)))]
    ratios = np.divide(*np.sqrt(np.mean(drawn**2, axis=1)).T[::-1])
    low, high = np.quantile(ratios, [0.025, 0.975])
    return {
        **about,
        "seeds": len(rows),
        "windows_shipped": windows,
        "windows_auto": [min(row[3] for row in rows), max(row[3] for row in rows)],
        "rmse_shipped_kt": round(float(rmse[0]), 5),
        "rmse_auto_kt": round(float(rmse[1]), 5),
        "bias_kt": [round(float(one), 5) for one in errors.mean(axis=0)],
        "ratio": round(float(rmse[1] / rmse[0]), 4),
        "ratio_ci95": [round(float(low), 4), round(float(high), 4)],
        "per_seed": [[int(row[0]), round(row[1], 5), round(row[2], 5), int(row[3])] for row in rows],
    }


def together(found: Sequence[dict[str, object]]) -> dict[str, object]:
    """Geometric mean of the ratios of several systems, seeds drawn of each by itself."""
    random, logs = np.random.default_rng(2), np.zeros(DRAWS)
    for one in found:
        errors = np.array([row[1:3] for row in one["per_seed"]])  # type: ignore[attr-defined]
        drawn = errors[random.integers(len(errors), size=(DRAWS, len(errors)))]
        shipped, auto = np.sqrt(np.mean(drawn**2, axis=1)).T
        logs += np.log(auto / shipped) / len(found)
    value = np.exp(np.mean([np.log(one["ratio"]) for one in found]))
    low, high = np.exp(np.quantile(logs, [0.025, 0.975]))
    return {"ratio": round(float(value), 4), "ratio_ci95": [round(float(low), 4), round(float(high), 4)]}


def main() -> None:
    """Run what is asked for, and put it into the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--system", action="append", choices=[*SYSTEMS, "b2_solvent", "b2_complex"], help="default: all exact ones"
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--by", choices=["length", "overlap"], default="length")
    parser.add_argument("--spacing", type=float, default=SPACING)
    parser.add_argument("--state", type=Path, help="folder of b2's state")
    parser.add_argument("--window-ps", type=float, default=20.0, help="of b2")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("results.json"))
    given = parser.parse_args()
    for name in given.system or SYSTEMS:
        if name not in SYSTEMS:
            leg = name.removeprefix("b2_")
            found = run_b2(leg, given.seeds, given.by, given.spacing, given.state, given.window_ps)
        else:
            found = run_exact(name, given.seeds, given.by, given.spacing)
        results = json.loads(given.out.read_text()) if given.out.exists() else {}
        found |= {"by": given.by, "spacing": given.spacing, "version": __version__, "machine": platform.machine()}
        results[name] = found
        if all(one in results for one in SYSTEMS):
            results["exact systems"] = together([results[one] for one in SYSTEMS])
        given.out.write_text(json.dumps(results, indent=1) + "\n")
        print(f"{name:12s} {found['ratio']:.3f} {found['ratio_ci95']} windows {found['windows_auto']}", flush=True)


if __name__ == "__main__":
    main()
