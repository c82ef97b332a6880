"""Phase param_ligands on small molecules: files, facts, and what decides them."""

import pytest

from gibbsflow.binding.facts import PreparedFacts
from gibbsflow.binding.forcefield.parametrise import parametrisation_hash, parametrise_system
from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Param
from gibbsflow.engines.ambertools import read_typed_atoms
from gibbsflow.errors import InputError
from gibbsflow.workflow.files import write_json

GAS = Param(charge_method="gas")


def prepared(folder, kind: str, ligand: str = "C[NH3+]") -> SimSystem:
    """A cation with diethyl ether for its host, or with a protein that nobody reads."""
    folder.mkdir()
    guest, ether = (embed(molecules.from_smiles(s), count=1, seed=1) for s in (ligand, "CCOCC"))
    molecules.write_sdf(guest, folder / "ligand.sdf", "guest")
    molecules.write_sdf(ether, folder / "receptor.sdf", "host")
    facts = PreparedFacts(
        receptor_kind=kind,
        receptor_charge=0 if kind == "host" else None,
        receptor_name="ether",
        ligand_charge=guest.charge,
        ligand_smiles=ligand,
        site=None,
    )
    return SimSystem("guest", folder, {"ligand": "ligand.sdf", "receptor": "receptor.sdf"}).with_facts(facts)


def test_ligand_and_host_each_get_their_files(tmp_path):
    system, facts = parametrise_system(
        prepared(tmp_path / "in", "host"), GAS, cache=tmp_path / "cache", out=tmp_path / "out"
    )
    for role, charge, residue in (("ligand", 1, "LIG"), ("host", 0, "HST")):
        assert sum(read_typed_atoms(system.path(f"{role}_mol2")).charges) == pytest.approx(charge, abs=1e-6)
        assert f" {residue} " in system.path(f"{role}_mol2").read_text()
        assert "MASS" in system.path(f"{role}_frcmod").read_text()
    assert facts["cache_hit"] == {"ligand": False, "host": False}
    assert system.meta["param"].keys() == {"ligand_ff", "charge_method", "ligand", "host"}
    assert system.root == tmp_path / "out" and system.path("receptor").is_file()


def test_a_protein_is_left_to_its_own_force_field_and_the_second_run_finds_the_cache(tmp_path):
    source = prepared(tmp_path / "in", "protein")
    first, _ = parametrise_system(source, GAS, cache=tmp_path / "cache", out=tmp_path / "one")
    second, facts = parametrise_system(source, GAS, cache=tmp_path / "cache", out=tmp_path / "two")
    assert "host_mol2" not in first.artifacts and facts["cache_hit"] == {"ligand": True}
    assert first.meta == second.meta
    assert first.path("ligand_mol2").read_bytes() == second.path("ligand_mol2").read_bytes()


def test_the_hash_is_of_what_decides_the_parameters(tmp_path):
    system = prepared(tmp_path / "a", "host")
    known = parametrisation_hash(system, GAS)
    from_file = Param(charge_method="gas", charge_source="sdf")
    assert parametrisation_hash(system, from_file) != known
    (system.root / "ligand_charges.json").write_text("{}")
    charged = system.with_artifacts(ligand_charges="ligand_charges.json")
    assert parametrisation_hash(charged, GAS) == known, "charges that are not taken decide nothing"
    assert parametrisation_hash(charged, from_file) != parametrisation_hash(system, from_file)
    assert parametrisation_hash(system, Param(charge_method="gas", param_memory_gb=3, param_time_min=5)) == known
    assert parametrisation_hash(system.with_meta(site="HST"), GAS) == known
    others = [
        parametrisation_hash(system, Param(charge_method="bcc")),
        parametrisation_hash(system, Param(charge_method="gas", ligand_ff="gaff")),
        parametrisation_hash(system.with_meta(receptor_charge=2), GAS),
        parametrisation_hash(prepared(tmp_path / "b", "host", "CC[NH3+]"), GAS),
    ]
    assert len({known, *others}) == 5


def test_charges_of_the_sdf_are_taken_on_request(tmp_path):
    source = prepared(tmp_path / "in", "host")
    chosen, kept = Param(charge_method="gas", charge_source="sdf"), {"cache": tmp_path / "cache"}
    with pytest.raises(InputError, match="charge_source: its structure brings no partial charges along"):
        parametrise_system(source, chosen, out=tmp_path / "none", **kept)
    charges = [0.1, -0.3, 0.1, 0.1, 0.1, 0.3, 0.3, 0.3]
    write_json(source.root / "ligand_charges.json", {"charges_e": charges})
    source = source.with_artifacts(ligand_charges="ligand_charges.json")
    system, _ = parametrise_system(source, chosen, out=tmp_path / "out", **kept)
    assert read_typed_atoms(system.path("ligand_mol2")).charges == pytest.approx(charges, abs=1e-6)
    assert sum(read_typed_atoms(system.path("host_mol2")).charges) == pytest.approx(0, abs=1e-6)
    assert system.meta["param"]["charge_source"] == "sdf"
    plain, _ = parametrise_system(source, GAS, out=tmp_path / "plain", **kept)
    assert "charge_source" not in plain.meta["param"]
    assert ["are not taken (charge_source)" in note for note in plain.account().as_dict()["notes"]] == [True]
    assert not system.account().doubts
    write_json(source.root / "ligand_charges.json", {"charges_e": [*charges[:-1], 0.4]})
    with pytest.raises(InputError, match=r"they sum up to \+1.1000 e, the formal charge is \+1"):
        parametrise_system(source, chosen, out=tmp_path / "sum", **kept)
