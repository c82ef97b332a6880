from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk
from pair_crystals import SMALL, TOUCHING, fcc, touching

from gibbsflow.config.potential import Dft
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.potential.validate.battery import Battery, Model
from gibbsflow.potential.validate.label_cells import cells_to_compare
from gibbsflow.potential.validate.subjects import Subject
from gibbsflow.potential.validate.validating import engine_cost, validate
from gibbsflow.workflow.state.segments import Stopper


class InTwoCells:
    """An engine whose energy an atom goes by the cell, as on meshes that are too coarse."""

    class engine:  # noqa: N801
        name, settings_hash, periodic = "dft", "dft-1", True

    def __init__(self, step_ev_per_atom: float) -> None:
        self.dft, self.step = Dft(kspacing_per_angstrom=0.5), step_ev_per_atom
        self.asked: list[int] = []

    def __call__(self, frames: list[Atoms]) -> list[Prediction]:
        self.asked += [len(frame) for frame in frames]
        found = touching(frames)
        steps = [self.step * len(frame) * (len(frame) > 1) for frame in frames]
        return [
            replace(one, energy_ev=one.energy_ev + step, stress_ev_per_angstrom3=one.stress_ev_per_angstrom3 - step)
            for one, step in zip(found, steps, strict=True)
        ]

    def take_doubts(self) -> tuple[str, ...]:
        return ()

    def seconds(self, _atoms: object) -> None:
        return None


@pytest.mark.parametrize("step_mev", [0.5, 12.0])
def test_an_engine_that_differs_from_itself_in_the_cell_of_labels_is_told(tmp_path: Path, step_mev: float) -> None:
    here = Subject(fcc(), None, "here", bulk("Cu", "fcc", a=TOUCHING * 2**0.5, cubic=True))
    own = Battery(here, ("Cu",), SMALL.model_copy(update={"properties": ("cell",)}), tmp_path, Stopper())
    engine = InTwoCells(step_mev / 1000)
    found = validate(own, Model("potential", "k" * 64, touching), engine=engine)  # type: ignore[arg-type]
    (said,) = [text for text in (*found.reasons, *found.notes) if "differs from itself" in text]
    assert f"dft{':' * (step_mev > 1)} differs from itself by {-step_mev:+.2f} meV/atom" in said
    assert f"a pressure of {-4 * step_mev * 0.16021766:+.2f} GPa" in said
    assert "this validation's cell of 1 (7×7×7 k points) and the labels' cell of 4 atoms (4×4×4)" in said
    assert (found.verdict, bool(found.reasons)) == (("WARN", True) if step_mev > 1 else ("PASS", False))
    assert engine.asked.count(4) == 1
    told = engine_cost(own, Model("potential", "k" * 64, touching), engine)  # type: ignore[arg-type]
    assert told["of"][-1] == {"property": "the cell of labels", "labels": 1, "atoms_least": 4, "atoms_most": 4}
    same = replace(own, subject=replace(here, labelled=here.atoms))
    assert not cells_to_compare(same.subject, engine)  # type: ignore[arg-type]
