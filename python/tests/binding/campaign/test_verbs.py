"""The verbs of a binding free energy as functions: what they leave, that they go on, and what they refuse."""

from pathlib import Path

import host_guest as hg
import pytest
import solutes
import yaml

from gibbsflow.binding.campaign.verbs import (
    binding_free_energy,
    equilibrate_complex,
    parametrise_complex,
    prepare_complex,
    prepare_topologies,
    sample_legs,
)
from gibbsflow.binding.facts import BoundFacts, TopologyFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Equil
from gibbsflow.errors import InputError, UnboundError
from gibbsflow.workflow.files import read_json

SHORT = Equil(minimise_steps=20, heat_ps=0.2, equil_ps=0.4, equil_segment_ps=0.2)
STATES = {
    "complex": [[0, 1, 1], [1, 0, 1], [1, 0, 0]],
    "solvent": [[0, 1, 1], [0, 0, 1], [0, 0, 0]],
}


def short(folder):
    """Settings with three windows a leg of ten samples each."""
    given = {"window_ps": 0.4, "window_equil_ps": 0.0, "sample_ps": 0.04, "segment_ps": 0.2, "replicates": 1}
    for leg, states in STATES.items():
        (folder / f"{leg}.yaml").write_text(yaml.safe_dump({"states": states}))
        given[f"{leg}_schedule"] = str(folder / f"{leg}.yaml")
    return BindingConfig.from_params(given)


def test_from_topologies_to_a_record(tmp_path):
    settings = short(tmp_path)
    given = SimSystem.read(hg.prepare_equil(tmp_path / "given", SHORT))
    bound = equilibrate_complex(given, tmp_path / "bound")
    assert bound.facts(BoundFacts).bound and "representative" in bound.artifacts
    assert SimSystem.read(tmp_path / "bound") == bound
    sampled = sample_legs(bound, settings, tmp_path / "sampled")
    runs = sorted(path.name for path in sampled.path("runs").iterdir())
    assert runs == ["complex_replicate_0", "solvent_replicate_0"]
    record = binding_free_energy(sampled, settings)
    assert record == read_json(tmp_path / "sampled" / "record.json")
    assert record["transformation"] == "b2" and record["replicates"] == 1
    assert [leg["leg"] for leg in record["legs"]] == ["complex", "solvent"]
    assert record["verdict"] in ("WARN", "FAIL") and record["reasons"]  # ten samples a window
    # what has finished is given back
    windows = {path: path.read_bytes() for path in sampled.path("runs").rglob("*.parquet")}
    again = sample_legs(equilibrate_complex(given, tmp_path / "bound"), settings, tmp_path / "sampled")
    assert {path: path.read_bytes() for path in again.path("runs").rglob("*.parquet")} == windows and len(windows) == 6
    assert read_json(again.path("runs") / "complex_replicate_0" / "result.json")["attempt"] == 1


@pytest.mark.slow
def test_legs_whose_windows_place_themselves(tmp_path):
    settings = short(tmp_path)
    fe = settings.fe.model_copy(update={"schedule": "auto", "fe_pilot_ps": 1.0, "schedule_spacing": 5.0})
    settings = settings.model_copy(update={"fe": fe})
    bound = equilibrate_complex(SimSystem.read(hg.prepare_equil(tmp_path / "given", SHORT)), tmp_path / "bound")
    record = binding_free_energy(sample_legs(bound, settings, tmp_path / "sampled"), settings)
    assert record["dg_kcal_per_mol"] is not None
    for leg in record["legs"]:
        placed = record["placement"][leg["leg"]]
        assert len(leg["states"]) == placed["windows"] and placed["windows_before"] == 3
    assert max(placed["windows"] for placed in record["placement"].values()) > 3
    assert (tmp_path / "sampled" / "state" / "complex" / "pilot" / "FINISHED").exists()


def test_a_guest_that_is_not_there(tmp_path):
    given = SimSystem.read(hg.prepare_equil(tmp_path / "given", SHORT, shift_nm=2.0))
    with pytest.raises(UnboundError):
        equilibrate_complex(given, tmp_path / "out")
    assert not SimSystem.read(tmp_path / "out").facts(BoundFacts).bound


def test_prepared_and_parametrised(tmp_path):
    settings = BindingConfig.from_params({"charge_method": "gas", "equil_ps": 3})
    host = tmp_path / "host.sdf"
    host.write_bytes((Path(__file__).parents[4] / "assets" / "demo" / "cb7.sdf").read_bytes())
    placed = prepare_complex("methanol", host, settings, tmp_path / "placed", smiles="CO")
    assert placed.meta["receptor_kind"] == "host" and placed.meta["ligand_smiles"] == "CO"
    done = parametrise_complex(placed, settings, tmp_path / "done", cache=tmp_path / "cache")
    assert len(done.meta["ligand_atoms"]) == 6 and done.meta["equil"]["equil_ps"] == 3
    assert done.path("complex_prmtop").is_file() and any((tmp_path / "cache").iterdir())


def test_a_ligand_of_which_nothing_is_known(tmp_path):
    with pytest.raises(InputError, match="structure"):
        prepare_complex("b2", tmp_path / "host.sdf", BindingConfig(), tmp_path / "out")


def test_boxes_of_an_edge_have_no_ions_of_its_own_and_say_where_there_is_no_room_for_any(tmp_path):
    """Waters of them become ions; what could not be kept in bulk is told of before the box is equilibrated."""
    config = solutes.settings(mode="rbfe", charge_correction="counter_ion", salt_mol_per_l=0.0)
    both = solutes.stacked(tmp_path, "CC(=O)[O-]", "C[NH3+]", config)
    built, _ = prepare_topologies(both, config, tmp_path / "built")
    known = built.facts(TopologyFacts)
    assert known.remote is None
    assert (known.solvation["solvent"].cations, known.solvation["solvent"].anions) == (0, 1)
    (told,) = map(str, built.account().of_weight("warn"))  # there is room in the box of the ligand alone
    assert "complex: the box has no room" in told and "no edge from here can change the net charge" in told
