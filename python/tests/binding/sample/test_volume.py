"""Volume moves sample the ensemble of constant pressure."""

import numpy as np
import openmm
import pytest

from gibbsflow.binding.sample.volume import Barostat
from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_walkers import OpenMmWalker
from gibbsflow.units import KJ_PER_BAR_NM3, KJ_PER_KCAL, kt_kcal_per_mol

MD = Md(solvent="tip3p", platform="Reference")


def gas(molecules, atoms_each=1):
    system = openmm.System()
    for _ in range(molecules * atoms_each):
        system.addParticle(10.0)
    return system


def test_an_ideal_gas_has_its_volume_and_its_fluctuations():
    """<V> = (N + 1) kT/p and <V²> − <V>² = (N + 1) (kT/p)², exact for the measure V^N exp(−pV/kT)."""
    count, temperature_k, pressure_bar = 8, 298.15, 500.0
    kt_over_p = kt_kcal_per_mol(temperature_k) * KJ_PER_KCAL / (pressure_bar * KJ_PER_BAR_NM3)
    walker = OpenMmWalker(gas(count), MD, 1)
    random = np.random.default_rng(3)
    edge = ((count + 1) * kt_over_p) ** (1 / 3)
    walker.place(random.random((count, 3)) * edge, np.eye(3) * edge)
    barostat = Barostat(np.arange(count), temperature_k, pressure_bar, 3 * kt_over_p)
    volumes = []
    for _ in range(20_000):
        barostat.attempt(walker, random.random(2))
        volumes.append(np.linalg.det(walker.box_nm()))
    kept = np.array(volumes[500:])
    assert kept.mean() / kt_over_p == pytest.approx(count + 1, rel=0.05)
    assert kept.var() / kt_over_p**2 == pytest.approx(count + 1, rel=0.15)


def test_molecules_move_as_wholes_and_a_refused_move_leaves_all_as_it_was():
    walker = OpenMmWalker(gas(3, 2), MD, 1)
    start, box = np.random.default_rng(5).random((6, 3)) * 2, np.eye(3) * 2.0
    bond = start[1::2] - start[::2]
    molecules = np.repeat(np.arange(3), 2)
    walker.place(start, box)
    assert not Barostat(molecules, 298.15, 1e9).attempt(walker, (1.0, 0.999999))  # such a pressure lets nothing grow
    np.testing.assert_allclose(walker.positions_nm(), start, atol=1e-12)
    np.testing.assert_allclose(walker.box_nm(), box)
    assert Barostat(molecules, 298.15, 1.0, 4.0).attempt(walker, (0.9, 0.0))
    moved = walker.positions_nm()
    scale = walker.box_nm()[0, 0] / 2.0
    assert scale > 1.01
    np.testing.assert_allclose(moved[1::2] - moved[::2], bond, atol=1e-12)
    centres = lambda positions: positions.reshape(3, 2, 3).mean(axis=1)  # noqa: E731
    np.testing.assert_allclose(centres(moved), centres(start) * scale, atol=1e-12)


def test_a_membrane_changes_area_and_height_by_turns():
    start, box = np.random.default_rng(5).random((6, 3)) * 2, np.diag([2.0, 2.0, 3.0])
    walker, barostat = (
        OpenMmWalker(gas(3, 2), MD, 1),
        Barostat(np.repeat(np.arange(3), 2), 298.15, 1.0, 4.0, membrane=True),
    )
    assert barostat.draws == 3
    grown = []
    for kind in (0.2, 0.8):
        walker.place(start, box)
        assert barostat.attempt(walker, (0.9, 0.0, kind))
        grown.append(np.diag(walker.box_nm()) / np.diag(box))
        np.testing.assert_allclose(walker.positions_nm()[1::2] - walker.positions_nm()[::2], start[1::2] - start[::2])
    height, area = grown
    np.testing.assert_allclose(height, [1, 1, 1 + 0.8 * 4 / 12])
    np.testing.assert_allclose(area, [height[2] ** 0.5, height[2] ** 0.5, 1])


def test_the_area_of_an_ideal_gas_at_one_height_has_its_mean():
    """<V> = (N + 1) kT/p at each height, exact for the measure V^N exp(−pV/kT) dA."""
    count, temperature_k, pressure_bar = 8, 298.15, 500.0
    kt_over_p = kt_kcal_per_mol(temperature_k) * KJ_PER_KCAL / (pressure_bar * KJ_PER_BAR_NM3)
    walker, random = OpenMmWalker(gas(count), MD, 1), np.random.default_rng(3)
    edge = ((count + 1) * kt_over_p) ** (1 / 3)
    walker.place(random.random((count, 3)) * edge, np.eye(3) * edge)
    barostat = Barostat(np.arange(count), temperature_k, pressure_bar, 3 * kt_over_p, membrane=True)
    volumes = []
    for _ in range(20_000):
        barostat.attempt(walker, [*random.random(2), 0.9])  # the area alone
        volumes.append(np.linalg.det(walker.box_nm()))
    kept = np.array(volumes[500:])
    assert walker.box_nm()[2, 2] == pytest.approx(edge)
    assert kept.mean() / kt_over_p == pytest.approx(count + 1, rel=0.05)
