"""One complex: what decides it, and what is written of it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from known_molecules import B2, CB7, shifted
from peptides import hetero, peptide
from scipy.spatial.transform import Rotation

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.complex import preparation_hash, prepare_system, row_from_options
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.ligands import check_pose, read_ligand
from gibbsflow.binding.prepare.molecules import read_sdf
from gibbsflow.binding.prepare.poses import with_positions
from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.config.binding import BindingConfig
from gibbsflow.errors import InputError


def b2(pose=None, structure=B2):
    return row_from_options("b2", structure, None, None, pose)


def test_options_are_a_row(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(B2, "b2.mol2")
    row = row_from_options("b2", Path("b2.mol2"), None, 0, None)
    assert (row.line, row.structure, row.charge, row.pose) == (None, str(tmp_path / "b2.mol2"), 0, "given")
    with pytest.raises(InputError) as caught:
        row_from_options("a b", None, None, None, None)
    told = str(caught.value)
    assert "command line, ligand: 'a b' is not usable" in told and "neither structure nor smiles" in told


def test_the_hash_is_of_contents_and_settings_not_of_names(tmp_path):
    known = preparation_hash(b2(), CB7, BindingConfig())
    copy, receptor = tmp_path / "other.mol2", tmp_path / "host.sdf"
    shutil.copyfile(B2, copy)
    shutil.copyfile(CB7, receptor)
    assert preparation_hash(b2(structure=copy), receptor, BindingConfig()) == known
    copy.write_text(copy.read_text().replace("0.0", "0.1", 1))
    others = [
        preparation_hash(b2(structure=copy), CB7, BindingConfig()),
        preparation_hash(b2("place"), CB7, BindingConfig()),
        preparation_hash(b2(str(B2)), CB7, BindingConfig()),
        preparation_hash(b2(), CB7, BindingConfig.from_params({"seed": 7})),
        preparation_hash(b2(), CB7, BindingConfig.from_params({"ph": 6.0})),
    ]
    assert len({known, *others}) == 6
    assert preparation_hash(b2(), CB7, BindingConfig.from_params({"temperature_k": 310.0})) == known
    with pytest.raises(InputError, match="no such file"):
        preparation_hash(b2(), tmp_path / "nix.sdf", BindingConfig())


def test_a_complex_in_its_given_pose(tmp_path):
    system, facts = prepare_system(b2(), CB7, BindingConfig(), tmp_path)
    assert dict(system.artifacts) == {"receptor": "receptor.sdf", "ligand": "ligand.sdf"}
    assert (system.name, system.meta["receptor_kind"], system.meta["ligand_charge"]) == ("b2", "host", 0)
    ligand, receptor = read_sdf(system.path("ligand"), 0), read_sdf(system.path("receptor"), 0)
    offset = np.linalg.norm(ligand.heavy_angstrom.mean(axis=0) - receptor.heavy_angstrom.mean(axis=0))
    assert facts["ligand_centre_offset_angstrom"] == pytest.approx(offset, abs=2e-3)
    assert facts["pose"] == "given" and facts["ligand_buried_share"] > 0.6


def test_what_is_wrong_with_the_ligand_names_it(tmp_path):
    far = shifted(B2, tmp_path / "far.sdf", (0.0, 20.0, 0.0))
    with pytest.raises(InputError, match="b2, pose: the ligand is outside the cavity"):
        prepare_system(b2(structure=far), CB7, BindingConfig(), tmp_path)


def complex_of(tmp_path, beside="", away_angstrom=3.5, **settings):
    """A dipeptide with ethanol's oxygen above the oxygen of its ACE, along its bond."""
    text = peptide("ACE ALA NME")
    c, o = (
        np.array([float(line[k : k + 8]) for k in (30, 38, 46)])
        for line in text.splitlines()
        if line[17:20] == "ACE" and line[12:16].strip() in ("C", "O")
    )
    along = (o - c) / np.linalg.norm(o - c)
    ethanol = embed(molecules.from_smiles("OCC"), count=1, seed=1)
    xyz = ethanol.positions_angstrom
    turn, _ = Rotation.align_vectors([along], [xyz[2] - xyz[0]])
    placed = turn.apply(xyz - xyz[0]) + o + away_angstrom * along
    molecules.write_sdf(with_positions(ethanol, placed), tmp_path / "l.sdf", "l")
    (tmp_path / "p.pdb").write_text(text + "TER\n" + beside + "END\n")
    chosen = BindingConfig.from_params({"charge_method": "gas", **settings})
    row = row_from_options("l", tmp_path / "l.sdf", None, None, "given")
    (tmp_path / "out").mkdir()
    return prepare_system(row, tmp_path / "p.pdb", chosen, tmp_path / "out"), o, along


@pytest.mark.parametrize(("away_angstrom", "warned"), [(1.95, True), (2.6, False)])
def test_a_squeezed_pose_is_warned_of(tmp_path, away_angstrom, warned):
    (_, facts), _, _ = complex_of(tmp_path, away_angstrom=away_angstrom)
    assert any(f"{away_angstrom:.2f} Å apart: the pose is squeezed" in w for w in facts["warnings"]) == warned


def test_the_distance_of_a_bond_to_a_protein_is_refused_by_a_check_too(tmp_path):
    with pytest.raises(InputError, match="O1 of the ligand is 1.60 Å from ACE A:1 O of the receptor"):
        complex_of(tmp_path, away_angstrom=1.6)
    receptor = read_receptor(tmp_path / "p.pdb", BindingConfig().system, complete=False)
    row = row_from_options("l", tmp_path / "l.sdf", None, None, "given")
    (fault,) = check_pose(row, read_ligand(row), receptor, BindingConfig().system)
    assert "1.60 Å from ACE A:1 O" in fault.what


def test_a_ligand_may_coordinate_a_metal_that_is_kept(tmp_path):
    _, o, along = complex_of(tmp_path, away_angstrom=4.2)
    x, y, z = o + 2.1 * along
    (tmp_path / "zinc").mkdir()
    (system, facts), _, _ = complex_of(
        tmp_path / "zinc", hetero("ZN", 201, "ZN", "ZN", x, y, z), away_angstrom=4.2, keep="ZN"
    )
    assert "ZN A:201" in str(facts["account"]["receptor"]["kept_beside"])
    assert not any("squeezed" in w for w in facts["warnings"]) and system.meta["ligand_charge"] == 0


def test_files_of_parameters_stay_apart_whatever_their_names(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ligand.frcmod").write_text(f"{folder}\nMASS\n\n")
    names = ",".join(str(tmp_path / folder / "ligand.frcmod") for folder in ("a", "b"))
    (system, _), _, _ = complex_of(tmp_path, parameters=names)
    texts = [system.path(f"receptor_parameters_{k:02d}").read_text()[0] for k in (1, 2)]
    assert texts == ["a", "b"]
    assert {system.path(f"receptor_parameters_{k:02d}").name for k in (1, 2)} == {
        "01_ligand.frcmod",
        "02_ligand.frcmod",
    }


def test_of_a_file_with_several_ligands_the_own_record_decides(tmp_path):
    """Others may come and go; charges that are brought along are kept beside the ligand."""
    path, host = tmp_path / "ligands.sdf", CB7
    block = molecules.write_sdf(molecules.from_file(B2), tmp_path / "b2.sdf", "b2").read_text()
    count = molecules.from_file(B2).mol.GetNumAtoms()
    charged = block.replace("$$$$", f">  <atom.dprop.PartialCharge>\n{' '.join(['0.0'] * count)}\n\n$$$$")
    path.write_text(block + block.replace("b2", "other", 1))
    row = b2(structure=path)
    known = preparation_hash(row, host, BindingConfig())
    path.write_text(block.replace("b2", "new", 1) + block)
    assert preparation_hash(row, host, BindingConfig()) == known
    path.write_text(block.replace("b2", "new", 1) + charged)
    assert preparation_hash(row, host, BindingConfig()) != known
    for name in ("out", "plain"):
        (tmp_path / name).mkdir()
    system, _ = prepare_system(row, host, BindingConfig(), tmp_path / "out")
    assert system.path("ligand_charges").is_file()
    plain, _ = prepare_system(b2(structure=tmp_path / "b2.sdf"), host, BindingConfig(), tmp_path / "plain")
    assert system.path("ligand").read_bytes() == plain.path("ligand").read_bytes()
