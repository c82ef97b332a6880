"""The restraint of a bound complex: its kind, its atoms, its symmetry, and what is said of them."""

import math
import re
import shutil

import numpy as np
import pytest
from known_molecules import CB7
from openmm import app
from rdkit import Chem

from gibbsflow.binding.alchemy.prepare_fe import prepare_legs
from gibbsflow.binding.alchemy.protocols import protocol_of
from gibbsflow.binding.alchemy.restraint import holding
from gibbsflow.binding.alchemy.restraint.holding import (
    hold_ligand,
    motion_of_held,
    symmetry_kcal_per_mol,
    symmetry_problems,
)
from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint, CentreOfMassRestraint, FlatBottomRestraint
from gibbsflow.binding.equilibrate.anchoring.anchor_atoms import named_atoms
from gibbsflow.binding.facts import LegFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Fe, Md
from gibbsflow.errors import InputError
from gibbsflow.workflow.result import Result


@pytest.fixture
def system(chain):
    return SimSystem.read(chain / "analysis")


def notes(held, weight="note"):
    return " ".join(str(problem) for problem in held.account.of_weight(weight))


def test_kind_by_receptor_and_setting(system):
    assert isinstance(hold_ligand(system, Fe()).restraint, CentreOfMassRestraint)
    boresch = hold_ligand(system, Fe(restraint="boresch"))
    assert isinstance(boresch.restraint, BoreschRestraint) and "turns through all equivalent poses" in notes(boresch)
    protein = system.with_meta(receptor_kind="protein")
    assert isinstance(hold_ligand(protein, Fe()).restraint, BoreschRestraint)
    off_centre = system.with_meta(ligand_site_distance_angstrom=2.5)
    assert hold_ligand(off_centre, Fe()).restraint.r0_angstrom == 2.5


def test_auto_says_why_it_takes_no_anchors(system):
    bare = system.with_meta(
        anchors=None, anchor_candidates=None, anchors_problem="the ligand has 2 heavy atoms", receptor_kind="protein"
    )
    held = hold_ligand(bare, Fe())
    assert isinstance(held.restraint, CentreOfMassRestraint) and held.asked == "auto"
    assert "held by its centre of mass, since no anchors were found: the ligand has 2 heavy atoms" in notes(held)
    with pytest.raises(InputError, match="2 heavy atoms .*com or flat_bottom"):
        hold_ligand(bare, Fe(restraint="boresch"))


def test_flat_bottom_takes_its_radius_from_the_equilibration(system):
    seen = system.meta["ligand_site_largest_angstrom"]
    held = hold_ligand(system, Fe(restraint="flat_bottom"))
    assert isinstance(held.restraint, FlatBottomRestraint)
    assert held.restraint.radius_angstrom == pytest.approx(seen + 1, abs=1e-3)
    chosen = Fe(restraint="flat_bottom", flat_bottom_radius_angstrom=4.0)
    assert hold_ligand(system, chosen).restraint.radius_angstrom == 4.0
    narrow = hold_ligand(
        system.with_meta(ligand_site_largest_angstrom=3.0), Fe(restraint="flat_bottom", flat_bottom_radius_angstrom=2.0)
    )
    assert "3.00 Å from its site in the equilibration, beyond the radius of 2 Å" in notes(narrow)


def test_candidates_are_told_with_the_one_that_was_taken(system):
    told = hold_ligand(system, Fe(restraint="boresch")).told(298.15)
    first = told["candidates"][0]
    assert (
        1 <= len(told["candidates"]) <= 5 and told["anchors"] == ",".join(first["names"]) and len(first["names"]) == 6
    )
    assert first["score_kcal_per_mol"] == min(one["score_kcal_per_mol"] for one in told["candidates"])
    assert told["kind"] == "boresch" and first["why"] in told["why"]


def test_anchors_by_name(system):
    named = named_atoms(system)
    found = hold_ligand(system, Fe(restraint="boresch"))
    names = found.candidates[-1].names
    held = hold_ligand(system, Fe(boresch_atoms=", ".join(names)))  # auto takes Boresch where atoms are named
    given = held.restraint
    assert isinstance(given, BoreschRestraint) and "as given in boresch_atoms" in given.why
    assert [*given.receptor, *given.ligand] == [named.receptor[n] for n in names[:3]] + [
        named.ligand[n] for n in names[3:]
    ]
    assert given.r0_angstrom == pytest.approx(found.candidates[-1].r0_angstrom)
    assert held.candidates[1:] == found.candidates


def test_anchors_that_are_not_there_are_named_with_the_nearest(system):
    names = list(hold_ligand(system, Fe(restraint="boresch")).candidates[0].names)
    right = names[3]
    wrong = Fe(boresch_atoms=",".join([*names[:3], right + "9", *names[4:]]))
    with pytest.raises(InputError, match=f"the ligand has no heavy atom '{right}9'.*did you mean"):
        hold_ligand(system, wrong)


def test_anchors_in_a_line_are_refused(system):
    """A force constant so weak that kT bends the angles into a line."""
    with pytest.raises(InputError, match=r"are \d\.\d kT from a line .*10 kT at the least"):
        hold_ligand(system, Fe(restraint="boresch", boresch_k_angle_kcal_per_mol_rad2=2.0))


def test_three_anchors_of_one_molecule_in_a_line_are_refused_and_near_one_doubted(system, monkeypatch):
    """The angles P1-P2-P3 and L1-L2-L3 have no force of their own, and dihedrals over them."""
    fe = Fe(boresch_atoms=",".join(hold_ligand(system, Fe(restraint="boresch")).candidates[0].names))
    fine = np.full(3, 90.0)
    for bends in ((fine, np.full(3, 175.0)), (np.full(3, 4.0), fine)):
        monkeypatch.setattr(holding, "bends_deg", lambda *_, bends=bends: bends)
        with pytest.raises(InputError, match=r"lie in a line \((175|4) degrees\)"):
            hold_ligand(system, fe)
    monkeypatch.setattr(holding, "bends_deg", lambda *_: (fine, np.array([140.0, 155.0, 140.0])))
    assert "came near a line: 90 to 155 degrees" in notes(hold_ligand(system, fe), "warn")


def with_molecules(system, folder):
    """The same with the files of host and guest, as system_prep leaves them."""
    system = system.copy_to(folder)
    topology = app.AmberPrmtopFile(str(system.path("ligand_prmtop"))).topology
    guest = Chem.RWMol()
    for atom in topology.atoms():
        guest.AddAtom(Chem.Atom(atom.element.symbol))
    for a, b in topology.bonds():
        guest.AddBond(a.index, b.index, Chem.BondType.SINGLE)
    Chem.MolToMolFile(guest.GetMol(), str(folder / "ligand.sdf"))
    shutil.copyfile(CB7, folder / "receptor.sdf")
    return system.with_artifacts(ligand="ligand.sdf", receptor="receptor.sdf")


def test_symmetry_number(system, tmp_path):
    assert symmetry_kcal_per_mol(2, 298.15) == pytest.approx(-0.592485 * math.log(2), abs=1e-6)
    assert symmetry_kcal_per_mol(1, 298.15) == 0
    system = with_molecules(system, tmp_path)
    held = hold_ligand(system, Fe(restraint="boresch", symmetry_number=14))
    assert held.symmetry_number == 14 and "-kT ln(symmetry_number)" in notes(held)
    assert held.told(298.15)["symmetry_kcal_per_mol"] == pytest.approx(-1.5636, abs=1e-3)
    own = hold_ligand(system.with_meta(symmetry_number=2), Fe(restraint="boresch", symmetry_number=14))
    assert own.symmetry_number == 2  # of the samplesheet: it goes before the setting
    with pytest.raises(InputError, match="5, but ligand and receptor map onto themselves in 168 ways"):
        hold_ligand(system, Fe(restraint="boresch", symmetry_number=5))
    with pytest.raises(InputError, match="2, but a restraint of kind com holds no orientation"):
        hold_ligand(system, Fe(symmetry_number=2))


def test_equivalent_poses_that_were_not_seen_are_warned_of(system, tmp_path):
    """Of a guest that stays as it is in a host of fourteen turns; not where a number is given, be it 1, nor for com."""
    system = with_molecules(system, tmp_path)
    said = notes(hold_ligand(system, Fe(restraint="boresch")), "warn")
    seen, number = (int(found) for found in re.search(r"came to (\d+).*symmetry_number (\d+)", said).groups())
    assert "equivalent poses of the anchors" in said and seen * number <= 168 and 168 % number == 0 and number > 1
    assert f"lacks up to {symmetry_kcal_per_mol(number, 298.15):.2f} kcal/mol" in said
    for silent in (
        hold_ligand(system, Fe(restraint="boresch", symmetry_number=number)),
        hold_ligand(system.with_meta(symmetry_number=1), Fe(restraint="boresch")),
        hold_ligand(system, Fe()),
    ):
        assert "equivalent poses" not in notes(silent, "warn")


def test_anchors_from_few_frames_are_warned_of(system, monkeypatch):
    """Of two frames any set seems firm; not where a set is given, nor of enough frames, nor for com."""
    judged = len(holding._judged_frames(system))
    monkeypatch.setattr(holding, "FEW_FRAMES", judged + 1)
    held = hold_ligand(system, Fe(restraint="boresch"))
    assert f"equil_ps: anchors chosen by their fluctuation in {judged} frames alone" in notes(held, "warn")
    given = Fe(restraint="boresch", boresch_atoms=",".join(held.candidates[0].names))
    assert "frames alone" not in notes(hold_ligand(system, given), "warn")
    assert "frames alone" not in notes(hold_ligand(system, Fe()), "warn")
    monkeypatch.setattr(holding, "FEW_FRAMES", judged)
    assert "frames alone" not in notes(hold_ligand(system, Fe(restraint="boresch")), "warn")


def test_symmetry_where_nothing_is_restrained():
    (problem,) = symmetry_problems(3, None, (), where="fe")
    assert "nothing is restrained" in problem.what and symmetry_problems(1, None, (), where="fe") == []


def test_legs_keep_why(system, tmp_path):
    config = BindingConfig.from_params({"restraint": "boresch"})
    result = Result()
    prepared = prepare_legs(system, config, tmp_path / "out", result, protocol_of("abfe"))
    choice = prepared.facts(LegFacts).restraint_choice
    assert choice["candidates"] and choice["why"] == prepared.meta["restraint"]["why"]
    motion = motion_of_held(prepared)
    assert list(motion.curves) == ["r (Å)", "θA (°)", "θB (°)", "φA (°)", "φB (°)", "φC (°)"]
    for values, held in motion.curves.values():
        assert values.shape == motion.time_ps.shape and np.abs(values - held).max() < 60


def test_a_restraint_that_reaches_beyond_its_box_is_refused(system, tmp_path):
    """Half of a box of 24 Å is 12 Å: 8 Å and soft walls are more."""
    inside = system.copy_to(tmp_path)
    with np.load(inside.path("equil_frames")) as file:
        content = dict(file)
    content["box_nm"] = np.tile(np.eye(3) * 2.4, (len(content["heating"]), 1, 1))
    inside.path("equil_frames").unlink()
    np.savez(tmp_path / inside.artifacts["equil_frames"], **content)
    inside = inside.with_meta(md=Md(solvent="tip3p").model_dump(mode="json"))
    wide = {"restraint": "flat_bottom", "flat_bottom_radius_angstrom": 8.0}
    with pytest.raises(InputError, match=r"reaches 1\d\.\d Å, and half the box is 12\.0 Å"):
        hold_ligand(inside, Fe(**wide, flat_bottom_force_constant_kcal_per_mol_angstrom2=0.5))
    assert hold_ligand(inside, Fe(**wide)).restraint.radius_angstrom == 8.0
