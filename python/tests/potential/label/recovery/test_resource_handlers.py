from __future__ import annotations

import pytest

from gibbsflow.potential.label.recovery.corrections import Attempt, Case, Correction
from gibbsflow.potential.label.recovery.resource_handlers import RESOURCE_HANDLERS
from gibbsflow.potential.label.recovery.scf_outcome import Outcome, ScfError
from gibbsflow.potential.label.recovery.scf_settings import ScfSettings


def correct(
    error: ScfError, scf: ScfSettings, *, restartable: bool = False, density: bool = False
) -> Correction | None:
    attempt = Attempt(scf, Outcome(error, "", 1, restartable=restartable, density=density), Case(scf))
    known = [handler for handler in RESOURCE_HANDLERS if handler.check(attempt)]
    return known[0].correct(attempt) if known else None


@pytest.mark.parametrize("error", ["OUT_OF_WALLTIME", "OUT_OF_TIME"])
def test_a_run_out_of_time_goes_on_where_it_can(error: ScfError) -> None:
    # it may have been ended while it wrote its files, after it had stopped
    scf = ScfSettings(80, 0.7)
    on = correct(error, scf, restartable=True, density=True)
    assert on is not None and on.scf.restart and on.kept == "charge density, wavefunctions and mixing history"
    on = correct(error, scf, density=True)
    assert on is not None and not on.scf.restart and on.kept == "charge density"
    assert correct(error, scf) is None


def test_files_that_a_run_which_was_ended_had_begun_with_are_not_taken_for_its_own() -> None:
    for begun in (ScfSettings(80, 0.7, restart=True), ScfSettings(80, 0.7, from_density=True)):
        assert correct("OUT_OF_TIME", begun, restartable=True, density=True) is None
        assert correct("OUT_OF_WALLTIME", begun, restartable=True) is not None


@pytest.mark.parametrize("error", ["BAD_XML", "CUT_OFF"])
def test_a_result_that_is_cut_off_is_made_once_more(error: ScfError) -> None:
    again = correct(error, ScfSettings(80, 0.7), density=True)
    assert again is not None and (again.kept, again.scf) == ("charge density", ScfSettings(80, 0.7, from_density=True))
    assert correct(error, ScfSettings(80, 0.7)).scf == ScfSettings(80, 0.7)


def test_pools_are_halved_until_one_is_left() -> None:
    scf, seen = ScfSettings(80, 0.7, pools=5), []
    while (correction := correct("POOLS", scf)) is not None:
        scf = correction.scf
        seen.append(scf.pools)
    assert seen == [2, 1]


def test_ranks_are_halved_and_pools_with_them() -> None:
    scf, seen = ScfSettings(80, 0.7, ranks=6, pools=2), []
    while (correction := correct("RANKS", scf)) is not None:
        scf = correction.scf
        seen.append((scf.ranks, scf.pools))
    assert seen == [(3, 2), (1, 1)]


def test_memory_is_spared_step_by_step() -> None:
    scf, seen = ScfSettings(80, 0.7, pools=4), []
    while (correction := correct("OUT_OF_MEMORY", scf)) is not None:
        assert not correction.scf.changes_physics
        scf = correction.scf
        seen.append((scf.pools, scf.lean, scf.history, scf.diagonalization))
    assert seen == [(1, False, 8, "david"), (1, True, 4, "david"), (1, True, 4, "cg")]


def test_a_segmentation_fault_is_tried_with_less_memory_once() -> None:
    lean = correct("SEGFAULT", ScfSettings(80, 0.7))
    assert lean is not None and lean.scf.lean and correct("SEGFAULT", lean.scf) is None
