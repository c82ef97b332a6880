"""WorkflowManager: the learning loop as a state machine over one folder.

``generate → select (→ screen) → label → train → validate → explore → decide``, and from there to the next generation's
``select`` or to the end. Each method takes a state folder through some of these phases and writes the next state
folder; who runs the commands between two methods (Nextflow, or `infer loop --local`) is nothing to it.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from gibbsflow.config.potential import Target
from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError, Problem, ScienceError, StateError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.labels import read_labels, require_one_settings_hash
from gibbsflow.potential.data.structures import read_frames, structure_id, write_frames
from gibbsflow.potential.explore.true_errors import force_errors
from gibbsflow.potential.loop import extension, label_doubts, stopping
from gibbsflow.potential.loop import select as selection_step
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.state import LoopCheckpoint, Phase
from gibbsflow.potential.loop.stopping import GenerationRecord
from gibbsflow.potential.loop.trajectories import write_trajectories
from gibbsflow.potential.train.fit import graded_trainer
from gibbsflow.potential.train.shared.protocols import check_figures
from gibbsflow.potential.validate.labels.label_audit import held_counts, hold_labels
from gibbsflow.potential.validate.labels.zero_checks import hold_other_zeros
from gibbsflow.workflow.files import as_written, read_json, write_json

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
_SPREAD = "max_spread_ev_per_angstrom"


class WorkflowManager:
    """One state of the learning loop.

    Parameters
    ----------
    folder
        State folder, as a method of this class wrote it.
    config
        Settings.

    Raises
    ------
    StateError
        Where its checkpoint is missing or unreadable: never taken for a fresh start.
    """

    def __init__(self, folder: Path, config: PotentialConfig) -> None:
        self.folder = Path(folder)
        self.config = config
        self.checkpoint = LoopCheckpoint.read(self.folder)

    @classmethod
    def begin(cls, config: PotentialConfig, training: Path, holdout: Path, out: Path) -> WorkflowManager:
        """Start from generated structures: GENERATE and SELECT; what is to be labelled lies in ``batches/``.

        Parameters
        ----------
        config
            Settings.
        training, holdout
            Files of structures, as ``system_prep structures`` wrote them with one sampler and with another; what the
            results beside them had to say goes into the state.
        out
            State folder to make.

        Returns
        -------
        WorkflowManager
            Of the new state, whose phase is LABEL.

        Raises
        ------
        InputError
            Where there is nothing to start from, both are the same, or the trainer's potentials have no grade.
        """
        graded_trainer(config.training)
        point = LoopCheckpoint(0, Phase.GENERATE, config.loop.seed).to(Phase.SELECT)
        apart = selection_step.spread(read_frames(holdout), config.loop.holdout_labels)
        names = {structure_id(frame) for frame in apart}
        generated = [frame for frame in read_frames(training) if structure_id(frame) not in names]
        if not generated:
            raise InputError(
                Problem(str(training), "holds no structure that is not in the hold-out", "another sampler")
            )
        left = config.convergence.max_labels - len(apart)
        if left < 1:
            what = f"{config.convergence.max_labels} labels, and the hold-out alone takes {len(apart)}"
            right = "a larger budget, or fewer loop.holdout_labels"
            raise InputError(Problem("settings", what, right, field="convergence.max_labels"))
        loop_state.clear(out)
        (out / loop_state.DATABASE).unlink(missing_ok=True)
        selection_step.begin(out, config, DatabaseManager(out / loop_state.DATABASE), apart, generated)
        label_doubts.hand_on(training.parent, out, (training.parent, holdout.parent))
        point.to(Phase.LABEL, holdout=tuple(selection_step.ids_of(apart))).write(out)
        return cls(out, config)

    @classmethod
    def resume(
        cls, folder: Path, config: PotentialConfig, out: Path, *, target: Target | None = None
    ) -> WorkflowManager:
        """Go on from a published ``generation_NN/``, perhaps with other settings; a stopped loop is judged anew.

        With more elements, another target or other temperatures a new campaign begins that has all its labels.

        Parameters
        ----------
        folder
            ``generation_NN/`` of this or of an earlier run.
        config
            Settings from here on.
        out
            State folder to make.
        target
            Section ``target`` with its structure file as it can be opened from here; default: that of the settings.

        Returns
        -------
        WorkflowManager
            Of the new state.

        Raises
        ------
        InputError
            For DFT settings that are not those of its labels, limits under which it stays stopped, or a trainer whose
            potentials have no grade.
        StateError
            Where files of that generation are missing.
        """
        graded_trainer(config.training)
        before = cls(folder, config)
        old = PotentialConfig.model_validate(read_json(folder / loop_state.CONFIG))
        extension.require_same_labels(old, config, folder)
        loop_state.clear(out)
        if why := extension.news(old, config):
            extension.extend(folder, before.checkpoint, config, target or config.target, why, out)
            return cls(out, config)
        if before.checkpoint.phase is Phase.STOPPED:
            state = cls(folder, config)
            state.checkpoint = before.checkpoint.to(Phase.DECIDE, stopped_by="", reason="")
            judged = state._decide(out, folder)
            if judged.checkpoint.phase is Phase.STOPPED:
                what = f"has stopped ({judged.checkpoint.stopped_by}): {judged.checkpoint.reason}"
                raise InputError(
                    Problem(str(folder), what, "a larger budget, or stricter criteria", field="convergence")
                )
            return judged
        by_last = config.surrogate.model == "last_generation" and (folder / loop_state.POTENTIAL).is_dir()
        more = (loop_state.POTENTIAL,) if by_last else ()
        loop_state.copy_state(folder, out, (*loop_state.ALWAYS_COPIED, loop_state.BATCHES, "dataset", *more))
        label_doubts.hand_on(folder, out)
        extension.hand_on(folder, out)
        config.write(out / loop_state.CONFIG)
        write_trajectories(out, config, before.checkpoint.generation)
        before.checkpoint.write(out)
        return cls(out, config)

    def record(self, labels: Sequence[Path], out: Path) -> WorkflowManager:
        """LABEL: take labels in, each with its fate, and write the data set.

        Parameters
        ----------
        labels
            Folders that ``dft label`` wrote, one for each of this state's batches.
        out
            State folder to make.

        Returns
        -------
        WorkflowManager
            Of the new state, whose phase is TRAIN.

        Raises
        ------
        InputError
            For labels that were made with different settings.
        StateError
            Where structures have no result, neither label nor failure.
        ScienceError
            Where the training set or the hold-out is left without labels.
        """
        point = self.checkpoint.to(Phase.TRAIN)
        results = [result for folder in labels for result in read_labels(Path(folder) / "labels.jsonl")]
        wanted = [structure_id(f) for path in loop_state.batches(self.folder) for f in read_frames(path)]
        if missing := sorted(set(wanted) - {result.gibbsflow_id for result in results}):
            raise StateError(
                f"{len(missing)} structures of generation {point.generation} have no result: {', '.join(missing[:5])}"
            )
        loop_state.clear(out)
        loop_state.copy_state(self.folder, out)
        label_doubts.hand_on(self.folder, out, labels)
        manager = DatabaseManager(out / loop_state.DATABASE)
        extension.take_over(self.folder, manager, results, out)
        counts = manager.record(results)
        log.info("generation %d: %d labels, %d failed", point.generation, counts["labelled"], counts["failed"])
        if changed := manager.judge(self.config.labels):
            log.info("labels judged anew by today's thresholds: %s", dict(changed))
        hold_labels(manager, self.config.audit, self.config.labels)
        hold_other_zeros(manager, point.holdout)
        if held := held_counts(manager):
            log.warning("labels that an audit holds, and that do not count: %s", held)
        labelled = manager.frames(RowStatus.LABELLED)
        require_one_settings_hash(labelled)
        apart = [frame for frame in labelled if structure_id(frame) in point.holdout]
        train = [frame for frame in labelled if structure_id(frame) not in point.holdout]
        for name, frames in (("training set", train), ("hold-out", apart)):
            if not frames:
                raise ScienceError(
                    f"the {name} has no label: {manager.causes()}" + (f", held by the audit {held}" if held else ""),
                    what_to_do="See `dft explain` and the DFT logs.",
                )
        write_frames(out / loop_state.TRAIN, train)
        write_frames(out / loop_state.HOLDOUT, apart)
        history = self._with_errors_of_what_was_met(point.history, [f for f in train if structure_id(f) in set(wanted)])
        replace(point, labels_made=point.labels_made + len(wanted), history=history).write(out)
        loop_state.copy_state(self.folder, out, (loop_state.TRAJECTORIES,))
        return WorkflowManager(out, self.config)

    def _with_errors_of_what_was_met(
        self, history: tuple[GenerationRecord, ...], labelled: Sequence[Atoms]
    ) -> tuple[GenerationRecord, ...]:
        """Tell of the last generation how wrong its potential was on what it selected, where MD met all of that."""
        met = [frame for frame in labelled if frame.info.get("config_type") == "md"]
        potential = self.folder / loop_state.POTENTIAL
        if not history or not met or len(met) < history[-1].selected or not potential.is_dir():
            return history
        found = force_errors(potential, met)
        if not math.isfinite(found.structure_mae):
            return history
        said = "of the %d structures that MD met, forces of one were off by %.3g eV/Å in the mean, of one atom by %.3g"
        log.info(said, len(met), found.structure_mae, found.atom)
        last = replace(
            history[-1], met_labels=len(met), met_force_mae_ev_per_angstrom=found.structure_mae,
            met_atom_error_ev_per_angstrom=found.atom,
        )  # fmt: skip
        return (*history[:-1], last)

    def decide(
        self, fit: Path, explored: Sequence[Path], out: Path, *, validated: Path | None = None
    ) -> WorkflowManager:
        """TRAIN to SELECT: take in the potential and what MD met with it, decide, and select what comes next.

        Parameters
        ----------
        fit
            Folder that ``train fit`` wrote with this state's data set.
        explored
            Folders that ``infer explore`` wrote, one for each of this state's trajectories.
        out
            ``generation_NN/`` to make: this generation's results, and the state of the next.
        validated
            Folder that ``train validate`` wrote of its potential; None where it was not asked.

        Returns
        -------
        WorkflowManager
            Of the new state, whose phase is LABEL or STOPPED.

        Raises
        ------
        ScienceError
            Where the fit has not finished, lacks figures, or has no finite error on the hold-out.
        StateError
            Where trajectories are missing.
        """
        point = self.checkpoint.to(Phase.VALIDATE)
        errors = _validated(fit)
        point = point.to(Phase.EXPLORE)
        runs = [_explored(Path(folder) / "result.json") for folder in explored]
        if len(runs) != len(loop_state.trajectories(self.folder)):
            raise StateError(f"{len(runs)} of {len(loop_state.trajectories(self.folder))} trajectories are there")
        for run in runs:
            interval = self.config.exploration.grade_interval
            run["planned_looks"] = math.ceil(self.config.exploration.steps / interval)
        found = [(f"{Path(folder).name}:{n}", frame) for folder in explored for n, frame in enumerate(_frames(folder))]
        loop_state.clear(out)
        loop_state.copy_state(self.folder, out, (*loop_state.ALWAYS_COPIED, "dataset"))
        label_doubts.hand_on(self.folder, out)
        extension.hand_on(self.folder, out)
        # the copy: opening a database touches its folder, and what was read in must stay as it was
        database = DatabaseManager(out / loop_state.DATABASE)
        record = self._record(errors, runs, len(found), database)
        if validated is not None:
            told = read_json(validated / "result.json")
            with as_written(validated / "result.json", "`train validate`"):
                record = replace(record, validation=str(told["verdict"]), validation_reasons=list(told["reasons"]))
            for name in loop_state.VALIDATION_FILES:
                loop_state.copy_state(validated, out / loop_state.VALIDATION, (name,))
        self.checkpoint = point.to(Phase.DECIDE, history=(*point.history, record))
        loop_state.copy_state(fit, out, (loop_state.POTENTIAL,))
        for figure in sorted(path for kind in ("svg", "png", "csv") for path in fit.glob(f"*.{kind}")):
            loop_state.copy_state(fit, out / "figures", (figure.name,))
        write_json(out / loop_state.METRICS, {"fit": errors, "trajectories": runs})
        write_frames(out / "candidates.extxyz", [frame for _, frame in found])
        return self._decide(out, out)

    def _decide(self, out: Path, source: Path) -> WorkflowManager:
        """DECIDE, and SELECT where the loop goes on."""
        point = self.checkpoint
        verdict = stopping.judge(point.history, self.config.convergence)
        log.info("generation %d: %s", point.generation, verdict.reason)
        if source != out:
            optional = ("figures", loop_state.METRICS, "candidates.extxyz", loop_state.VALIDATION)
            kept = [name for name in optional if (source / name).exists()]
            loop_state.copy_state(source, out, (*loop_state.ALWAYS_COPIED, "dataset", loop_state.POTENTIAL, *kept))
            label_doubts.hand_on(source, out)
            extension.hand_on(source, out)
        self.config.write(out / loop_state.CONFIG)
        if verdict.stopped_by:
            point.to(Phase.STOPPED, stopped_by=verdict.stopped_by, reason=verdict.reason).write(out)
            return WorkflowManager(out, self.config)
        point = point.to(Phase.SELECT, reason=verdict.reason)
        chosen = selection_step.select(out, self.config, point)
        last = replace(point.history[-1], selected=len(chosen))
        point = replace(point, history=(*point.history[:-1], last))
        if not chosen:
            reason = f"MD met nothing that is worth a label and sane: {verdict.reason}"
            point.to(Phase.STOPPED, stopped_by=stopping.NOTHING_NEW, reason=reason).write(out)
            return WorkflowManager(out, self.config)
        following = len(point.history)
        loop_state.write_batches(out, "training", chosen, self.config.labels.batch_size)
        write_trajectories(out, self.config, following)
        point.to(Phase.LABEL, generation=following).write(out)
        return WorkflowManager(out, self.config)

    def _record(
        self, fit: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], candidates: int, database: DatabaseManager
    ) -> GenerationRecord:
        test, grade = fit["test"], fit["grade"]
        # not of the fit, whose errors are of as many frames as there was time for
        labels = Counter(structure_id(f) in self.checkpoint.holdout for f in database.frames(RowStatus.LABELLED))
        return GenerationRecord(
            generation=self.checkpoint.generation,
            labels=labels[False],
            holdout_labels=labels[True],
            labels_made=self.checkpoint.labels_made,
            failures=database.causes(),
            energy_mae_mev_per_atom=test["energy_mae_mev_per_atom"],
            force_mae_ev_per_angstrom=test["force_mae_ev_per_angstrom"],
            force_rmse_ev_per_angstrom=test["force_rmse_ev_per_angstrom"],
            stress_mae_gpa=test["stress_mae_gpa"],
            largest_grade=grade["test_largest"],
            lower_grade=grade["lower"],
            upper_grade=grade["upper"],
            coefficients=fit["coefficients"],
            md_steps=sum(run["steps"] for run in runs),
            md_planned_steps=self.config.exploration.steps * len(runs),
            md_stopped_by=dict(Counter(run["stopped_by"] for run in runs)),
            fraction_above=stopping.share_above([dict(run) for run in runs]),
            md_largest_grade=max((run["max_grade"] for run in runs), default=0.0),
            # of each trajectory or of none: the settings say what decides
            md_largest_spread_ev_per_angstrom=max((run[_SPREAD] for run in runs if _SPREAD in run), default=None),
            candidates=candidates,
            held=held_counts(database),
        )


def _validated(fit: Path) -> dict[str, Any]:
    """VALIDATE: the errors on the hold-out must be there and finite."""
    path = Path(fit) / "result.json"
    content = read_json(path)
    with as_written(path, "`train fit`"):
        content = dict(content)
    if content.get("status") != "finished":
        raise ScienceError(f"{fit}: training is {content.get('status')}: {content.get('message')}")
    check_figures(content, graded=True, where=str(fit))
    figures = [content["test"]["force_mae_ev_per_angstrom"], content["test"]["energy_mae_mev_per_atom"]]
    if any(value is None or not math.isfinite(value) for value in figures):
        raise ScienceError(f"{fit}: no finite error on the hold-out")
    return content


class _Explored(BaseModel):
    """What is read here of a trajectory's result."""

    steps: int
    stopped_by: str
    max_grade: float
    max_spread_ev_per_angstrom: float = 0.0


def _explored(path: Path) -> dict[str, Any]:
    content = read_json(path)
    with as_written(path, "`infer explore`"):
        _Explored.model_validate(content)
    return dict(content)


def _frames(folder: Path) -> list[Atoms]:
    path = Path(folder) / "frames.extxyz"
    return read_frames(path) if path.stat().st_size else []
