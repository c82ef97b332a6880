"""Plans answered by the engine that labels: through its queue, each label kept with its sentinel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.errors import ScienceError
from gibbsflow.potential.data.formats.mesh_cells import kept_mesh
from gibbsflow.potential.data.structures import structure_id, tag
from gibbsflow.potential.label.batch import Batch, LabelStore, label_batch
from gibbsflow.potential.label.engines import LabelEngine
from gibbsflow.potential.label.plane_waves import k_mesh, own_mesh
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.state.segments import Stopper

if TYPE_CHECKING:
    from ase import Atoms


@dataclass
class EngineLabels:
    """An engine that answers plans.

    Attributes
    ----------
    engine
        What makes labels.
    dft, labels
        Their settings.
    state
        State folder of its labels.
    logs
        Where inputs and outputs of failed labels are kept.
    workers, scheduler
        Where labels are made (:class:`.TaskQueue`).
    stopper
        Says when to stop.
    retry_failed
        Whether stored failures are tried again.
    made, reused
        Labels so far.
    programs
        Versions of programs.
    doubts
        What is to be known of the labels of the plan under way.
    """

    engine: LabelEngine
    dft: Dft
    labels: Labels
    state: Path
    logs: Path
    workers: int = 1
    scheduler: str | None = None
    stopper: Stopper | None = None
    retry_failed: bool = False
    made: int = 0
    reused: int = 0
    programs: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)

    def __call__(self, frames: list[Atoms]) -> list[Prediction]:
        """Label structures.

        Parameters
        ----------
        frames
            The structures.

        Returns
        -------
        list of Prediction
            In their order.

        Raises
        ------
        ScienceError
            Where one has no label.
        StoppedEarly
            After a signal: finished labels are kept.
        """
        self._look_at_meshes(frames)
        tagged = [tag(frame, "validation", generator="validate", seed=0, **kept_mesh(frame)) for frame in frames]
        batch = Batch(tagged)
        label_batch(
            batch, self.engine, self.labels, store=LabelStore(self.state, self.engine.settings_hash),
            workers=self.workers, scheduler=self.scheduler, logs=self.logs, stopper=self.stopper,
            retry_failed=self.retry_failed,
        )  # fmt: skip
        self.reused += batch.reused
        self.made += len(batch.results) - batch.reused
        self.programs |= batch.programs()
        found = []
        for frame in tagged:
            label = batch.results[structure_id(frame)]
            if label.status != "labelled" or label.energy_ev is None:
                raise ScienceError(f"label {label.gibbsflow_id} failed: {label.cause}: {label.message}")
            stress = label.stress_ev_per_angstrom3
            found.append(
                Prediction(
                    label.energy_ev,
                    np.array(label.forces_ev_per_angstrom),
                    np.array(stress) if stress is not None and frame.pbc.all() else None,
                )
            )
        return found

    def take_doubts(self) -> tuple[str, ...]:
        """Give what is to be known of the labels since the last call.

        Returns
        -------
        tuple of str
            In words.
        """
        told, self.doubts = tuple(dict.fromkeys(self.doubts)), []
        return told

    def seconds(self, atoms: Sequence[int]) -> float | None:
        """Estimate the time of labels from those that are kept.

        A label of plane waves takes atoms^3 a k point, of which there are as many fewer as the cell is larger: atoms^2.

        Parameters
        ----------
        atoms
            Numbers of atoms of the structures.

        Returns
        -------
        float or None
            Core seconds; None where no label of the same settings is kept.
        """
        cores = self.labels.ranks if self.dft.engine == "quantum_espresso" else 1
        rates = []
        for path in LabelStore(self.state, self.engine.settings_hash).folder.glob("*/label.json"):
            label = read_json(path)
            if label.get("status") == "labelled" and label.get("wall_s"):
                rates.append(cores * label["wall_s"] / len(label["forces_ev_per_angstrom"]) ** 2)
        return float(np.median(rates)) * sum(count**2 for count in atoms) if rates else None

    def _look_at_meshes(self, frames: Sequence[Atoms]) -> None:
        """Note where a cell keeps the mesh of the undeformed one, and by itself would have a larger one."""
        if not self.engine.periodic:
            return
        spacing = self.dft.kspacing_per_angstrom
        for frame in frames:
            kept, own = k_mesh(frame, spacing), own_mesh(frame, spacing)
            if any(few < many for few, many in zip(kept, own, strict=True)):
                each = " and not the ".join("×".join(map(str, mesh)) for mesh in (kept, own))
                self.doubts.append(f"cells of {len(frame)} atoms keep {each} k points that some have by themselves")
