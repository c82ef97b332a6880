"""Isomers and distances after minimisation and MD, against what came in."""

import json
from pathlib import Path

import host_guest as hg
import numpy as np
import pytest
from known_molecules import B2, CB7
from rdkit import Chem
from scipy.spatial.transform import Rotation
from still_engine import Still

from gibbsflow.binding.equilibrate import departure
from gibbsflow.binding.equilibrate.departure import Departure, IsomerError
from gibbsflow.binding.equilibrate.equilibration import equilibrate
from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.segments import Stopper


def posed(smiles: str, seed: int = 1, kind: str = "host", pose: str = "given") -> Departure:
    """A molecule beside four atoms of a receptor; what a topology's files would say is given."""
    mol = embed(molecules.from_smiles(smiles), count=1, seed=seed).mol
    count = mol.GetNumAtoms()
    meta = {"receptor_kind": kind, "receptor_charge": 0, "receptor_name": "r", "ligand_charge": 0, "site": None,
            "ligand_smiles": smiles, "pose": pose}  # fmt: skip
    made = Departure(SimSystem("x", Path(), {}, meta))
    xyz = np.asarray(mol.GetConformer().GetPositions())
    # four atoms of a receptor that does not move
    fixed = np.array([[9.0, 0, 0], [0, 9.0, 0], [0, 0, 9.0], [9.0, 9.0, 9.0]])
    given = {
        "start_angstrom": np.vstack([xyz, fixed]),
        "molecules": {"ligand": (mol, list(range(count)))},
        "heavy": {
            "ligand": [a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1],
            "receptor": list(range(count, count + 4)),
            "site": list(range(count, count + 4)),
        },
        "_centres": {},
        "_peptides": {},
    }
    made.__dict__.update(given)
    return made


def ligand_moved(made: Departure, change) -> np.ndarray:
    xyz = made.start_angstrom.copy()
    xyz[:-4] = change(xyz[:-4])
    return xyz


def mirrored(xyz):
    return xyz * [-1, 1, 1]


@pytest.mark.parametrize(
    ("smiles", "told"),
    [
        ("C[C@H](O)CC", ["centre C2 of the ligand"]),
        ("C[S@](=O)CC", ["centre S2 of the ligand"]),
        (r"C/C=C\\CO", []),
        ("CC(=O)NC", []),
    ],
)
def test_a_mirror_image_is_another_isomer_where_it_is(smiles, told):
    made = posed(smiles.replace("\\\\", "\\"))
    assert made.other_isomers(made.start_angstrom) == ([], [])
    other = ligand_moved(made, mirrored)
    assert made.other_isomers(other) == (told, [])
    if told:
        with pytest.raises(IsomerError, match="x: after minimisation it is another stereoisomer at " + told[0]):
            made.require_same_isomers(other, "after minimisation")


def test_a_double_bond_that_turned_is_refused():
    made, other = posed(r"C/C=C\CO"), posed(r"C/C=C/CO")
    with pytest.raises(IsomerError, match="double bond C2=C3 of the ligand"):
        made.require_same_isomers(other.start_angstrom, "after 2 ps")


@pytest.mark.parametrize(
    ("smiles", "axis"), [("Cc1cccc(F)c1-c1c(C)cccc1Br", "biaryl axis"), ("CC=C=CO", "allene axis")]
)
def test_an_axis_that_turned_is_a_warning(smiles, axis):
    made = posed(smiles)
    account, _ = made.account_of_minimised(ligand_moved(made, mirrored))
    assert any(f"minimisation turned {axis}" in text for text in account.as_dict()["warnings"])


@pytest.mark.parametrize(("shift", "warned"), [(0.5, 0), (1.9, 0), (2.1, 1), (6.0, 1)])
def test_the_distance_from_the_pose_after_minimisation(shift, warned):
    made = posed("Cc1ccccc1O")
    account, figures = made.account_of_minimised(ligand_moved(made, lambda xyz: xyz + [shift, 0, 0]))
    assert figures["ligand_pose_rmsd_minimised_angstrom"] == pytest.approx(shift, abs=2e-3)
    assert figures["ligand_internal_rmsd_minimised_angstrom"] == pytest.approx(0, abs=1e-3)
    assert figures["receptor_internal_rmsd_minimised_angstrom"] == pytest.approx(0, abs=1e-3)
    assert account.facts["minimised"] == figures
    told = account.as_dict()["warnings"]
    assert len(told) == warned
    if warned:
        assert told[0].startswith(
            f"minimisation moved the ligand: {shift:.1f} Å RMSD of heavy atoms from its pose, above 2 Å"
        )


def test_the_frame_of_the_receptor_counts_and_equal_atoms_may_change_places():
    made = posed("Cc1ccccc1")
    turn = Rotation.from_rotvec([0.3, 1.0, -0.7])
    whole = turn.apply(made.start_angstrom) + [3.0, -2.0, 1.0]
    assert made.rmsd_angstrom(whole[None])["ligand_pose"] == pytest.approx(0, abs=1e-6)
    ring = Chem.MolFromSmiles("Cc1ccccc1")
    (flipped,) = [m for m in ring.GetSubstructMatches(ring, uniquify=False) if m != tuple(range(7))]
    other = made.start_angstrom.copy()
    other[:7] = other[list(flipped)]
    assert made.rmsd_angstrom(other[None]) == pytest.approx({k: 0.0 for k in made.rmsd_angstrom(whole[None])}, abs=1e-6)


def test_another_shape_after_minimisation_is_a_warning():
    made, other = posed("CCCCCCCCCCCCO", seed=1), posed("CCCCCCCCCCCCO", seed=5)
    account, figures = made.account_of_minimised(other.start_angstrom)
    assert figures["ligand_internal_rmsd_minimised_angstrom"] > departure.SHAPE_MINIMISED_ANGSTROM
    assert any("minimisation changed the shape of the ligand" in text for text in account.as_dict()["warnings"])


@pytest.mark.parametrize(
    ("kind", "pose", "shift", "warned"),
    [("protein", "file", 2.9, 0), ("protein", "file", 3.1, 1), ("host", "given", 3.1, 0), ("protein", "place", 9.0, 0)],
)
def test_the_distance_from_the_pose_after_equilibration(kind, pose, shift, warned):
    """A guest may tumble in its host; a pose in a protein was somebody's word."""
    made = posed("Cc1ccccc1O", kind=kind, pose=pose)
    frames = np.array([ligand_moved(made, lambda xyz, k=k: xyz + [shift * k / 2, 0, 0]) for k in (1, 2, 3)])
    account, figures = made.account_of_equilibrated(frames)
    assert figures["ligand_pose_rmsd_equilibrated_angstrom"] == pytest.approx(shift, abs=2e-3)
    told = account.as_dict()["warnings"]
    assert len(told) == warned and all("the ligand left its pose: 3.1 Å" in text for text in told)


def test_centres_of_a_topology_alone(tmp_path):
    """B2 in CB7: no centre of B2 has three kinds of neighbours, and CB7's bridges are held where they are."""
    folder = hg.prepare_equil(tmp_path / "prepare", Equil())
    made = Departure(SimSystem.read(folder))
    assert made.molecules == {} and len(made._centres) == 14 + 2
    other = made.start_angstrom * [-1, 1, 1]
    assert len(made.other_isomers(other)[0]) == 16 and made.other_isomers(made.start_angstrom) == ([], [])


def test_ureas_of_a_host_may_turn_over(tmp_path):
    """CB7's nitrogens stand at the head of large bicycles, and are flat on average."""
    folder = hg.prepare_equil(tmp_path / "prepare", Equil())
    host = molecules.write_sdf(molecules.from_file(CB7), folder / "receptor.sdf", "cb7")
    guest = molecules.write_sdf(molecules.from_file(B2), folder / "ligand.sdf", "b2")
    system = SimSystem.read(folder).with_artifacts(receptor=host.name, ligand=guest.name)
    assert set(Departure(system)._wanted) == {"ligand", "host"}
    assert not any(wanted.axes for wanted in Departure(system)._wanted.values())


def test_a_run_carries_the_figures_and_warnings(tmp_path, chain):
    """What minimisation did is in the result and the account, and what equilibration did beside it."""
    account = SimSystem.read(chain / "analysis").account()
    results = [json.loads((chain / phase / "result.json").read_text()) for phase in ("equil", "analysis")]
    for when, result in zip(("minimised", "equilibrated"), results, strict=True):
        facts = account.facts[when]
        assert set(facts) == {f"{part}_rmsd_{when}_angstrom"
                              for part in ("ligand_pose", "ligand_internal", "receptor_internal")}  # fmt: skip
        assert {key: result[key] for key in facts} == facts and result["warnings"] == []
        assert 0 < facts[f"ligand_internal_rmsd_{when}_angstrom"] < 1


def test_minimisation_that_inverts_a_centre_ends_the_run(tmp_path):
    class Inverting(Still):
        def minimise(self, max_steps, check):
            self.positions = self.positions * [-1, 1, 1]
            return -1.0

    hg.prepare_equil(tmp_path / "prepare", Equil(minimise_steps=1, heat_ps=1, equil_ps=1, equil_segment_ps=1))
    with Stopper() as stopper, pytest.raises(IsomerError, match="b2: after minimisation it is another stereoisomer"):
        given = SimSystem.read(tmp_path / "prepare")
        equilibrate(given, tmp_path / "state", tmp_path / "out", stopper, Result(), Inverting())
