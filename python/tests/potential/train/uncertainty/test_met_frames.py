from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from labelled_sets import bare_frame

from gibbsflow.potential.train.uncertainty.met_frames import FEWEST, calm, met


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


def test_molecules_with_large_forces_count_for_less_and_nothing_else_does() -> None:
    def forced(formula: str, size: float, periodic: bool = False):  # type: ignore[no-untyped-def]
        frame = bare_frame(formula)
        atoms = frame.atoms.copy()
        atoms.pbc = periodic
        return replace(frame, atoms=atoms, forces_ev_per_angstrom=np.full((len(atoms), 3), size))

    others = [forced("O2", 50.0), forced("OH2", 50.0, periodic=True)]
    # most of them relaxed: forces that are usual for the rest stay what they are
    frames = [*[forced("OH2", 1e-4) for _ in range(5)], *[forced("OH2", 1.0) for _ in range(5)], *others]
    assert calm(frames) == frames
    # nearly all relaxed: what heat gives a bond is not large
    frames = [*[forced("OH2", 1e-4) for _ in range(9)], forced("OH2", 0.9), forced("OH2", 9.0)]
    assert [frame.weights.force for frame in calm(frames)] == pytest.approx([1.0] * 10 + [0.01])
    frames = [*[forced("OH2", 1.0) for _ in range(9)], forced("OH2", 5.0), forced("OH2", 500.0), *others]
    weights = [(frame.weights.energy, frame.weights.force, frame.weights.stress) for frame in calm(frames)]
    assert weights[:9] + weights[11:] == [(1.0, 1.0, 1.0)] * 11
    assert weights[9] == pytest.approx((0.04, 0.04, 1.0))
    assert weights[10] == pytest.approx((0.01, 0.01, 1.0))
    assert calm(others) == others and calm([]) == []


def test_what_counts_for_less_already_is_not_lowered_twice() -> None:
    def forced(size: float, weight: float):  # type: ignore[no-untyped-def]
        frame = bare_frame("OH2")
        forces, weights = np.full((len(frame.atoms), 3), size), replace(frame.weights, energy=weight, force=weight)
        return replace(frame, forces_ev_per_angstrom=forces, weights=weights)

    usual = [forced(1.0, 1.0) for _ in range(19)]
    found = calm([*usual, forced(10.0, 0.02), forced(10.0, 0.005), forced(5.0, 3.0)])
    assert [frame.weights.force for frame in found[19:]] == pytest.approx([0.01, 0.005, 0.12])
    assert [frame.weights.energy for frame in found[19:]] == pytest.approx([0.01, 0.005, 0.12])
