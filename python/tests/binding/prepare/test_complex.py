"""One complex: what decides it, and what is written of it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from known_molecules import B2, CB7, shifted

from gibbsflow.binding.prepare.complex import preparation_hash, prepare_system, row_from_options
from gibbsflow.binding.prepare.molecules import read_sdf
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
