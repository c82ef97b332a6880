"""A given box made longer for a copy of the ligand: its force field, what stays in place, and the ends of the leg."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import solvated_systems as boxes
from scipy.spatial.distance import cdist

from gibbsflow.binding.alchemy.periodic_states import periodic_alchemical_system
from gibbsflow.binding.forcefield.given.rebuilt.gathered import atoms_of, gathered
from gibbsflow.binding.forcefield.given.rebuilt.longer_box import longer_box, strange_molecules
from gibbsflow.binding.forcefield.given.rebuilt.places import nearest, with_images
from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_systems import create_system

MD = Md(solvent="tip3p", cutoff_angstrom=7, padding_angstrom=6)


@pytest.fixture(scope="module", params=["solvatebox", "solvateoct"])
def pair(request):
    given = boxes.parts(boxes.boxes("tip3p", "Na+ 2 Cl- 2", 8, request.param), "complex")
    return given, longer_box(given, MD, 7, where="x")


def test_the_solute_stays_and_the_copy_is_as_far_from_it_as_from_its_images(pair):
    given, made = pair
    parts, solute = made.parts, [*made.parts.receptor, *made.parts.ligand]
    old = given.positions_angstrom[[*given.receptor, *given.ligand]]
    step = parts.positions_angstrom[solute] - old
    np.testing.assert_allclose(step, step[[0]].repeat(len(step), axis=0), atol=1e-6)
    its_copy = list(made.remote.copy_atoms)
    assert its_copy == list(range(28, 34)) and parts.charges_e[its_copy] == pytest.approx(parts.charges_e[22:28])
    shrunk = parts.vectors_angstrom * given.filled
    images = with_images(parts.positions_angstrom[solute], shrunk)
    assert cdist(images, parts.positions_angstrom[its_copy]).min() >= 6.0 == made.remote.gap_angstrom
    centre = parts.positions_angstrom[list(made.remote.centre_atoms)].mean(axis=0)
    away = nearest(parts.positions_angstrom[its_copy].mean(axis=0) - centre, shrunk)
    assert np.linalg.norm(away) >= made.remote.least_angstrom
    if np.allclose(given.box_angstrom[3:], 90):
        across = np.argsort(parts.box_angstrom[:3])[:2]
        np.testing.assert_allclose(np.array(parts.box_angstrom)[across], np.array(given.box_angstrom)[across])


def test_ions_keep_their_number_and_concentration(pair):
    given, made = pair
    counts = {kind: len(found) for kind, found in made.parts.ions.items()}
    expected = 2 + made.pairs
    assert counts == dict.fromkeys(given.ions, expected)
    more = max(0.0, 2 * (len(made.parts.waters) / len(given.waters) - 1))
    assert made.pairs == pytest.approx(more, abs=0.6)
    assert made.parts.charges_e[28:34].sum() == pytest.approx(0, abs=1e-6)


def test_the_first_state_is_the_parent_without_the_copy(pair, tmp_path):
    """1e-6 relative, on one PME grid; what the copy has by itself is counted apart."""
    parts, its_copy = pair[1].parts, pair[1].remote.copy_atoms
    (tmp_path / "sdr.prmtop").write_text(parts.text)
    parent = create_system(tmp_path / "sdr.prmtop", MD)
    alchemical = periodic_alchemical_system(parent, parts.ligand, copy_atoms=its_copy)
    first = boxes.energies_of(alchemical, parts.positions_angstrom, parts.vectors_angstrom)
    order = [m for m in range(len(parts.sizes)) if m != int(parts.molecule_of(its_copy)[0])]
    bare = replace(
        parts, text=gathered(parts, order, 2), positions_angstrom=parts.positions_angstrom[atoms_of(parts, order)]
    )
    without = boxes.energies(bare.text, bare.positions_angstrom, bare.vectors_angstrom)
    alone = boxes.energies_of(
        _uncharged(create_system(_written(tmp_path / "alone.prmtop", gathered(parts, [order[1]], 1)), MD)),
        parts.positions_angstrom[list(its_copy)],
        parts.vectors_angstrom,
    )
    assert sum(first.values()) == pytest.approx(sum(without.values()) + sum(alone.values()), rel=1e-6)


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def _uncharged(system):
    for force in system.getForces():
        if force.getName() == "NonbondedForce":
            force.setUseDispersionCorrection(False)  # a copy that touches nothing has none
            for i in range(force.getNumParticles()):
                _, sigma, epsilon = force.getParticleParameters(i)
                force.setParticleParameters(i, 0.0, sigma, epsilon)
            for i in range(force.getNumExceptions()):
                a, b, _, sigma, epsilon = force.getExceptionParameters(i)
                force.setExceptionParameters(i, a, b, 0.0, sigma, epsilon)
    return system


def test_a_box_with_more_than_water_and_ions_is_refused():
    given = boxes.parts(boxes.boxes("tip3p", "Na+ 2 Cl- 2"), "complex")
    assert strange_molecules(given, where="x") == []
    (told,) = strange_molecules(replace(given, receptor=()), where="x")
    assert "1 molecules of others, such as ACE" in told.what and told.field == "abfe_protocol"
