"""One trajectory from files to files: read and checked, run in its state folder, its frames written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ase import Atoms

from gibbsflow.config.potential import Labels
from gibbsflow.config.potential_training import Exploration
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.labels import bad_structure
from gibbsflow.potential.data.structures import read_frames, write_frames
from gibbsflow.potential.explore import md
from gibbsflow.potential.explore.calculator import read_graded
from gibbsflow.potential.explore.unknown.committee import Committee
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.sentinels import Sentinel
from gibbsflow.workflow.state.state_folder import StateFolder


@dataclass
class Exploring:
    """A trajectory that may start, or go on.

    Attributes
    ----------
    trajectory
        What runs.
    home
        Its state folder.
    settings
        All that its result depends on beside the files.
    account
        Of the structure file.
    """

    trajectory: md.Trajectory
    home: StateFolder
    settings: dict[str, Any]
    account: Account

    @classmethod
    def prepare(
        cls,
        structure: Path,
        potential: Path,
        settings: Exploration,
        state: Path,
        *,
        frame: int = 0,
        seed: int,
        generation: int,
        labels: Labels,
        stopper: Stopper,
    ) -> Exploring:
        """Read structure and potential, and refuse what MD cannot start from.

        Parameters
        ----------
        structure
            File of structures.
        potential
            Folder of a potential with a grade.
        settings
            Section ``exploration``.
        state
            State folder.
        frame
            Number of the frame, from 0; negative from the end.
        seed
            Of velocities and thermostat.
        generation
            Written into the frames.
        labels
            Section ``labels``: atoms nearer than it allows are no start.
        stopper
            Says when to stop; its context is the caller's.

        Returns
        -------
        Exploring
            Ready to run.

        Raises
        ------
        InputError
            For a structure or a potential that cannot be used.
        """
        fitted, grader = read_graded(potential)
        account = Account(str(structure))
        frames = read_frames(structure, account)
        account.settle()
        if not -len(frames) <= frame < len(frames):
            what = f"has {len(frames)} frames"
            raise InputError(Problem(str(structure), what, f"one of them, not {frame}", field="--frame"))
        start = frames[frame]
        settings = settings.of_symbols(start.get_chemical_symbols())
        check_start(start, fitted.species, settings, labels, where=str(structure), potential=potential)
        content = {**settings.model_dump(mode="json"), "seed": seed, "frame": frame, "generation": generation}
        files = {"potential": potential, "structure": structure}
        home = StateFolder(state, files=files, settings=content, physics=md.PHYSICS, stopper=stopper)
        committee = Committee.read(potential) if settings.uncertainty == "committee" else None
        trajectory = md.Trajectory(
            fitted, grader, start, settings, seed, generation, state, home.inputs_hash, committee
        )  # fmt: skip
        return cls(trajectory, home, content, account)

    def run(self, stopper: Stopper, out: Path) -> dict[str, Any]:
        """Run MD to its end, or go on, and write ``frames.extxyz``.

        Parameters
        ----------
        stopper
            As in :meth:`prepare`.
        out
            Gets the frames; perhaps an empty file.

        Returns
        -------
        dict
            Figures for ``result.json``.

        Raises
        ------
        StoppedEarly
            By time, number of segments or signal; state is saved.
        """
        with self.home:
            with self.trajectory.committee or nullcontext():
                trail = self.trajectory.run(stopper)
            write_frames(out / "frames.extxyz", self.trajectory.frames())
            told = {key: value for key, value in self.account.as_figures().items() if key != "account" and value}
            figures = md.figures(self.trajectory) | self.home.facts() | told
            done = Sentinel("FINISHED", self.home.inputs_hash, steps_done=trail.steps, settings=self.settings)
            done.write(self.trajectory.state)
        return figures


def check_start(
    atoms: Atoms, species: Sequence[str], settings: Exploration, labels: Labels, *, where: str, potential: Path
) -> None:
    """Refuse a structure that MD cannot start from.

    Parameters
    ----------
    atoms
        The structure.
    species
        Chemical symbols that the potential knows.
    settings
        Section ``exploration``.
    labels
        Section ``labels``: what would get no label is no start.
    where
        Where the structure came from, for messages.
    potential
        Folder of the potential, for messages.

    Raises
    ------
    InputError
        For positions or a cell that are not finite, a cell without volume, atoms on each other, an element that the
        potential does not know, a single atom, which has no temperature about its centre of mass, and a pressure on
        what is not periodic in all directions.
    """
    if fault := bad_structure(atoms, labels.closest_ratio):
        raise InputError(Problem(where, fault, "a structure that MD can start from"))
    if alien := sorted(set(atoms.get_chemical_symbols()) - set(species)):
        raise InputError(
            Problem(where, f"holds {', '.join(alien)}, unknown to {potential}", f"only {', '.join(species)}")
        )
    repeats = math.prod(settings.supercell) if atoms.pbc.any() else 1
    if len(atoms) * repeats < 2:
        right = "at least two, such as by exploration: {supercell: [3, 3, 3]}"
        raise InputError(Problem(where, f"holds {len(atoms)} atoms, too few for MD", right))
    if settings.ensemble == "npt" and not atoms.pbc.all():
        raise InputError(Problem(where, "is not periodic in all directions", "ensemble nvt", field="ensemble"))
