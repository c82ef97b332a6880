"""Settings that cannot be used, whatever the ligands are."""

from __future__ import annotations

from gibbsflow.binding.campaign.input.setting_faults import setting_faults
from gibbsflow.config.binding import BindingConfig
from gibbsflow.engines.amber.choice import window_problems


def faults(**settings: object) -> list[str]:
    found = setting_faults(BindingConfig.from_params(settings), (), boxed=False, programs=False, where="md")
    return [str(problem) for problem in found]


def test_settings_that_fit() -> None:
    assert faults() == faults(mode="rbfe", solvent="tip3p") == []


def test_all_faults_at_once() -> None:
    told = "\n".join(faults(complex_schedule="nowhere", window_ps=0.001, equil_stages="/nowhere.yaml"))
    assert "'nowhere'" in told or "nowhere: neither" in told
    assert "nowhere.yaml" in told and "window_ps" in told


def test_a_pilot_that_leaves_too_few_samples_is_refused() -> None:
    assert faults(schedule="auto") == faults(fe_pilot_ps=3) == []
    (told,) = faults(schedule="auto", fe_pilot_ps=10)
    assert "fe_pilot_ps" in told and "8 samples a window" in told and "25 ps or more" in told


def test_a_relative_schedule_in_an_absolute_cycle_is_refused() -> None:
    told = faults(complex_schedule="rbfe_21")
    assert any("rbfe_21" in one and "leads from one ligand to another" in one for one in told)


def test_amber_runs_windows_by_pmemd_alone(monkeypatch) -> None:
    (told,) = faults(mode="abfe", engine="amber")
    assert "free energies in obc2: sander has no soft core" in told and "mode md" in told
    assert faults(mode="md", engine="amber") == []
    boxed = {"engine": "amber", "solvent": "tip3p", "sampler": "independent"}
    assert faults(**boxed, mode="abfe") == faults(**boxed, mode="asfe") == []
    for name, value in (
        ("sampler", "exchange"), ("schedule", "auto"), ("target_error_kcal_per_mol", 0.2), ("abfe_protocol", "sdr"),
        ("restraint", "com"), ("soft_core", "gapsys"), ("charge_correction", "counter_ion"), ("mode", "rbfe"),
        ("entropy", True),
    ):  # fmt: skip
        found = [told for told in faults(**{**boxed, "mode": "abfe", name: value}) if "amber, and" in told]
        assert len(found) == 1 and f"{name}: amber, and" in found[0]
    monkeypatch.setenv("PATH", "/nowhere")
    (problem,) = window_problems(BindingConfig.from_params({**boxed, "mode": "abfe"}), "md")
    assert "sander has no soft core, and there is no pmemd.cuda on PATH" in problem.what


def test_sampling_longer_needs_room_for_a_segment() -> None:
    given = {"target_error_kcal_per_mol": 0.2, "window_ps": 100.0, "segment_ps": 20.0}
    assert faults(**given) == faults(**given, max_window_ps=120.0) == faults(max_window_ps=1.0) == []
    for most_ps in (50.0, 100.0, 119.0):
        (told,) = faults(**given, max_window_ps=most_ps)
        assert f"max_window_ps: {most_ps:g} ps leaves nothing" in told and "120 ps or more" in told
