from __future__ import annotations

from dataclasses import replace

from labelled_sets import bare_frame

from gibbsflow.potential.train.uncertainty.met_frames import FEWEST, met


def test_pairs_and_atoms_in_free_space_are_not_met_and_cells_of_two_atoms_are() -> None:
    molecules = [bare_frame("OH2") for _ in range(FEWEST - 1)]
    pair, atom, crystal = bare_frame("O2"), bare_frame("O"), bare_frame("MgO")
    cell = crystal.atoms.copy()
    cell.pbc = True
    crystal = replace(crystal, atoms=cell)
    assert met([pair, *molecules, crystal, atom]).tolist() == [False, *[True] * FEWEST, False]


def test_where_there_is_hardly_anything_else_pairs_count() -> None:
    frames = [bare_frame("N2") for _ in range(8)] + [bare_frame("OH2")]
    assert met(frames).all()
    assert met([]).tolist() == []
