"""Equilibration analysed: what a bound ligand leaves for the legs, and what an unbound one leaves to be looked at."""

import json

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.anchor_facts import AnchorFacts
from gibbsflow.binding.equilibrate.equil_analysis import analyse_equilibration
from gibbsflow.binding.facts import BoundFacts, SettingsFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.errors import StateError, UnboundError
from gibbsflow.workflow.result import Result


def test_analysis_of_a_bound_ligand(chain):
    system = SimSystem.read(chain / "analysis")
    assert system.meta["bound"] is True and system.meta["ligand_site_distance_angstrom"] < 1
    assert set(system.meta["anchors"]) >= {"receptor", "ligand", "r0_angstrom", "theta_a_deg", "why"}
    assert "<svg" in system.path("equil_plot").read_text()[:600]
    assert system.path("representative").read_text().count("HETATM") == 156
    with np.load(system.path("representative_npz")) as file:
        assert file["positions_nm"].shape == (156, 3)
    result = json.loads((chain / "analysis" / "result.json").read_text())
    assert result["bound"] and result["inputs_hash"] and result["buried_fraction"] > 0.6
    assert result["uncorrelated_samples"] == system.facts(BoundFacts).uncorrelated_samples == 1.0  # two frames of three


def test_an_unbound_ligand_leaves_data_to_plot_and_is_refused(chain, tmp_path):
    """A threshold that nothing meets: the same frames, another verdict."""
    system = SimSystem.read(chain / "equil")
    given = system.facts(SettingsFacts)
    strict = given.equil.model_copy(update={"unbound_threshold_angstrom": 1e-3})
    result = Result()
    analysis = analyse_equilibration(
        system.with_facts(given.model_copy(update={"equil": strict})), tmp_path / "out", result
    )
    assert result.figures["bound"] is False and not analysis.system.facts(BoundFacts).bound
    assert analysis.system.find(AnchorFacts) is None
    assert not {"representative", "equil_plot"} & set(analysis.system.artifacts)  # nobody said that he would draw
    assert analysis.time_ps.tolist() == [2.0, 3.0, 4.0]  # the first was heating
    assert len(analysis.outcome.distance_angstrom) == 3 and len(analysis.log) == 4
    with pytest.raises(UnboundError, match="threshold 0.001 Å"):
        analysis.require_bound()


def test_a_ligand_too_small_for_anchors_can_still_be_analysed(chain, tmp_path):
    system = SimSystem.read(chain / "equil")
    two = [atom for atom in hg.com_restraint().ligand_atoms][:2]
    analysis = analyse_equilibration(system.with_meta(ligand_atoms=two), tmp_path / "out", Result())
    analysis.require_bound()
    found = analysis.system.facts(AnchorFacts)
    assert found.anchors is None and "2 heavy atoms" in found.anchors_problem


def test_a_system_that_was_not_equilibrated(chain, tmp_path):
    with pytest.raises(StateError, match="no artifact 'equil_frames'"):
        analyse_equilibration(SimSystem.read(chain / "prepare"), tmp_path, Result())
