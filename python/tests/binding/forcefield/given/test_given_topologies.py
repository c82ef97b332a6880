"""A system that comes solvated, handed on as far as its topologies: with what changes far from the ligand."""

import numpy as np
import pytest
import solvated_systems as boxes

from gibbsflow.binding.alchemy.finite_size.leg_correction import leg_correction
from gibbsflow.binding.alchemy.prepare_fe import _have_parts, _same_alchemical
from gibbsflow.binding.alchemy.protocols import protocol_of
from gibbsflow.binding.equilibrate.equilibration import equilibrate
from gibbsflow.binding.facts import ParamFacts, RunFacts, SettingsFacts, TopologyFacts
from gibbsflow.binding.forcefield.given import given_topologies as handed
from gibbsflow.binding.forcefield.given.solvated_system import take_solvated
from gibbsflow.binding.forcefield.topology_file import Topology, residue_labels
from gibbsflow.binding.solvated_facts import SolvatedFacts
from gibbsflow.config.binding import Equil, Fe, Md, Param
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.engines.openmm_systems import box_vectors_nm, read_positions_nm
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import read_arrays
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.segments import Stopper

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


def test_analytic_changes_nothing_and_is_that_of_the_given_box(charged, tmp_path):
    made, atoms = built(charged, tmp_path, charge_correction="analytic")
    assert atoms.remote is None
    given = charged.path("given_complex_inpcrd").read_bytes()
    assert made.path("complex_inpcrd").read_bytes() == given
    prmtop, inpcrd = made.path("solvent_prmtop"), made.path("solvent_inpcrd")
    frames, account = read_positions_nm(inpcrd)[None], Account("x")
    found = leg_correction(
        prmtop,
        OPENMM.nonbonded(OPENMM.system(prmtop, atoms.md)),
        ligand=atoms.parts("solvent_equil_frames", frames.shape[1])["ligand"],
        receptor=(),
        frames_nm=frames,
        boxes_nm=box_vectors_nm(inpcrd)[None],
        md=atoms.md,
        account=account,
    )
    # the lattice sum of a cube (within a percent for one that is not quite), k/2 ξ/L for one charge; docs/methods
    edge = float(np.prod(atoms.solvation["solvent"].box_angstrom[:3])) ** (1 / 3)
    assert (found.charges.ligand_e, found.charges.ions_e, account.as_dict()["warnings"]) == (-1, 1, [])
    assert found.terms.net == pytest.approx(332.0637 / 2 * 2.837297 / edge, rel=0.01)


@pytest.mark.slow
def test_the_longer_box_equilibrates_and_the_copy_stays_beyond_its_wall(charged, tmp_path):
    equil = Equil(minimise_steps=200, heat_ps=1, density_ps=2, equil_ps=1, equil_segment_ps=1)
    made, atoms = built(charged, tmp_path / "built", abfe_protocol="sdr")
    ready = made.with_facts(SettingsFacts(md=atoms.md, equil=equil, run=RunFacts(seed=1)))
    with Stopper() as stopper:
        done = equilibrate(ready, tmp_path / "state", tmp_path / "out", stopper, Result())
    frames = read_arrays(done.path("equil_frames"), "positions_nm", "box_nm")
    volumes = np.linalg.det(frames["box_nm"])
    first = np.prod(atoms.solvation["complex"].box_angstrom[:3]) / 1000
    assert 0.7 * first < volumes[-1] < 1.02 * first  # tleap's water is loose, and what was made of it
    wall = atoms.remote["complex"]
    for positions, box in zip(frames["positions_nm"], frames["box_nm"], strict=True):
        away = positions[list(wall.copy_atoms)].mean(axis=0) - positions[list(wall.centre_atoms)].mean(axis=0)
        away -= np.round(away / np.diag(box)) * np.diag(box)
        assert np.linalg.norm(away) * 10 > wall.least_angstrom - 1.5
