"""The estimate: by the table as written, scaled by a measurement, and linear in what is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from gibbsflow.binding.campaign.foreseen import expected_cost
from gibbsflow.binding.campaign.foreseen.expected_cost import estimate
from gibbsflow.binding.campaign.foreseen.row_contents import RowContents
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig
from gibbsflow.engines.choice.engine_choice import Choice

ROWS = [Row(2, "a", None, "CCO", None, "place", None, None)]
MEASURED_US = {(30, False): 119, (150, False): 814, (300, False): 2485, (1200, False): 34259}
WATER_US_PER_ATOM = {
    (1800, 8): 2.72,
    (1800, 9): 3.08,
    (1800, 12): 4.82,
    (6000, 8): 2.39,
    (6000, 9): 2.87,
    (6000, 10): 3.52,
}


def settings(**flat: object) -> BindingConfig:
    return BindingConfig.from_mapping({"mode": "asfe", "solvent": "tip3p", "window_ps": 1000, **flat}, where="test")


def test_the_table_meets_what_was_measured() -> None:
    for (atoms, explicit), us in MEASURED_US.items():
        said = expected_cost._step_s(atoms, explicit, settings().md, walkers=1) * 1e6
        assert said == pytest.approx(us, rel=0.7 if atoms == 30 else 0.12)
    for (atoms, cutoff), us in WATER_US_PER_ATOM.items():
        said = expected_cost._step_s(atoms, True, settings(cutoff_angstrom=cutoff).md, walkers=1) * 1e6
        assert said == pytest.approx(us * atoms, rel=0.08)


SMALL = {"padding_angstrom": 8.5, "cutoff_angstrom": 8, "density_ps": 15, "equil_ps": 20}
SMALL |= {"window_ps": 24, "window_equil_ps": 4, "segment_ps": 4}
LARGER = {"padding_angstrom": 12, "cutoff_angstrom": 9, "density_ps": 5, "equil_ps": 5}
LARGER |= {"window_ps": 6, "window_equil_ps": 2, "segment_ps": 2}


@pytest.mark.parametrize(("given", "cpu_h"), [(SMALL, 0.052), (LARGER, 0.048)])
def test_of_methanol_in_water_what_its_runs_took(given: dict[str, float], cpu_h: float) -> None:
    """Runs of the profile demo_asfe, 738 and 1,740 atoms: time of each task by its share of a core, by the trace."""
    same = {"solvent_schedule": "water_10", "heat_ps": 5, "sample_ps": 0.5, "replicates": 1, "ligand_ff": "gaff"}
    row = Row(2, "methanol", None, "CO", None, "place", None, None)
    assert estimate([row], None, settings(**same, **given)).cpu_h == pytest.approx(cpu_h, rel=0.2)


def test_of_the_demo_what_its_runs_took() -> None:
    """Hours by Nextflow's trace of three runs on two cores, 0.183, 0.202 and 0.269."""
    demo = Path(__file__).parents[5] / "assets" / "demo"
    found = BindingConfig.from_mapping({"replicates": 2, "window_ps": 28, "window_equil_ps": 8}, where="demo")
    guests = [
        Row(2, name, None, smiles, None, "place", None, None)
        for name, smiles in (("b2", "OCC12CCC(CC1)(CC2)CO"), ("adamantanol", "OC12CC3CC(CC(C3)C1)C2"))
    ]
    assert estimate(guests, demo / "cb7.sdf", found).cpu_h == pytest.approx(0.202, rel=0.15)


def test_twice_the_replicates_cost_nearly_twice() -> None:
    one, two = (estimate(ROWS, None, settings(replicates=count)) for count in (1, 2))
    assert 1.8 < two.cpu_h / one.cpu_h < 2.01 and one.gpu_h == 0
    assert "table" in one.source and "CPU hours" in one.text() and one.as_dict()["tasks"]["ANALYSIS_CAMPAIGN"] == 1


def test_a_measurement_scales_it(monkeypatch: pytest.MonkeyPatch) -> None:
    known = estimate(ROWS, None, settings())
    own = settings()
    twice = {
        explicit: 2 * expected_cost._step_s(size, explicit, own.md, walkers=1)  # of a cutoff of 9 Å, as is timed
        for explicit, size in ((True, 1800), (False, 150))
    }
    monkeypatch.setattr(expected_cost, "step_s", lambda *, explicit, **_: twice[explicit])
    measured = estimate(ROWS, None, own, measure_s=1.0)
    assert 1.9 < measured.cpu_h / known.cpu_h <= 2 and "measurements of 1 s on this machine" in measured.source


def test_of_a_gpu_and_of_files_that_do_not_tell() -> None:
    found = estimate([Row(2, "a", "no.xyz", None, None, "given", None, None)], None, settings(platform="CUDA"))
    tasks_h = found.cpu_h - found.gpu_h
    assert found.gpu_h > 0 and tasks_h == pytest.approx(2.5 * sum(found.foreseen.tasks.values()) / 3600)
    assert any("do not tell" in note for note in found.notes)


def boxed(folder: Path, atoms: tuple[int, int], **settings_of: object) -> tuple[list[Row], BindingConfig]:
    """A row of boxes whose coordinates say at their head how many atoms there are."""
    for role, count in zip(("complex", "solvent"), atoms, strict=True):
        (folder / f"{role}.rst7").write_text(f"\n{count}\n")
    names = {f"{r}_{k}": str(folder / f"{r}.rst7") for r in ("complex", "solvent") for k in ("topology", "coordinates")}
    row = Row(2, "a", None, None, None, "given", None, None, **names)
    given = {"mode": "abfe", "engine": "gromacs", "replicates": 1, "heat_ps": 5, "density_ps": 15, "equil_ps": 20}
    return [row], BindingConfig.from_mapping(given | settings_of, where="test")


@pytest.mark.parametrize(
    ("atoms", "given", "minutes"),
    [
        ((6153, 6027), {"window_ps": 50, "window_equil_ps": 6}, 69),
        ((6127, 6001), {"window_ps": 80, "window_equil_ps": 8, "argon": True}, 36),
    ],
)
def test_of_windows_by_gromacs_what_runs_took(monkeypatch, tmp_path, atoms, given, minutes) -> None:
    """Minutes of processor of a1 and argon (benchmarks/host_guest), on two cores shared with other work."""
    monkeypatch.setattr(expected_cost, "choose_engine", lambda md: Choice(md.engine))
    if given.pop("argon", False):
        home = Path(__file__).parents[5] / "benchmarks" / "host_guest"
        given |= {
            "complex_schedule": f"{home}/one_site_complex.yaml",
            "solvent_schedule": f"{home}/one_site_water.yaml",
        }
    rows, config = boxed(tmp_path, atoms, **given)
    found = estimate(rows, None, config)
    assert found.cpu_h * 60 == pytest.approx(minutes, rel=0.33) and "GROMACS" in found.source
    assert found.notes == ()


def test_what_is_not_known_of_boxes_is_said(tmp_path: Path) -> None:
    rows, config = boxed(tmp_path, (6000, 3000), engine="openmm", abfe_protocol="sdr")
    short = estimate(rows, None, config)
    assert short.notes == (expected_cost._LONGER,) and "sdr" in short.text() and "41 windows each" in short.text()
    longer = estimate(rows, None, config, contents={"a": RowContents(0, 0, {"complex": 12_000, "ligand": 9})})
    assert longer.notes == () and 1.9 < longer.cpu_h / short.cpu_h < 2.1
    (tmp_path / "complex.rst7").write_text("no coordinates\n")
    plain = BindingConfig.from_mapping({"mode": "abfe"}, where="test")
    assert any("do not tell" in note for note in estimate(rows, None, plain).notes)
    amber = BindingConfig.from_mapping({"mode": "asfe", "engine": "amber"}, where="test")
    assert expected_cost._OF_AMBER in estimate(rows, None, amber).notes


def test_a_sheet_of_both_kinds_counts_each_by_its_own_tables(tmp_path: Path) -> None:
    rows, config = boxed(tmp_path, (6000, 3000), engine="openmm")
    both = estimate([*rows, ROWS[0]], None, config)
    windows = [(work.name, work.windows, work.box) for work in both.foreseen.work if work.windows]
    assert windows == [
        ("complex", 24, "complex"), ("solvent", 17, "solvent"), ("complex", 16, ""), ("solvent", 6, ""),
    ]  # fmt: skip
    assert both.as_dict()["md_ns"]["complex"] == pytest.approx(24 * 1.02 + 16 * 1.02)
