"""A system that comes solvated, handed on as far as its topologies: with what changes far from the ligand."""

import numpy as np
import pytest
import solvated_systems as boxes

from gibbsflow.binding.alchemy.prepare_fe import _have_parts, _same_alchemical
from gibbsflow.binding.alchemy.protocols import protocol_of
from gibbsflow.binding.facts import ParamFacts, TopologyFacts
from gibbsflow.binding.forcefield.given import given_topologies as handed
from gibbsflow.binding.forcefield.given.solvated_system import take_solvated
from gibbsflow.binding.forcefield.topology_file import Topology, residue_labels
from gibbsflow.binding.solvated_facts import SolvatedFacts
from gibbsflow.config.binding import Fe, Md, Param
from gibbsflow.engines.openmm_engine import OPENMM

SMALL = Md(cutoff_angstrom=7, padding_angstrom=6)


@pytest.fixture(scope="module")
def neutral(tmp_path_factory):
    place = tmp_path_factory.mktemp("neutral")
    return take_solvated("moh", boxes.files(boxes.boxes()), None, None, place / "system")[0]


@pytest.fixture(scope="module")
def charged(tmp_path_factory):
    place = tmp_path_factory.mktemp("charged")
    folder = boxes.anion(boxes.boxes("tip3p", "Na+ 2 Cl- 2", 12), place / "given")
    return take_solvated("moh", boxes.files(folder), None, None, place / "system")[0]


def built(system, out, **fe):
    made = handed.topologies_of(system, handed.md_of(system, SMALL), out, seed=5, fe=Fe(**fe))
    atoms, protocol = made.facts(TopologyFacts), protocol_of("abfe", explicit=True, fe=Fe(**fe))
    _same_alchemical(made, protocol, atoms.md, OPENMM)
    _have_parts(made, protocol, system.meta["ligand_charge"])
    return made, atoms


def test_topologies_are_handed_on_byte_by_byte(neutral, tmp_path):
    kept, _ = handed.parameters_of(neutral, Param(), cache=tmp_path / "cache", out=tmp_path / "kept")
    assert kept.facts(ParamFacts).param.ligand_ff == "given" and handed.is_solvated(kept)
    made, atoms = built(kept, tmp_path / "built")
    assert atoms.md.solvent == "tip3p" and atoms.ligand_atoms == tuple(range(22, 28)) and atoms.remote is None
    assert atoms.parts("solvent_equil_frames", 10)["ligand"] == tuple(range(6))
    assert atoms.parts("equil_frames", 31)["environment"] == (28, 29, 30)
    assert atoms.solvation["complex"].waters == neutral.facts(SolvatedFacts).solvated["complex"].waters
    for role in ("complex", "solvent", "ligand"):
        for suffix in ("prmtop", "inpcrd"):
            given = neutral.path(f"given_{role}_{suffix}").read_bytes()
            assert made.path(f"{role}_{suffix}").read_bytes() == given
    _same_alchemical(made, protocol_of("asfe", explicit=True), atoms.md, OPENMM)


def test_counter_ions_are_ions_of_the_given_boxes(charged, tmp_path):
    made, atoms = built(charged, tmp_path / "a", charge_correction="counter_ion")
    again, _ = built(charged, tmp_path / "b", charge_correction="counter_ion")
    for role in ("complex", "solvent"):
        prmtop = made.path(f"{role}_prmtop")
        assert prmtop.read_bytes() == charged.path(f"given_{role}_prmtop").read_bytes()
        (ion,) = atoms.remote[role].ion_atoms
        read = Topology.read(prmtop, made.path(f"{role}_inpcrd"))
        assert residue_labels(prmtop)[read.residue_of[ion]] == "Na+" and read.charges_e[ion] == pytest.approx(1)
        centre = read.positions_angstrom[list(atoms.remote[role].centre_atoms)].mean(axis=0)
        assert np.linalg.norm(read.positions_angstrom[ion] - centre) >= atoms.remote[role].least_angstrom
        assert made.path(f"{role}_inpcrd").read_bytes() == again.path(f"{role}_inpcrd").read_bytes()
    assert any("1 Na+ of the box changes with the ligand" in note for note in made.account().as_dict()["notes"])


def test_sdr_makes_the_given_box_longer(charged, tmp_path):
    made, atoms = built(charged, tmp_path, abfe_protocol="sdr")
    first = Topology.read(made.path("complex_prmtop"), made.path("complex_inpcrd"))
    full = Topology.read(made.path("sdr_prmtop"), made.path("complex_inpcrd"))
    its_copy, ligand = list(atoms.remote["complex"].copy_atoms), list(atoms.ligand_atoms)
    assert first.charges_e.sum() == pytest.approx(0, abs=1e-6) and full.charges_e.sum() == pytest.approx(-1, abs=1e-6)
    np.testing.assert_allclose(full.charges_e[its_copy], full.charges_e[ligand])
    assert not first.charges_e[its_copy].any() and "solvent_prmtop" not in made.artifacts
    assert atoms.solvation["complex"].waters > charged.facts(SolvatedFacts).solvated["complex"].waters
    assert set(atoms.site_atoms) <= set(atoms.receptor_atoms) == set(range(22))


def test_analytic_changes_nothing(charged, tmp_path):
    made, atoms = built(charged, tmp_path, charge_correction="analytic")
    assert atoms.remote is None
    given = charged.path("given_complex_inpcrd").read_bytes()
    assert made.path("complex_inpcrd").read_bytes() == given
