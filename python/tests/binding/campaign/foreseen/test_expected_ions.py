"""Room for counter-ions in boxes that are built, foretold from the poses and held against boxes that were."""

from dataclasses import replace

import numpy as np
import pytest
import solutes
from known_molecules import CB7

from gibbsflow.binding.alchemy.protocols import protocol_of
from gibbsflow.binding.campaign.check import check_row
from gibbsflow.binding.campaign.foreseen.expected_ions import expected_ions
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.ligands import read_ligand
from gibbsflow.binding.prepare.molecules import read_sdf
from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.binding.prepare.receptors import Receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.errors import InputError

ROW = Row(2, "x", "ligand.sdf", None, None, "given", None, None)
PLACED = Row(2, "x", None, "C[NH3+]", None, "place", None, None)


def settings(padding_angstrom, **given):
    ions = {"mode": "abfe", "charge_correction": "counter_ion", "salt_mol_per_l": 0.0}
    return solutes.settings(**{**ions, "padding_angstrom": padding_angstrom} | given)


def told(row, ligand, geometry, receptor, config):
    protocol = protocol_of("abfe", explicit=True, fe=config.fe)
    return expected_ions(row, ligand, geometry, receptor, protocol, config, "l.csv")


@pytest.fixture(scope="module")
def stacked(tmp_path_factory):
    """Methylammonium over benzene, with force fields."""
    return solutes.stacked(tmp_path_factory.mktemp("stacked"), "c1ccccc1", "C[NH3+]", settings(8))


@pytest.mark.parametrize(("padding", "shape"), [(8, "octahedron"), (9, "octahedron"), (11, "octahedron"), (7, "box")])
def test_what_is_refused_has_no_room_when_it_is_built(stacked, tmp_path, padding, shape):
    """At 8 Å surely, at 9 Å likely (and so it is), at 11 Å there is room; the padding that is advised is enough."""
    config = settings(padding, box_shape=shape)
    ligand, receptor = read_sdf(stacked.path("ligand"), 1), read_receptor(stacked.path("receptor"), config.system)
    sure, likely = told(ROW, ligand, ligand, receptor, config)
    if padding == 11:
        assert (sure, likely) == ([], []) and solutes.in_water(stacked, config, tmp_path)
        return
    with pytest.raises(InputError, match="has no room for a counter-ion"):
        solutes.in_water(stacked, config, tmp_path)
    (problem,) = sure or likely
    assert problem.what.startswith("complex: the box ") and bool(sure) == (padding == 8)
    assert problem.field == "padding_angstrom" and ("of 11," in problem.right or shape == "box")


def test_a_ligand_whose_place_is_not_known_is_refused_in_no_box_that_could_do():
    """In CB7, and alone in a box of its own; without a charge, and without ions, nothing is said."""
    receptor = read_receptor(CB7, settings(5).system)
    ligand = read_ligand(PLACED)
    geometry = embed(ligand, count=1, seed=1)
    assert told(PLACED, ligand, geometry, receptor, settings(5))[0][0].what.startswith("complex: ")
    assert told(PLACED, ligand, geometry, receptor, settings(12)) == ([], [])
    assert told(PLACED, ligand, geometry, None, settings(5))[0][0].what.startswith("solvent: ")
    assert told(PLACED, ligand, geometry, receptor, settings(5, charge_correction="analytic")) == ([], [])
    neutral = read_ligand(replace(PLACED, smiles="CN"))
    assert told(PLACED, neutral, geometry, receptor, settings(5)) == ([], [])
    problems, _ = check_row(replace(PLACED, smiles="CCC[NH3+]"), receptor, settings(6), "l.csv")
    assert [p.field for p in problems] == ["padding_angstrom"] and "the box has no room" in problems[0].what


def test_of_a_protein_only_what_no_missing_atom_can_mend_is_refused():
    """A ball of 60 Å has none with 12 Å of water; of one of 25 Å it is likely."""
    ligand = embed(read_ligand(PLACED), count=1, seed=1)
    points = np.random.default_rng(1).normal(size=(3100, 3))
    ball = points / np.linalg.norm(points, axis=1)[:, None]
    for radius, refused in ((60, True), (25, False)):
        receptor = Receptor("p", "protein", None, ball * radius)
        sure, likely = told(ROW, ligand, ligand, receptor, settings(12))
        assert (len(sure), len(likely)) == ((1, 0) if refused else (0, 1))
        assert told(ROW, ligand, ligand, receptor, settings(40)) == ([], [])
