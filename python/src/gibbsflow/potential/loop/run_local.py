"""The learning loop on one machine: the pipeline's verbs in its order, each skipped where its result stands."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.config.section import read_section
from gibbsflow.engines.process import end_with_parent
from gibbsflow.errors import (
    EXIT_INPUT,
    EXIT_SCIENCE,
    EXIT_STOPPED,
    InputError,
    Problem,
    ScienceError,
    StateError,
    StoppedEarly,
)  # fmt: skip
from gibbsflow.potential.loop import preflight
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.manager import WorkflowManager
from gibbsflow.potential.loop.state import Phase
from gibbsflow.potential.train.fit import graded_trainer
from gibbsflow.workflow.care.campaign_note import todays_note
from gibbsflow.workflow.files import inputs_hash, read_json, sha256_file, sha256_path, write_json
from gibbsflow.workflow.folders.places import FITS
from gibbsflow.workflow.state.locks import folder_lock
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.state_folder import INPUTS

log = logging.getLogger(__name__)
_DONE = "command.json"
_STRUCTURE = "structure_file.json"
_SURROGATE = "surrogate_file.json"


@dataclass(frozen=True)
class Command:
    """One verb.

    Attributes
    ----------
    program, verb
        As on the command line.
    options
        In order; paths absolute.
    out
        Its ``--out``.
    inputs
        Files and folders that its result depends on.
    tolerate
        Whether exit code 70 is an outcome.
    """

    program: str
    verb: str
    options: tuple[str, ...]
    out: Path
    inputs: tuple[Path, ...]
    tolerate: bool = False


class LocalLoop:
    """Drives a `WorkflowManager` with commands of this machine.

    Parameters
    ----------
    source
        Settings as the user wrote them: structure files are found beside them.
    config
        The same, expanded.
    out
        Results: gets ``generation_NN/``.
    state
        State folder.
    """

    def __init__(self, source: Path, config: PotentialConfig, out: Path, state: Path) -> None:
        self.source, self.out, self.state = Path(source), Path(out).resolve(), Path(state).resolve()
        self.config = config
        self.settings = self.state / loop_state.CONFIG
        self.cores = config.resources.cores or len(os.sched_getaffinity(0))
        self.stopper = Stopper()

    def run(self, begin: Path | None = None) -> WorkflowManager:
        """Run until the manager says that it has stopped.

        Parameters
        ----------
        begin
            ``generation_NN/`` to go on from; default: from nothing.

        Returns
        -------
        WorkflowManager
            Of the last generation, for the report.

        Raises
        ------
        InputError
            Where settings, files or programs are not what a loop needs (:func:`.preflight.check`), or the results of a
            loop with other settings are in the way, before anything is made; or a verb was given something wrong.
        LockedError
            Where another process holds the state folder.
        MissingProgramError
            Where a program, or LAMMPS' package of the trainer, is not installed.
        ScienceError
            Where a verb failed.
        StateError
            Where the state folder belongs to other settings.
        StoppedEarly
            By a signal; the same call goes on.
        """
        graded_trainer(self.config.training)
        if begin is not None and not (Path(begin) / loop_state.CHECKPOINT).is_file():
            right = f"generation_NN/ of a loop's results, with {loop_state.CHECKPOINT}"
            raise InputError(Problem(str(begin), "no generation of a loop", right, field="--from"))
        if not self.settings.exists():  # else it was looked at when the state was begun
            if because := self.config.dft.engine_because:
                log.info("labels are made by %s: %s", self.config.dft.engine, because)
            for name, text in preflight.check(self.config, str(self.source)).items():
                log.info("%s: %s", name, text)
        with folder_lock(self.state), Stopper() as self.stopper:
            self._settle()
            self._refuse_results_of_another(begin)
            # where its generations lie, for who watches
            todays_note(self.state, mode="potential", outdir=self.out, param_cache=None).write(self.state)
            folder = self._begin(begin)
            while (manager := WorkflowManager(folder, self.config)).checkpoint.phase is not Phase.STOPPED:
                folder = self._generation(folder, manager.checkpoint.generation)
        return manager

    def _settle(self) -> None:
        """Hold the settings, and the structure file that they name, against those that the state was begun with."""
        file = self.config.target.structure_file
        source = self.source.parent / file if file is not None else None  # an absolute path stays as it is
        if source is not None and not source.is_file():
            raise InputError(Problem(str(source), "no such file", "the structure file that the settings name"))
        if file is not None and source is not None and not file.is_absolute():
            self.config = self.config.with_files(structure=Path(file.name))
        content = sha256_file(source) if source is not None else ""
        if self.settings.exists():
            changed = _changes(read_json(self.settings), self.config)
            if source is not None and content != self._structure_before(content):
                changed.append(f"target.structure_file: the content of {source} is another")
            if changed:
                raise StateError(
                    f"{self.settings}: the state was begun with other settings: {'; '.join(changed)}",
                    what_to_do="Give another --state; with --from generation_NN a loop goes on with other settings.",
                )
        if file is not None and source is not None:
            if not file.is_absolute() and source.resolve() != self.state / file.name:
                shutil.copyfile(source, self.state / file.name)
            write_json(self.state / _STRUCTURE, {"sha256": content})
        self._settle_surrogate()
        self.config.write(self.settings)

    def _refuse_results_of_another(self, begin: Path | None) -> None:
        """Leave the generations of a loop with other settings as they are, but for one that is gone on from."""
        if begin is not None and Path(begin).resolve().parent == self.out:
            return
        for path in sorted(self.out.glob(f"generation_[0-9]*/{loop_state.CONFIG}")):
            if changed := _changes(read_json(path), self.config):
                what = f"{path.parent.name} in it is of a loop with other settings: {'; '.join(changed[:3])}"
                right = "another folder, or that one moved away"
                raise InputError(Problem(str(self.out), what, right, field="--out"))

    def _settle_surrogate(self) -> None:
        """Hold what the surrogate is read from against what the state was begun with."""
        if (file := self._surrogate()) is None:
            return
        if not file.exists():
            raise InputError(Problem(str(file), "no such file", "what section surrogate of the settings names"))
        content, record = sha256_path(file), self.state / _SURROGATE
        if record.exists() and read_json(record) != {"sha256": content}:
            raise StateError(
                f"{file}: the content of the surrogate's file is another than when the state was begun",
                what_to_do="Give another --state; with --from generation_NN a loop goes on with another surrogate.",
            )
        write_json(record, {"sha256": content})

    def _surrogate(self) -> Path | None:
        file = self.config.surrogate.file
        return (self.source.parent / file).resolve() if file is not None else None

    def _structure_before(self, now: str) -> str:
        """Hash of the structure file that the state was begun with; of an earlier version's state its copy tells."""
        if (record := self.state / _STRUCTURE).exists():
            return str(read_json(record)["sha256"])
        copy = self.state / Path(self.config.target.structure_file or "").name
        return sha256_file(copy) if copy.is_file() else now

    def _begin(self, begin: Path | None) -> Path:
        start = self.state / "start"
        common = ("--config", str(self.settings))
        if begin is not None:
            self._run(
                [Command("infer", "start", (*common, "--from", str(Path(begin).resolve())), start, (Path(begin),))]
            )
            return self._screened(start, self.state / "screened")
        made = {kind: self.state / "structures" / kind for kind in ("training", "holdout")}
        self._run(
            [
                Command("system_prep", "structures", (*common, *(["--holdout"] if kind == "holdout" else [])), out, ())
                for kind, out in made.items()
            ]
        )
        options = (*common, "--structures", str(made["training"]), "--holdout", str(made["holdout"]))
        self._run([Command("infer", "start", options, start, tuple(made.values()))])
        return self._screened(start, self.state / "screened")

    def _screened(self, folder: Path, out: Path) -> Path:
        """The state after the surrogate's look at it; itself where none is asked."""
        if self.config.surrogate.model == "none":
            return folder
        options, inputs = ["--from", str(folder), "--state", str(self.state / "screening")], [folder]
        if (file := self._surrogate()) is not None:
            options += ["--surrogate", str(file)]
            inputs.append(file)
        self._run([Command("infer", "screen", tuple(options), out, tuple(inputs))])
        return out

    def _generation(self, folder: Path, number: int) -> Path:
        work = self.state / f"generation_{number:02d}"
        common = ("--config", str(self.settings))
        labels = [
            Command(
                "dft", "label", (*common, "--input", str(batch), "--state", str(self.state / "labels")),
                work / "labels" / batch.stem, (batch,), tolerate=True,
            )
            for batch in loop_state.batches(folder)
        ]  # fmt: skip
        self._run(labels)
        recorded = work / "recorded"
        given = [word for command in labels for word in ("--labels", str(command.out))]
        inputs = (folder, *(command.out / "labels.jsonl" for command in labels))
        self._run([Command("infer", "record", ("--from", str(folder), *given), recorded, inputs)])
        fit, fitting = (work / name for name in FITS)
        # not its --out, whose log would be set aside with state of other inputs; but what an earlier version has begun
        # there stays, for a finished loop would be fitted anew
        fitting = fit if (fit / INPUTS).exists() else fitting
        data = (recorded / loop_state.TRAIN, recorded / loop_state.HOLDOUT)
        options = (
            "--train", str(data[0]), "--test", str(data[1]), *common, "--seed", str(self.config.loop.seed),
            "--state", str(fitting),
        )  # fmt: skip
        self._run([Command("train", "fit", options, fit, data)])
        runs = [self._trajectory(start, fit, work) for start in loop_state.trajectories(recorded)]
        self._run(runs)
        validation = self._validation(fit, data[0], work)
        self._run(validation)
        published = self.out / f"generation_{number:02d}"
        decided = published if self.config.surrogate.model == "none" else work / "decided"
        explored = [word for command in runs for word in ("--explored", str(command.out))]
        inputs = (recorded, fit, *(command.out / "result.json" for command in (*runs, *validation)))
        given = ["--from", str(recorded), "--fit", str(fit), *explored]
        given += [word for command in validation for word in ("--validated", str(command.out))]
        self._run([Command("infer", "decide", tuple(given), decided, inputs)])
        return self._screened(decided, published)

    def _validation(self, fit: Path, train: Path, work: Path) -> list[Command]:
        """Properties of a potential whose validation decides; of the structure of least energy among its labels."""
        if self.config.convergence.validation == "none":
            return []
        potential = fit / loop_state.POTENTIAL
        options = (
            "--potential", str(potential), "--data", str(train), "--config", str(self.settings),
            "--state", str(self.state / loop_state.VALIDATION),
        )  # fmt: skip
        return [Command("train", "validate", options, work / "validated", (potential, train))]

    def _trajectory(self, start: Path, fit: Path, work: Path) -> Command:
        settings = start.with_suffix(".json")
        plan = read_json(settings)
        potential = fit / loop_state.POTENTIAL
        options = (
            "--config", str(settings), "--potential", str(potential), "--structure", str(start),
            "--seed", str(plan["seed"]), "--generation", str(plan["generation"] + 1),
            "--state", str(work / "md" / start.stem),
        )  # fmt: skip
        return Command("infer", "explore", options, work / "explored" / start.stem, (settings, start, potential))

    def _run(self, commands: Sequence[Command]) -> None:
        """Run commands side by side; those whose result stands are skipped."""
        with ThreadPoolExecutor(max(1, min(self.cores, len(commands)))) as pool:
            for _ in pool.map(self._one, commands):
                continue

    def _one(self, command: Command) -> None:
        inputs = inputs_hash(
            files={str(number): path for number, path in enumerate(command.inputs)},
            settings={"command": [command.program, command.verb, *command.options]},
            physics=1,
        )
        done = command.out / _DONE
        if done.exists() and read_json(done) == {"inputs_hash": inputs}:
            return
        self.stopper.check()
        log.info("%s %s: %s", command.program, command.verb, command.out.name)
        command.out.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-m", f"gibbsflow.cli.{command.program}", command.verb, *command.options]
        path = command.out / "command.log"
        with open(path, "w") as output:
            process = subprocess.Popen(
                [*words, "--out", str(command.out)],
                cwd=self.state,
                stdout=output,
                stderr=subprocess.STDOUT,
                # commands run side by side, a core each, as the launchers in bin/ have it
                env={"OMP_NUM_THREADS": "1", **os.environ},
                # where this process is killed, the verb saves its state and ends what it has started
                preexec_fn=partial(end_with_parent, signal.SIGTERM),
            )
            code = self._wait(process)
        self.stopper.check()
        if code and not (command.tolerate and code == EXIT_SCIENCE and (command.out / "labels.jsonl").exists()):
            _raise(command, code, path)
        write_json(done, {"inputs_hash": inputs})

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for a verb; a signal to this process is passed on once, so that the verb saves its state."""
        told = False
        while True:
            try:
                return process.wait(0.2)
            except subprocess.TimeoutExpired:
                if self.stopper.signal is not None and not told:
                    process.terminate()
                    told = True


def _changes(before: dict[str, Any], now: PotentialConfig) -> list[str]:
    """Name the keys that differ, of all that there are: files of settings leave some out that have their default.

    Not the remark why an engine was chosen, which may change while the engine stays; nor a criterion that there was not
    when the state was begun, for nothing that it holds depends on it.
    """
    configs = [read_section(PotentialConfig, before, where=loop_state.CONFIG), now]
    configs = [one.model_copy(update={"selection": one.selection.in_loop()}) for one in configs]
    old, new = (
        {(section, key): to_jsonable_python(value) for section, part in one for key, value in part} for one in configs
    )
    return [
        f"{section}.{key} was {old[section, key]!r} and is {value!r}"
        for (section, key), value in new.items()
        if value != old[section, key]
        and key != "engine_because"
        and not (section == "convergence" and key not in before.get(section, {}))
    ]


def _raise(command: Command, code: int, path: Path) -> None:
    """Pass a verb's failure on, in its own words and with its exit code."""
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("error:", "stopped:"))] or lines or ["no output"]
    message = f"{command.program} {command.verb} ended with code {code} (log: {path}): {telling[-1]}"
    if code == EXIT_INPUT:
        raise InputError(message)
    raise StoppedEarly(message) if code == EXIT_STOPPED else ScienceError(message)
