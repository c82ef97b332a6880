"""A real leg of seconds, its free energy, and what says that a finished window was left alone."""

from __future__ import annotations

from pathlib import Path

import host_guest as hg
from faults.child import Ended, Moment, Running, run

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.analyse.estimators import dg_of_sampled_kt, fit_mbar
from gibbsflow.binding.sample.energies import read_leg
from gibbsflow.config.binding import Fe, Md

STATES = tuple(LambdaState(0, e, 1 if e else 0) for e in (1.0, 0.5, 0.0))
FE = Fe(window_ps=1.6, window_equil_ps=0, sample_ps=0.1, segment_ps=0.4)
SEGMENTS = 4


def make_leg(folder: Path, sampler: str = "exchange", **changes: object) -> AlchemicalLeg:
    """Write the solvent leg of a guest of CB7 with three windows of four segments (one CPU thread: deterministic)."""
    fe = FE.model_copy(update={"sampler": sampler, **changes})
    return hg.make_leg(folder, "solvent", fe=fe, states=STATES, md=Md(timestep_fs=4.0))


def words(leg: AlchemicalLeg, root: Path, *more: object) -> list[object]:
    """Options of `fe run` with state and results below a folder."""
    return ["run", "--leg", leg.folder, "--replicate", 0, "--state", root / "state", "--out", root / "out", *more]


def fe_run(leg: AlchemicalLeg, root: Path, *more: object, dies: Moment | None = None) -> Ended:
    """Run `fe run` to its end."""
    return run("fe", *words(leg, root, *more), dies=dies)


def fe_start(leg: AlchemicalLeg, root: Path, *more: object) -> Running:
    """Start `fe run`."""
    return Running("fe", *words(leg, root, *more))


def parquet(root: Path) -> dict[str, bytes]:
    """Energies of all windows, as they lie in the files."""
    return {path.name: path.read_bytes() for path in sorted((root / "out").glob("window_*.parquet"))}


def free_energy_kt(root: Path) -> float:
    """Free energy of the leg by MBAR."""
    return dg_of_sampled_kt(fit_mbar(read_leg(sorted((root / "out").glob("window_*.parquet"))).u_nk))[0]


def same_answer(root: Path, whole: Path) -> None:
    """Assert that a run ended with the answer of the uninterrupted one, bit for bit."""
    assert parquet(root) == parquet(whole)
    assert free_energy_kt(root) == free_energy_kt(whole)


def kept(folder: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of all that a calculation has finished: changed by any second run of it."""
    names = ("FINISHED", "segment-*.npz", "checkpoint-*.bin")
    files = sorted(path for name in names for path in folder.rglob(name))
    return {str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}
