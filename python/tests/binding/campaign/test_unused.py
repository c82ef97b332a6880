"""Settings that nothing reads: told, and none that something reads."""

import pytest

from gibbsflow.binding.campaign.unused import unused_settings
from gibbsflow.config.binding import BindingConfig


@pytest.mark.parametrize("mode", ["abfe", "asfe", "rbfe", "rsfe", "md"])
@pytest.mark.parametrize("solvent", ["obc2", "vacuum", "tip3p", "opc"])
def test_defaults_are_given_by_nobody(mode, solvent):
    assert unused_settings(BindingConfig.from_params({"mode": mode, "solvent": solvent})) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"padding_angstrom": 10, "salt_mol_per_l": 0.0},
            ["padding_angstrom, salt_mol_per_l: given, and not used in obc2"],
        ),
        ({"solvent": "vacuum", "soft_core": "gapsys"}, ["soft_core: given, and not used in vacuum, which has no box"]),
        ({"solvent": "tip3p", "padding_angstrom": 10, "salt_mol_per_l": 0.0, "density_ps": 1}, []),
        ({"mode": "asfe", "protein_ff": "ff19SB"}, ["protein_ff: given, and not used in mode asfe"]),
        ({"mode": "asfe", "complex_schedule": "complex_16"}, ["complex_schedule: given, and not used in mode asfe"]),
        ({"max_window_ps": 5000.0}, ["max_window_ps: given, and not used without target_error_kcal_per_mol"]),
        ({"max_window_ps": 5000.0, "target_error_kcal_per_mol": 0.2}, []),
        ({"vacuum_schedule": "vacuum_5"}, ["vacuum_schedule: given, and not used in mode abfe, which has no such leg"]),
        ({"fe_pilot_ps": 9, "schedule_by": "overlap"}, ["fe_pilot_ps, schedule_by: given, and not used without"]),
        ({"fe_pilot_ps": 90, "schedule": "auto"}, []),
        ({"hub": "b2", "anchor": "mean"}, ["hub, anchor: given, and not used in mode abfe, which has no network"]),
        ({"mode": "rbfe", "hub": "b2", "restraint": "com"}, ["restraint: given, and not used in mode", "hub: given"]),
        ({"mode": "md", "window_ps": 9}, ["window_ps: given, and not used in mode md"]),
        ({"mode": "md", "solvent": "tip3p", "abfe_protocol": "sdr"}, []),  # what is in the box depends on it
        (
            {"mode": "md", "solvent": "opc", "engine": "gromacs"},
            ["engine: given, and not used in mode md: GROMACS runs"],
        ),
        ({"mode": "asfe", "solvent": "tip3p", "abfe_protocol": "sdr"}, ["abfe_protocol: given, and not used in mode"]),
        ({"flat_bottom_radius_angstrom": 4}, ["flat_bottom_radius_angstrom: given, and not used with restraint auto"]),
        ({"restraint": "com", "boresch_k_angle_kcal_per_mol_rad2": 9}, ["boresch_k_angle_kcal_per_mol_rad2: given"]),
        ({"restraint": "flat_bottom", "flat_bottom_radius_angstrom": 4}, []),
        ({"com_force_constant_kcal_per_mol_angstrom2": 4, "boresch_k_angle_kcal_per_mol_rad2": 9}, []),
        ({"equil_stages": "s.yaml", "heat_ps": 1, "density_ps": 2}, ["density_ps: given", "heat_ps: given, and not"]),
        ({"mode": "md", "receptor_charge": 1, "restraint": "com", "replicates": 1}, ["restraint: given"]),
    ],
)
def test_each_reason_is_a_sentence_and_nothing_used_is_named(given, told):
    found = unused_settings(BindingConfig.from_params(given))
    assert len(found) == len(told) and all(
        sentence.startswith(text) for sentence, text in zip(found, told, strict=True)
    )


def test_systems_in_their_boxes_have_their_own_force_field():
    given = {"mode": "asfe", "protein_ff": "ff19SB", "ligand_ff": "gaff", "keep": "ZN", "padding_angstrom": 9}
    (sentence,) = unused_settings(BindingConfig.from_params(given), boxed=True)
    told = "keep, ligand_ff, protein_ff, padding_angstrom: given, and not used for systems that come in their boxes"
    assert sentence == told
    assert unused_settings(BindingConfig.from_params({"site": "A:1", "cutoff_angstrom": 8}), boxed=True) == []


def test_a_given_box_is_built_on_by_sdr_alone():
    given = {"padding_angstrom": 10, "salt_mol_per_l": 0.0}
    (told,) = unused_settings(BindingConfig.from_params(given), boxed=True)
    assert told.startswith("padding_angstrom, salt_mol_per_l: given, and not used for systems that come in their boxes")
    (told,) = unused_settings(BindingConfig.from_params(given | {"abfe_protocol": "sdr"}), boxed=True)
    assert told.startswith("salt_mol_per_l: given")


def test_edges_have_no_restraint_and_only_a_star_has_a_hub():
    given = {"mode": "rbfe", "restraint": "boresch", "abfe_protocol": "sdr", "hub": "a", "anchor": "mean"}
    assert unused_settings(BindingConfig.from_params(given)) == [
        "restraint: given, and not used in mode rbfe, which restrains nothing",
        "abfe_protocol: given, and not used in mode rbfe",
        "hub: given, and not used in a network that is no star",
    ]
    assert unused_settings(BindingConfig.from_params({"mode": "rbfe", "network": "star", "hub": "a"})) == []
    whole = {"mode": "rbfe", "edge_topology": "dual", "map": "m.json", "hard_map": 0.3}
    (told,) = unused_settings(BindingConfig.from_params(whole))
    assert told == "map, hard_map: given, and not used with edge_topology dual, which shares no atoms"
    (told,) = unused_settings(BindingConfig.from_params({"mode": "rbfe", "unusable_maps": "replace"}))
    assert told == "unusable_maps: given, and not used without a file of maps (map)"
    given = {"mode": "rbfe", "complex_schedule": "rbfe_11", "hard_map": 0.3}
    assert unused_settings(BindingConfig.from_params(given)) == []
    (told,) = unused_settings(BindingConfig.from_params(given | {"solvent_schedule": "rbfe_11"}))
    assert told == "hard_map: given, and not used beside schedules for both legs"
    (told,) = unused_settings(BindingConfig.from_params({"mode": "abfe", "network": "mst", "anchor": "mean"}))
    assert told == "network, anchor: given, and not used in mode abfe, which has no network"


def test_edges_of_solvation_have_legs_in_solvent_and_in_vacuum():
    schedules = {"solvent_schedule": "rbfe_21", "vacuum_schedule": "rbfe_21", "complex_schedule": "rbfe_21"}
    given = BindingConfig.from_params({"mode": "rsfe", "hard_map": 0.4, "restraint": "com", "hub": "a"} | schedules)
    assert unused_settings(given) == [
        "restraint: given, and not used in mode rsfe, which has no receptor",
        "hub: given, and not used in a network that is no star",
        "hard_map: given, and not used beside schedules for both legs",
        "complex_schedule: given, and not used in mode rsfe, which has no such leg",
    ]
