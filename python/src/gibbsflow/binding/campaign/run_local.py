"""A campaign without Nextflow: the phases of the pipeline by the same verbs, item after item, in one process."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from gibbsflow.binding.analyse.enough.rounds import KEY as SAMPLING
from gibbsflow.binding.analyse.enough.rounds import MOST_ROUNDS
from gibbsflow.binding.analyse.transformation import FILE_NAME as RECORD
from gibbsflow.binding.campaign import phases
from gibbsflow.binding.campaign.check import ALONE, CampaignCheck, check_campaign, made_from
from gibbsflow.binding.campaign.edges import EDGES, PlannedEdge
from gibbsflow.binding.campaign.pipeline import Pipeline
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig, Launch
from gibbsflow.config.launch.samplesheet_columns import SOLVATED, brings_receptors
from gibbsflow.config.modes import MODES
from gibbsflow.engines.openmm_systems import platform_notes
from gibbsflow.errors import EXIT_DONE, EXIT_INPUT, EXIT_SCIENCE, EXIT_STOPPED, InputError, Problem
from gibbsflow.workflow.care.start.state_of_results import state_doubts
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.folders import published
from gibbsflow.workflow.folders.places import place_problems
from gibbsflow.workflow.progress import tell
from gibbsflow.workflow.result import FILE_NAME as RESULT

log = logging.getLogger(__name__)
Verb = Callable[..., int]
"""A verb of the command line as a function: its options in, its exit code out."""
PILOT = "pilot"
"""Name of a pilot's folders in results and state."""
Folders = dict[str, Path]
"""Folder of the phase before, by ligand; what was dropped is not in it."""


class _RunEnded(Exception):  # noqa: N818 - ends the phases with an exit code
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class LocalRun:
    """A campaign as Nextflow lays it out: the same folders, the same state, the same failure policy.

    Attributes
    ----------
    launch
        All settings.
    rows
        Rows of the samplesheet.
    verbs
        Verbs by ``program verb``, with the options' names as parameters.
    """

    launch: Launch
    rows: Sequence[Row]
    verbs: Mapping[str, Verb]

    @property
    def out(self) -> Path:
        """Folder of the results.

        Returns
        -------
        Path
            Absolute.
        """
        return self.launch.io.outdir.absolute()

    @property
    def state(self) -> Path:
        """State folder of the campaign.

        Returns
        -------
        Path
            Absolute.
        """
        return state_folder(self.launch)

    @property
    def config(self) -> Path:
        """The settings, as the verbs read them.

        Returns
        -------
        Path
            File in the folder of the results, written by :meth:`run`.
        """
        return self.out / "pipeline_info" / "settings.json"

    @property
    def pipeline(self) -> Pipeline:
        """Phases of the campaign's mode.

        Returns
        -------
        Pipeline
            In their order.
        """
        return phases.PIPELINES[self.launch.run.mode]

    def run(self) -> int:
        """Run all phases, then write table and report, whatever became of the items.

        Returns
        -------
        int
            Exit code: 0, that of the verb that failed under ``raise``, or 75 where it was stopped.
        """
        if problems := state_doubts(self.out, self.state)[0]:  # looked at before: another run may have begun since
            raise InputError(problems)
        for note in published.set_aside(self.out, made_from_launch(self.launch, self.rows)):
            log.info("%s", note)
        write_json(self.config, self.launch.model_dump(mode="json", exclude={"io"}))
        try:
            outcomes = self.pipeline.run(self.runners(), None)
            records: Folders = outcomes[list(self.pipeline)[-1].name]
            if (self.out / "network" / "plan").is_dir():
                records |= self._made_up_for(outcomes[phases.EQUIL_ANALYSIS], records)
        except _RunEnded as end:
            return end.code
        given = {"samplesheet": self.launch.io.input, "records": list(records.values()), "state": self.state}
        plans = [self.out / "network" / name for name in ("replan", "plan")]
        given["network"] = next((path for path in plans if path.is_dir()), None)  # the later one has all edges
        return self.verbs[phases.CAMPAIGN_VERB](**given, config=self.config, out=self.out)

    def outcome(self) -> tuple[str, str]:
        """Say what came of a run that has kept to its failure policy, as the table's verb has noted it.

        Returns
        -------
        cause : str
            Why it is no success though nothing ended it; empty where an item has finished.
        text : str
            One line.
        """
        told = read_json(self.out / RESULT)
        text = f"report: {self.out / 'report.html'}"
        return told["cause"], text if not told["cause"] else f"{text}\n{told['message']}"

    def runners(self) -> dict[str, Callable[[Any], Folders]]:
        """What carries out each phase.

        Returns
        -------
        dict
            Functions by the name of the phase, for the phases of all modes; each takes the folders of the phase before
            and returns its own.
        """
        cache = self.launch.io.param_cache or self.state.parent / "param_cache"
        config = {"config": self.config}
        options: dict[str, dict[str, Path]] = {
            phases.PARAM_LIGANDS: config | {"cache": cache.absolute()},
            phases.PREPARE_EQUIL: config,
            phases.EQUIL: {},
            phases.EQUIL_ANALYSIS: {},
            phases.PREPARE_FE: config,
        }
        own: dict[str, Callable[[Any], Folders]] = {}
        if phases.PLAN_NETWORK in [step.name for step in self.pipeline]:
            own = {phases.PLAN_NETWORK: self._plan, phases.PREPARE_FE: self._prepare_edges}
        return {
            phases.SYSTEM_PREP: self._system_prep,
            **{phase: partial(self._each, phase, given) for phase, given in options.items()},
            phases.FE: self._sample,
            phases.ANALYSIS: self._analyse,
            **own,
        }

    def _each(self, phase: str, options: Mapping[str, Any], systems: Folders) -> Folders:
        """Carry out one phase for every item that is left; returns those that came through."""
        done = {}
        for name, system in systems.items():
            out = self._folder(name, phase)
            if self._carry_out(phase, name, system=system, out=out, state=self._state(name, phase), **options):
                done[name] = out
        return done

    def _system_prep(self, _: object) -> Folders:
        done = {}
        for row in self.rows:
            out, state = self._folder(row.ligand, phases.SYSTEM_PREP), self._state(row.ligand, phases.SYSTEM_PREP)
            source: dict[str, Any] = {"structure": Path(row.structure)} if row.structure else {"smiles": row.smiles}
            source |= {
                "receptor": self.launch.io.receptor,
                "ligand": row.ligand,
                "charge": row.charge,
                "pose": row.pose,
                "aligned_to": row.aligned_to,
            }
            if row.solvated:
                boxes = {key: getattr(row, key) for key in (*SOLVATED, "complex_includes", "solvent_includes")}
                source = {key: _paths(value) for key, value in boxes.items() if value}
                source |= {"ligand": row.ligand, "ligand_residue": row.ligand_residue}
            source["symmetry_number"] = row.symmetry_number
            target = {"out": out, "state": state, "config": self.config}
            if self._carry_out(phases.SYSTEM_PREP, row.ligand, **source, **target):
                done[row.ligand] = out
        return done

    def _sample(self, prepared: Folders) -> Folders:
        """Sample all legs and replicates; an item with none of them is dropped, the analysis judges the others."""
        done = {}
        for name, system in prepared.items():
            for leg in self._legs(name, system):
                for replicate in range(self.launch.run.replicates):
                    out = self._folder(name, phases.FE) / f"{leg.name}_replicate_{replicate}"
                    state = self._state(name, leg.name) / f"replicate_{replicate}"
                    options = {"leg": leg, "replicate": replicate, "state": state, "out": out}
                    if self._carry_out(phases.FE, f"{name} {out.name}", **options):
                        done[name] = system
        return done

    def _legs(self, name: str, system: Path) -> list[Path]:
        """Folders of the legs to be sampled; where windows place themselves, those that pilots leave."""
        given = sorted((system / "legs").iterdir())
        if self.launch.fe.schedule != "auto":
            return given
        placed = []
        for leg in given:
            out, state = self._folder(name, PILOT) / leg.name, self._state(name, leg.name) / PILOT
            options = {"leg": leg, "state": state, "out": out}
            if self._carry_out_verb(phases.PILOT_VERB, f"{PILOT} {name} {leg.name}", options):
                placed.append(out)
        return placed

    def _analyse(self, prepared: Folders) -> Folders:
        done = {}
        for name, system in prepared.items():
            out, state = self._folder(name, phases.ANALYSIS), self._state(name, phases.ANALYSIS)
            # where a leg has finished it has left its leg.json
            runs = sorted(path.parent for path in self._folder(name, phases.FE).glob("*/leg.json"))
            options = {"system": system, "runs": runs, "out": out, "state": state, "config": self.config}
            if self._carry_out(phases.ANALYSIS, name, **options):
                done[name] = self._extend(name, system, runs, out)
        return done

    def _extend(self, name: str, system: Path, runs: Sequence[Path], record: Path) -> Path:
        """Sample legs longer, round by round, as each record asks for; returns the last record that came about."""
        if self.launch.analysis.target_error_kcal_per_mol is None:
            return record
        places = self._folder(name, PILOT) if self.launch.fe.schedule == "auto" else system / "legs"
        for number in range(1, MOST_ROUNDS + 1):
            asked = read_json(record / RECORD).get(SAMPLING, {}).get("next_window_ps", {})
            if not asked:
                break
            home, longer = self.out / "phases" / name / f"extension_{number}", []
            for run in runs:
                leg, _, replicate = run.name.rpartition("_replicate_")
                if leg in asked:
                    out, state = home / run.name, self._state(name, leg) / f"replicate_{replicate}"
                    options = {"leg": places / leg, "replicate": int(replicate), "window_ps": asked[leg]}
                    options |= {"state": state, "out": out}
                    if self._carry_out(phases.EXTENSION, f"{name} {run.name}", **options):
                        longer.append(out)
            if not longer:
                break
            runs = [next((out for out in longer if out.name == run.name), run) for run in runs]
            given: dict[str, Any] = {"system": system, "runs": runs, "before": record, "config": self.config}
            given |= {"out": home / phases.ANALYSIS, "state": self._state(name, phases.ANALYSIS)}
            if not self._carry_out(phases.ANALYSIS, name, **given):
                break
            record = home / phases.ANALYSIS
        return record

    def _plan(self, systems: Folders, name: str = "plan", **options: Any) -> Folders:
        """Plan the network; returns the folders of the edges that are to be run."""
        if name == "plan":
            shutil.rmtree(self.out / "network", ignore_errors=True)  # of an earlier run; the state remembers its edges
        out, state = self.out / "network" / name, self._state("network", name)
        given = {"systems": list(systems.values()), "config": self.config, "out": out, "state": state}
        done = self._carry_out(phases.PLAN_NETWORK, name, **given, **options)
        return {path.name: path for path in sorted((out / EDGES).glob("*"))} if done else {}

    def _prepare_edges(self, edges: Folders) -> Folders:
        done = {}
        for name, edge in edges.items():
            planned = PlannedEdge.read(edge)
            out, state = self._folder(name, phases.PREPARE_FE), self._state(name, phases.PREPARE_FE)
            system, partner = (
                self._folder(ligand, phases.EQUIL_ANALYSIS) for ligand in (planned.ligand_a, planned.ligand_b)
            )
            options = {"system": system, "partner": partner, "edge": edge, "out": out, "state": state}
            if self._carry_out(phases.PREPARE_FE, name, **options, config=self.config):
                done[name] = out
        return done

    def _made_up_for(self, systems: Folders, records: Folders) -> Folders:
        """Run edges in the place of those that were lost, once; returns their records."""
        edges = self._plan(systems, "replan", before=self.out / "network" / "plan", records=list(records.values()))
        return self._analyse(self._sample(self._prepare_edges(edges)))

    def _carry_out(self, phase: str, item: str, **options: Any) -> bool:
        """Carry out a phase's verb for one item under the failure policy; False where the item is dropped."""
        name = phases.EXTEND_VERB if phase == phases.EXTENSION else self.pipeline[phase].verb
        return self._carry_out_verb(name, f"{phase} {item}", options)

    def _carry_out_verb(self, name: str, what: str, options: Mapping[str, Any]) -> bool:
        verb = self.verbs[name]
        policy = self.launch.run.on_failure
        for _ in range(2 if policy == "retry" else 1):
            start = time.monotonic()
            code = verb(**options)
            outcome = {EXIT_DONE: "finished", EXIT_STOPPED: "stopped, its state is saved"}.get(
                code, f"failed, exit {code}"
            )
            tell(f"{what}: {outcome} after {time.monotonic() - start:.1f} s")
            if code == EXIT_DONE:
                return True
            if code not in (EXIT_INPUT, EXIT_SCIENCE) or policy == "raise":
                raise _RunEnded(code)  # stopped, no disk, no program: not of the item's doing
            if code == EXIT_INPUT:
                return False  # wrong it will stay
        return False

    @property
    def system_state(self) -> Path:
        """Folder of the receptor in the campaign's state.

        Returns
        -------
        Path
            Absolute.
        """
        receptor = self.launch.io.receptor
        return self.state / (receptor.stem if receptor else ALONE)

    def _folder(self, name: str, phase: str) -> Path:
        return self.out / "phases" / name / phase

    def _state(self, name: str, part: str) -> Path:
        return self.system_state / name / part


def _paths(value: str | tuple[str, ...]) -> Path | list[Path]:
    return Path(value) if isinstance(value, str) else [Path(name) for name in value]


def state_folder(launch: Launch) -> Path:
    """Say where the state of a campaign lies.

    Parameters
    ----------
    launch
        All settings.

    Returns
    -------
    Path
        Absolute.
    """
    io = launch.io
    return (io.state_dir or Path("state")).absolute() / (io.campaign or io.outdir.absolute().name)


def made_from_launch(launch: Launch, rows: Sequence[Row]) -> published.MadeFrom:
    """Tell what the results of a campaign are made from.

    Parameters
    ----------
    launch
        All settings, with samplesheet and receptor in section ``io``.
    rows
        The ligands.

    Returns
    -------
    MadeFrom
        With all files as they are now.
    """
    io = launch.io
    assert io.input is not None  # looked at by `checked`
    settings = BindingConfig.from_mapping(launch.model_dump(mode="json", exclude={"io"}), where="io")
    state = state_folder(launch)
    return replace(made_from(rows, io.input, io.receptor, settings, state.name), state=str(state))


def checked(launch: Launch, *, dry_run: bool = False) -> CampaignCheck:
    """Check all that comes in, as the pipeline does before its first task, and read the samplesheet.

    Parameters
    ----------
    launch
        All settings, with samplesheet and receptor in section ``io``.
    dry_run
        Whether nothing will be computed here: a GPU that this machine lacks is then only warned of.

    Returns
    -------
    CampaignCheck
        The ligands, and those that the failure policy leaves out; what is worth knowing of them is logged.

    Raises
    ------
    InputError
        With all problems at once.
    MachineError
        Where this machine lacks the GPU that MD is told to use.
    """
    io = launch.io
    wanted = {"input": "the samplesheet (CSV)", "receptor": "a host (SDF, MOL2) or protein (PDB, mmCIF)"}
    needed = [key for key in MODES[launch.run.mode].needs if not getattr(io, key)]
    if needed == ["receptor"] and io.input is not None and brings_receptors(io.input):
        needed = []
    if io.input is None or needed:
        raise InputError([Problem("io", "missing", wanted[key], field=key) for key in needed])
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "settings.json"
        write_json(settings, launch.model_dump(mode="json", exclude={"io"}))
        found = check_campaign(
            io.input, io.receptor, settings, io.outdir, on_failure=launch.run.on_failure, called="settings"
        )
    for loss in found.losses:
        log.warning("%s", loss)
    for told in found.warnings:
        log.info("%s", told)
    problems = [*place_problems(io.outdir, state=state_folder(launch), cache=io.param_cache), *found.problems]
    doubts: list[str] = []
    if not problems:
        problems += published.other_campaign(io.outdir, made_from_launch(launch, found.rows))
    if not problems:
        problems, doubts = state_doubts(io.outdir, state_folder(launch))
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    for doubt in doubts:
        log.warning("%s", doubt)
    if launch.md.platform not in ("CPU", "Reference"):
        for note in platform_notes(launch.md.platform, dry_run=dry_run):
            log.warning("%s", note)
    return found
