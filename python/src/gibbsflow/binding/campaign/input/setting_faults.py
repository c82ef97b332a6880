"""Settings of a campaign that contradict each other, or what is on this machine."""

from __future__ import annotations

from collections.abc import Sequence

from gibbsflow.binding.alchemy.gromacs_states import gromacs_problems
from gibbsflow.binding.alchemy.protocols import LegSpec, cycle_doubts, protocol_of
from gibbsflow.binding.alchemy.sampling_plan import sampling
from gibbsflow.binding.alchemy.schedules import leg_schedules
from gibbsflow.binding.analyse.enough.rounds import longest_ps
from gibbsflow.binding.analyse.placement.pilot import pilot_problems
from gibbsflow.binding.equilibrate.stages import chosen_stages, plan_equilibration, stage_problems
from gibbsflow.binding.forcefield.given.box_settings import AS_GIVEN
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.equil_stages import read_stages
from gibbsflow.config.modes import MODES
from gibbsflow.engines.amber.choice import window_problems
from gibbsflow.engines.choice.engine_choice import choose_engine, engine_problems
from gibbsflow.engines.md_engines import EQUILIBRATES, WHOLE_RUNS
from gibbsflow.errors import InputError, Problem


def setting_faults(
    settings: BindingConfig, rows: Sequence[Row], *, boxed: bool, programs: bool, where: str
) -> list[Problem]:
    """Say what is wrong with settings, whatever the ligands and the receptor are.

    Parameters
    ----------
    settings
        All of a campaign.
    rows
        Of its samplesheet.
    boxed
        Whether all systems come solvated, whatever solvent the settings name.
    programs
        Whether what runs the MD must be on this machine.
    where
        What messages call the settings of the engine.

    Returns
    -------
    list of Problem
        Of schedules, lengths, stages, the engine, and terms that the cycle would lack.
    """
    md = settings.md.model_copy(update={"solvent": AS_GIVEN}) if boxed else settings.md
    protocol = protocol_of(settings.run.mode, explicit=md.explicit, fe=settings.fe)
    problems: list[Problem] = []
    for check in (
        lambda: leg_schedules(settings.fe, protocol),
        lambda: sampling(settings.md, settings.fe),
        lambda: _has_room(settings),
        lambda: _read_stages(settings, rows),
    ):
        try:
            check()
        except InputError as error:
            problems += error.problems
    asked = settings.model_copy(update={"md": md})
    problems += pilot_problems(settings.fe, where="settings")
    problems += _engine_problems(asked, protocol, programs=programs, where=where)
    of_all = cycle_doubts(protocol, md, 0, where="settings", fe=settings.fe)
    return problems + of_all.of_weight("refuse")


def _has_room(settings: BindingConfig) -> None:
    """See that windows can be sampled longer, where an error is to be reached."""
    target, most_ps = settings.analysis.target_error_kcal_per_mol, settings.analysis.max_window_ps
    if target is None or not MODES[settings.run.mode].free_energies:
        return
    plan = sampling(settings.md, settings.fe)
    least_ps = (plan.samples - plan.discarded + plan.samples_per_segment) * plan.sample_ps
    if longest_ps(settings.analysis, settings.fe.window_ps) < least_ps - 1e-6:
        told = f"{most_ps:g} ps" if most_ps is not None else f"10 times {settings.fe.window_ps:g} ps"
        right = f"{least_ps:g} ps or more: window_ps and a segment (segment_ps) beyond it"
        what = f"{told} leaves nothing to be sampled longer for an error of {target:g} kcal/mol"
        raise InputError(Problem("analysis", what, right, field="max_window_ps"))


def _read_stages(settings: BindingConfig, rows: Sequence[Row]) -> None:
    """See that time steps and stages of the equilibration can be used."""
    path, boxed = settings.equil.equil_stages, any(row.solvated for row in rows)
    md = settings.md.model_copy(update={"solvent": AS_GIVEN}) if boxed else settings.md
    given = () if path is None else read_stages(path)
    problems = stage_problems(settings.md, given, built=not all(row.solvated for row in rows), where=str(path))
    if problems:
        raise InputError(problems)
    if path is not None:
        plan_equilibration(md, settings.equil, chosen_stages(given, md, where=str(path)))


def _engine_problems(
    settings: BindingConfig, protocol: Sequence[LegSpec], *, programs: bool, where: str
) -> list[Problem]:
    """What speaks against the engine that was named, or that ``auto`` stands for here."""
    if problems := engine_problems(settings.md, where, programs=programs):
        return problems
    if settings.md.engine == EQUILIBRATES and MODES[settings.run.mode].free_energies:
        return window_problems(settings, where, programs=programs)
    if choose_engine(settings.md).engine != WHOLE_RUNS or not MODES[settings.run.mode].free_energies:
        return []
    try:
        return gromacs_problems(settings, protocol, where=where)
    except InputError:
        return []  # a schedule that cannot be read is told of as such
