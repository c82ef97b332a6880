from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from pair_crystals import SMALL, TOUCHING, fcc, touching
from stillinger_weber import SwPotential

from gibbsflow.config.potential_validation import RadialReference
from gibbsflow.potential.validate.ensembles.md_runs import MdRuns
from gibbsflow.potential.validate.ensembles.radial_distributions import (
    by_plan,
    by_runs,
    distance_between,
    radial_distribution,
    temperatures,
)
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import answered
from gibbsflow.workflow.state.segments import Stopper


def test_atoms_without_order_have_one_everywhere_and_a_crystal_its_shells() -> None:
    cell = np.array([[12.0, 0, 0], [3.0, 11.5, 0], [1.0, -2.0, 13.0]])
    rng = np.random.default_rng(4)
    mean = np.mean([radial_distribution(rng.uniform(size=(300, 3)) @ cell, cell) for _ in range(20)], axis=0)
    reach = int(np.isfinite(mean).sum()) * 0.05
    assert 5.0 < reach < 6.0 and mean[40:100] == pytest.approx(1.0, abs=0.12)
    atoms = fcc().conventional * (4, 4, 4)
    counts = radial_distribution(atoms.positions, atoms.cell.array)
    shells = 4 / 3 * np.pi * np.diff((0.05 * np.arange(161)) ** 3) * len(atoms) / atoms.get_volume()
    near = np.arange(160) * 0.05 < TOUCHING * 1.2
    assert (counts * shells)[near].sum() == pytest.approx(12)


def test_distance_between_distributions() -> None:
    radii = np.linspace(0.1, 6, 60)
    one = np.exp(-((radii - 2.5) ** 2)) + (radii > 3)
    assert distance_between(radii, one, radii, one) == 0
    assert distance_between(radii, 1.1 * one, radii, one) == pytest.approx(0.1)
    unknown = np.where(radii > 4, np.nan, one)
    assert distance_between(radii, unknown, radii, one) == 0
    assert np.isnan(distance_between(radii, one, radii + 7, one))


def test_a_short_md_of_whatever_answers() -> None:
    settings = SMALL.model_copy(update={"rdf_engine_steps": 80, "temperature_k": 200.0, "md_atoms_min": 30})
    found = answered(by_plan(fcc(), settings), touching)
    assert found.values["rdf_peak_200K"] == pytest.approx(TOUCHING, abs=0.06)
    (one,) = found.curves["distributions"]
    assert one["noise"] > 0 and one["temperature_k"] == 200.0


def test_md_of_silicon(tmp_path: Path) -> None:
    silicon = Crystal.of(bulk("Si", a=5.431), 0.01)
    settings = SMALL.model_copy(update={"sample_ps": 0.2, "sample_atoms_min": 64, "rdf_temperatures_k": (300.0,)})
    found = by_runs(silicon, settings, MdRuns(SwPotential(), "k", tmp_path, Stopper(), look_steps=10))
    assert found.values["rdf_peak_300K"] == pytest.approx(2.352, abs=0.03) and "64 atoms" in found.notes[0]


def test_temperatures_are_those_asked_for_and_of_references() -> None:
    radii = tuple(range(1, 21))
    one = RadialReference(temperature_k=500, radius_angstrom=radii, density=(1.0,) * 20, source="x")
    assert temperatures(SMALL) == (300.0,)
    assert temperatures(SMALL.model_copy(update={"rdf_references": (one,), "rdf_temperatures_k": (900.0,)})) == (
        500,
        900,
    )
    # quantities are named by whole kelvin: 499.8 K would take the place of 500 K
    near = SMALL.model_copy(update={"rdf_references": (one,), "rdf_temperatures_k": (499.8, 900.0)})
    assert temperatures(near) == (499.8, 900)
