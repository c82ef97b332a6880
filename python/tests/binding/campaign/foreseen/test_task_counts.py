"""Tasks and MD of a campaign before it runs: as many as the pipeline then has."""

from __future__ import annotations

from pathlib import Path

import pytest

from gibbsflow.binding.campaign.foreseen.task_counts import foresee, ligand_atoms, receptor_atoms
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig

DEMO = Path(__file__).parents[5] / "assets" / "demo"


def rows(count: int, smiles: str = "CCO") -> list[Row]:
    return [Row(k + 2, f"l{k}", None, smiles, None, "place", None, None) for k in range(count)]


def settings(**flat: object) -> BindingConfig:
    return BindingConfig.from_mapping(flat, where="test")


def test_of_the_demo_as_many_as_its_stub_runs() -> None:
    tasks = foresee(rows(2), settings(replicates=2)).tasks
    assert tasks["FE_RUN"] == 2 * 2 * 2 and sum(tasks.values()) == 23  # tests/pipeline/test_stub.py: the same tasks


def test_windows_of_the_independent_sampler_and_pilots() -> None:
    one = settings(replicates=1, sampler="independent")
    whole = foresee(rows(1), one)
    windows = whole.tasks["FE_RUN"]
    assert windows > 2 and foresee(rows(1), one, windows_per_task=1000).tasks["FE_RUN"] == 2
    auto = foresee(rows(3), settings(schedule="auto", target_error_kcal_per_mol=0.5))
    assert auto.tasks["FE_PILOT"] == 6 and len(auto.notes) == 2


def test_md_in_nanoseconds() -> None:
    found = foresee(rows(2), settings(replicates=2, window_ps=100, window_equil_ps=0, heat_ps=10, equil_ps=40))
    work = {one.name: one for one in found.work}
    assert work["equilibration"].ns == pytest.approx(0.05) and work["equilibration"].items == 2
    assert work["complex"].with_receptor and not work["solvent"].with_receptor
    per_window = work["complex"].ns / 0.2  # two replicates of 100 ps
    assert per_window == pytest.approx(round(per_window)) and per_window > 5
    assert work["complex"].energies == round(per_window) ** 2 * 100 * 2 and work["equilibration"].energies == 0


def test_edges_of_a_file_are_counted(tmp_path: Path) -> None:
    network = tmp_path / "network.csv"
    network.write_text("ligand_a,ligand_b\nl0,l1\nl1,l2\nl2,l0\n")
    found = foresee(rows(3), settings(mode="rbfe", network=str(network), replicates=1))
    assert (found.tasks["FE_PREPARE"], found.tasks["FE_RUN"]) == (3, 6)
    assert found.notes == ("edges of hard maps and of two whole ligands take 21 windows a leg",)
    ions = settings(mode="rbfe", network=str(network), solvent="tip3p", charge_correction="counter_ion")
    assert "change the net charge take 25 windows a leg, of two whole ligands 33" in foresee(rows(3), ions).notes[1]
    chosen = dict.fromkeys(("complex_schedule", "solvent_schedule"), "rbfe_21")
    assert foresee(rows(3), settings(mode="rbfe", network=str(network), **chosen)).notes == ()


def test_other_modes() -> None:
    rbfe = foresee(rows(3), settings(mode="rbfe"))
    assert rbfe.tasks["NETWORK_PLAN"] == 1 and rbfe.tasks["FE_PREPARE"] == 2 and rbfe.notes
    md = foresee(rows(3), settings(mode="md", solvent="tip3p"))
    assert "FE_RUN" not in md.tasks and [one.name for one in md.work] == ["equilibration", "equilibration, solvent"]


def test_atoms(tmp_path: Path) -> None:
    assert ligand_atoms(rows(1)[0]) == 9 and receptor_atoms(None) == 0
    assert receptor_atoms(DEMO / "cb7.sdf") == 126  # C42H42N28O14
    bare = tmp_path / "p.pdb"
    bare.write_text(
        "".join(f"ATOM  {k:>5}  CA  ALA A{k:>4}    0.000   0.000   0.000  1.00  0.00           C\n" for k in (1, 2))
    )
    assert receptor_atoms(bare) == 4 and receptor_atoms(tmp_path / "p.cif") is None
    assert ligand_atoms(rows(1, "no molecule")[0]) is None
