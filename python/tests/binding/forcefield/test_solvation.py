"""Boxes of water: neutral, salted, as dense as can be, and the same bytes for the same seed."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import solutes
from scipy.spatial.distance import cdist

from gibbsflow.binding.facts import TopologyFacts
from gibbsflow.binding.forcefield.solvation import LACKING, box_problems, edge_at_most, edge_round, force_field_doubts
from gibbsflow.binding.forcefield.topology import build_topologies
from gibbsflow.binding.forcefield.topology_file import Topology, is_periodic, masses_amu, molecules, residue_labels
from gibbsflow.binding.prepare.protein.cofactors import IONS
from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_systems import box_vectors_nm
from gibbsflow.errors import InputError

ACETATE = "CC(=O)[O-]"


@pytest.fixture(scope="module")
def acetate(tmp_path_factory):
    return solutes.parametrised(tmp_path_factory.mktemp("acetate"), ACETATE, solutes.settings())


def build(acetate, folder, seed=1, **md):
    small = {"solvent": "tip3p", "padding_angstrom": 7.0, "cutoff_angstrom": 7.0, "salt_mol_per_l": 0.5} | md
    return build_topologies(acetate, Md(**small), folder, seed=seed)


def topology(system):
    return Topology.read(system.path("solvent_prmtop"), system.path("solvent_inpcrd"))


def width_at_density(system):
    """Least width of a box in Å once TIP3P in it is at 0.985 g/mL, with an acetate."""
    box = box_vectors_nm(system.path("solvent_inpcrd")) * 10
    volume = system.facts(TopologyFacts).solvation["solvent"].waters * 30.4 + 70
    return np.diag(box).min() * (volume / np.linalg.det(box)) ** (1 / 3)


def test_box_is_neutral_salted_and_in_order(acetate, tmp_path):
    system = build(acetate, tmp_path)
    added, read, prmtop = (
        system.facts(TopologyFacts).solvation["solvent"],
        topology(system),
        system.path("solvent_prmtop"),
    )
    labels = residue_labels(prmtop)
    ions = added.cations + added.anions
    assert labels[0] == "LIG" and labels[1 + ions :] == ["WAT"] * added.waters
    assert sorted(labels[1 : 1 + ions]) == ["Cl-"] * added.anions + ["Na+"] * added.cations
    assert added.cations == added.anions + 1  # acetate
    assert abs(added.anions - 0.5 * (added.waters + ions) / 55.5) <= 0.5  # whole ions
    assert read.charges_e.sum() == pytest.approx(0, abs=1e-3)
    assert is_periodic(prmtop) and not is_periodic(system.path("ligand_prmtop"))
    sizes = np.bincount(molecules(prmtop))
    assert sizes[0] == 7 and list(sizes[1 : 1 + ions]) == [1] * ions
    assert masses_amu(prmtop)[-3:].sum() == pytest.approx(18.016, abs=0.01)


def test_ions_keep_their_distance_and_no_water_lies_on_another(acetate, tmp_path):
    system = build(acetate, tmp_path)
    added, read = system.facts(TopologyFacts).solvation["solvent"], topology(system)
    ions = read.positions_angstrom[7 : 7 + added.cations + added.anions]
    assert cdist(ions, read.positions_angstrom[:7]).min() >= 5
    between = cdist(ions, ions) + np.eye(len(ions)) * 99
    assert between.min() >= 5
    oxygens = read.positions_angstrom[read.elements == 8][2:]
    apart = (
        cdist(np.concatenate([ions, oxygens]), np.concatenate([ions, oxygens])) + np.eye(len(ions) + len(oxygens)) * 99
    )
    assert apart.min() > 2.2


def test_the_same_seed_gives_the_same_bytes_and_another_one_other_places(acetate, tmp_path):
    one, again, other = (build(acetate, tmp_path / str(k), seed) for k, seed in enumerate((1, 1, 2)))
    for role in ("solvent_prmtop", "solvent_inpcrd"):
        assert one.path(role).read_bytes() == again.path(role).read_bytes()
    assert one.path("solvent_prmtop").read_bytes() == other.path("solvent_prmtop").read_bytes()
    assert one.path("solvent_inpcrd").read_bytes() != other.path("solvent_inpcrd").read_bytes()


@pytest.mark.parametrize(("solvent", "sites"), [("spce", 3), ("opc", 4), ("tip4pew", 4)])
def test_water_models_have_their_sites(acetate, tmp_path, solvent, sites):
    system = build(acetate, tmp_path, solvent=solvent, salt_mol_per_l=0.0)
    added = system.facts(TopologyFacts).solvation["solvent"]
    assert (added.cations, added.anions) == (1, 0)
    assert len(topology(system).elements) == 7 + 1 + sites * added.waters


def test_a_rectangular_box_is_one(acetate, tmp_path):
    system = build(acetate, tmp_path, box_shape="box")
    vectors = box_vectors_nm(system.path("solvent_inpcrd"))
    assert np.count_nonzero(vectors) == 3
    assert system.facts(TopologyFacts).solvation["solvent"].box_angstrom[3:] == (90.0, 90.0, 90.0)


def test_a_box_that_is_too_small_for_the_cutoff_is_refused(acetate, tmp_path):
    with pytest.raises(InputError, match=r"a box of .* Å at its density, is too small for a cutoff of 14 Å"):
        build(acetate, tmp_path, cutoff_angstrom=14.0)


@pytest.mark.parametrize("shape", ["octahedron", "box"])
def test_the_padding_that_is_named_is_enough(acetate, tmp_path, shape):
    given = {"box_shape": shape, "cutoff_angstrom": 8.0}
    with pytest.raises(InputError) as error:
        build(acetate, tmp_path / "before", padding_angstrom=5.0, **given)
    padding = float(error.value.problems[0].right.split()[-1])
    system = build(acetate, tmp_path / "after", padding_angstrom=padding, **given)
    assert 1.02 < width_at_density(system) / (2 * 8.0) < 1.2


def test_what_is_foretold_of_a_box_holds(acetate, tmp_path):
    """No box that tleap makes is refused before it is made."""
    for k, settings in enumerate([{"padding_angstrom": 7.0}, {"padding_angstrom": 7.0, "box_shape": "box"}]):
        md = solutes.settings(**settings).md
        system = build(acetate, tmp_path / str(k), **settings)
        alone = Topology.read(system.path("ligand_prmtop"), system.path("ligand_inpcrd"))
        edge, width = edge_round(alone.positions_angstrom, alone.elements.tolist(), md), width_at_density(system)
        made = float(system.facts(TopologyFacts).solvation["solvent"].box_angstrom[0])
        assert -1.0 < edge - made < (1.0 if md.box_shape == "octahedron" else 2.0)
        for foretold in (edge, edge_at_most(4 * 1.4, md)):
            assert box_problems(foretold, md.model_copy(update={"cutoff_angstrom": width / 2}), "x") == []
        assert box_problems(edge, md.model_copy(update={"cutoff_angstrom": width / 2 + 2}), "x", likely=True)


def test_ions_that_find_no_room_are_refused(acetate, tmp_path):
    with pytest.raises(InputError, match="ions do not fit"):
        build(acetate, tmp_path, salt_mol_per_l=5.0)


def test_no_salt_without_a_receptor_unless_asked_for(acetate, tmp_path):
    added = build(acetate, tmp_path, salt_mol_per_l=None).facts(TopologyFacts).solvation["solvent"]
    assert (added.cations, added.anions) == (1, 0)


def nonbonded_types(water):
    """Types with Lennard-Jones parameters in the files that a water model's leaprc loads."""
    home = Path(sys.executable).parents[1] / "dat" / "leap"
    files = re.findall(r"^loadAmberParams (\S+)", (home / "cmd" / f"leaprc.water.{water}").read_text(), re.MULTILINE)
    texts = [(home / "parm" / name).read_text() for name in files]
    lines = [line for text in texts if "NONB" in text for line in text.split("NONB", 1)[1].split("\n")[1:]]
    return {line.split()[0] for line in lines if line.strip()}


@pytest.mark.parametrize("water", ["tip3p", "spce", "opc", "tip4pew"])
def test_ions_without_parameters_in_a_water_model_are_those_of_the_table(water):
    library = (Path(sys.executable).parents[1] / "dat" / "leap" / "lib" / "atomic_ions.lib").read_text()
    types = dict(re.findall(r'!entry\.([^.]+)\.unit\.atoms table[^\n]*\n "[^"]*" "([^"]*)"', library))
    known = nonbonded_types(water)
    assert {ion for ion in IONS if types[ion] not in known} == LACKING.get(water, frozenset())
    assert {"Na+", "Cl-"} <= known


def test_a_force_field_in_a_water_that_it_was_not_made_for_is_warned_of():
    def told(force_field, water, ions=()):
        account = force_field_doubts(force_field, ions, Md(solvent=water), where="x")
        return [doubt.weight for doubt in account.doubts]

    assert [told("ff14SB", water) for water in ("tip3p", "tip4pew", "spce", "opc")] == [[], [], [], ["warn"]]
    assert told("ff19SB", "opc") == [] and told("ff19SB", "tip3p") == ["warn"]
    assert told(None, "opc") == told("ff19SB", "obc2") == []
    assert told("ff14SB", "spce", ["ZN", "AG"]) == ["refuse"] and told("ff14SB", "tip3p", ["AG"]) == []


@pytest.mark.parametrize(
    ("smiles", "cations", "anions"),
    [("[O-]C(=O)CC(=O)[O-]", 2, 0), ("[NH3+]CC[NH3+]", 0, 2), ("[NH3+]CC(=O)[O-]", 0, 0)],
)
def test_any_charge_is_neutralised(tmp_path, smiles, cations, anions):
    """Two ions for two charges, none for a zwitterion; salt comes on top, in pairs."""
    ligand = solutes.parametrised(tmp_path / "ligand", smiles, solutes.settings())
    bare, salted = (
        build(ligand, tmp_path / str(salt), salt_mol_per_l=salt).facts(TopologyFacts).solvation["solvent"]
        for salt in (0.0, 0.3)
    )
    assert (bare.cations, bare.anions) == (cations, anions)
    pairs = round(0.3 * (bare.waters + cations + anions) / 55.5)
    assert (salted.cations, salted.anions) == (cations + pairs, anions + pairs) and pairs > 0
