"""Facts: read with their types, written as they always were, and what is wrong named."""

import json

import pytest

from gibbsflow.binding.anchor_facts import AnchorFacts, Anchors
from gibbsflow.binding.facts import (
    BoundFacts,
    EquilibratedFacts,
    Facts,
    GivenFacts,
    LegFacts,
    ParamFacts,
    PreparedFacts,
    RemoteFacts,
    RunFacts,
    SettingsFacts,
    StandardStateFacts,
    TopologyFacts,
)
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil, Fe, Md
from gibbsflow.errors import InputError, StateError

MD, EQUIL, FE = (settings.model_dump(mode="json") for settings in (Md(timestep_fs=2.0), Equil(), Fe()))
ANCHORS = Anchors((1, 2, 3), (4, 5, 6), 5.0, 90.0, 80.0, 1.0, 2.0, 3.0, "chosen")
PARAMETERS = {"hash": "abc", "charge_correction_e": -1e-9, "largest_penalty": 3.2}
GAFF = {"ligand_ff": "gaff2", "charge_method": "bcc"}
WRITTEN: list[tuple[type[Facts], dict]] = [
    (
        PreparedFacts,
        {
            "receptor_kind": "protein",
            "receptor_charge": None,
            "receptor_name": "lysozyme",
            "ligand_charge": 0,
            "ligand_smiles": "c1ccccc1",
            "site": None,
        },
    ),
    (
        ParamFacts,
        {
            "param": {"ligand_ff": "gaff2", "charge_method": "bcc", "ligand": PARAMETERS, "host": PARAMETERS},
            "protein_ff": "x",
        },
    ),
    (ParamFacts, {"param": {"ligand_ff": "gaff2", "charge_method": "bcc", "ligand": PARAMETERS}, "protein_ff": "x"}),
    (TopologyFacts, {"md": MD, "receptor_atoms": [0, 1], "ligand_atoms": [2], "site_atoms": [1]}),
    (SettingsFacts, {"md": MD, "equil": EQUIL, "run": {"seed": 7}}),
    (EquilibratedFacts, {"equil_steps": 1000}),
    (EquilibratedFacts, {"equil_steps": 1000, "equil_begun_anew": {"attempt": 2}}),
    (BoundFacts, {"bound": True, "ligand_site_distance_angstrom": 0.25}),
    (AnchorFacts, {"anchors": json.loads(json.dumps(ANCHORS.as_dict()))}),
    (AnchorFacts, {"anchors": None, "anchors_problem": "two heavy atoms"}),
    (
        LegFacts,
        {
            "fe": FE,
            "run": {"seed": 7, "replicates": 2},
            "restraint": {"kind": "com", "k": 10.0, "atoms": [1, 2]},
            "standard_state": {"analytic_kcal_per_mol": -5.25, "numeric_kcal_per_mol": -5.27},
        },
    ),
    (GivenFacts, {}),
]


@pytest.mark.parametrize(("kind", "meta"), WRITTEN, ids=lambda value: getattr(value, "__name__", None))
def test_what_stands_in_the_file_is_written_again_byte_for_byte(kind, meta):
    assert json.dumps(kind.from_meta(meta, where="system.json").as_meta()) == json.dumps(meta)


def test_types_are_those_of_the_science():
    system = SimSystem("b2", ".", {}, {key: value for _, meta in WRITTEN for key, value in meta.items()})
    assert system.facts(SettingsFacts).md == Md(timestep_fs=2.0)
    assert system.facts(TopologyFacts).parts("equil_frames", 4) == {
        "receptor": (0, 1),
        "ligand": (2,),
        "copy": (),
        "ions": (),
        "environment": (3,),
    }


def test_what_stands_far_away_is_a_part_of_its_own():
    wall = {"centre_atoms": (0, 1), "least_angstrom": 20.0, "gap_angstrom": 8.0}
    atoms = TopologyFacts(
        md=Md(), receptor_atoms=(0, 1), ligand_atoms=(2,), site_atoms=(0,),
        remote={
            "complex": RemoteFacts(copy_atoms=(3,), **wall),
            "solvent": RemoteFacts(ion_atoms=(2, 3), **wall | {"centre_atoms": (0,)}),
        },
    )  # fmt: skip
    parts = atoms.parts("equil_frames", 7)
    assert (parts["copy"], parts["ions"], parts["environment"]) == ((3,), (), (4, 5, 6))
    parts = atoms.parts("solvent_equil_frames", 5)
    assert (parts["ligand"], parts["ions"], parts["environment"]) == ((0,), (2, 3), (1, 4))
    assert atoms.far_from("solvent_equil_frames").molecules == ((2,), (3,))
    assert TopologyFacts.from_meta(atoms.as_meta(), where="system.json") == atoms


def test_the_rest_is_as_it_was_read():
    system = SimSystem("b2", ".", {}, {key: value for _, meta in WRITTEN for key, value in meta.items()})
    assert system.with_facts(AnchorFacts(anchors=ANCHORS)).facts(AnchorFacts).anchors == ANCHORS
    assert system.facts(LegFacts).standard_state == StandardStateFacts(
        analytic_kcal_per_mol=-5.25, numeric_kcal_per_mol=-5.27
    )


def test_facts_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        RunFacts(seed=1).seed = 2  # type: ignore[misc]


def test_a_phase_that_has_not_been_is_named(tmp_path):
    system = SimSystem("b2", tmp_path, {}, {"bound": True})
    assert system.find(BoundFacts) is None
    with pytest.raises(StateError, match=r"lacks ligand_site_distance_angstrom; right: .* written by `equil analyse`"):
        system.facts(BoundFacts)


def test_settings_that_cannot_be_are_named_with_their_section(tmp_path):
    system = SimSystem("b2", tmp_path, {}, {"md": MD | {"timestep_fs": -1}, "equil": EQUIL, "run": {"seed": 7}})
    with pytest.raises(InputError, match=r"system\.json, md, timestep_fs: -1 is not usable"):
        system.facts(SettingsFacts)
    with pytest.raises(InputError, match=r"system\.json, run\.seed: 'x' is not usable"):
        system.with_meta(md=MD, run={"seed": "x"}).facts(SettingsFacts)
