"""An old campaign's labels in a new one: with more elements, at other temperatures, under one key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from loop_states import RECORD, config, label
from silicon import si8

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError, MissingProgramError
from gibbsflow.potential.data.database import DatabaseManager, RowStatus
from gibbsflow.potential.data.structures import read_frames, structure_id, write_frames
from gibbsflow.potential.label.engines import ENGINES
from gibbsflow.potential.label.pseudopotentials.pseudo_table import DEBIAN_FOLDER
from gibbsflow.potential.loop import label_doubts
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.extension import REUSED, news, require_same_key, require_same_labels
from gibbsflow.potential.loop.manager import WorkflowManager
from gibbsflow.potential.loop.state import Phase
from gibbsflow.workflow.files import read_json

SMALL = {"supercell": [1, 1, 1], "methods": ["bulk", "strain", "rattle"], "rattle_count": 2, "thermal_count": 2}


PLANE_WAVES = {"engine": "quantum_espresso", "dft": {"pseudo_library": "gth", "ecutwfc_ry": 30.0, "ecutrho_ry": 120.0}}


def key_of(plan: PotentialConfig) -> str:
    return ENGINES[plan.dft.engine].key(plan.target.elements, plan.dft)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A generation of silicon whose labels are all there."""
    return campaign(tmp_path, config(generator=SMALL))


def campaign(tmp_path: Path, plan: PotentialConfig) -> Path:
    for name, seeds in (("training", range(10)), ("holdout", range(100, 106))):
        write_frames(tmp_path / f"{name}.extxyz", [si8(seed) for seed in seeds])
    begun = WorkflowManager.begin(plan, tmp_path / "training.extxyz", tmp_path / "holdout.extxyz", tmp_path / "begun")
    labels = [label(b, tmp_path / "l", settings=key_of(plan)) for b in loop_state.batches(begun.folder)]
    recorded = begun.record(labels, tmp_path / "generation_00")
    (recorded.folder / "potential").mkdir()
    point = recorded.checkpoint.to(Phase.VALIDATE).to(Phase.EXPLORE).to(Phase.DECIDE, history=(RECORD,))
    point.to(Phase.STOPPED, stopped_by="generations").write(recorded.folder)
    return recorded.folder


def test_silicon_goes_on_with_germanium(tmp_path: Path) -> None:
    """The engine's program is not looked for: its files tell the keys."""
    silicon = config(generator=SMALL, **PLANE_WAVES)
    both = config(elements=["Si", "Ge"], generator=SMALL, **PLANE_WAVES)
    before, then = key_of(silicon), key_of(both)
    old = campaign(tmp_path, silicon)
    begun = WorkflowManager.resume(old, both, tmp_path / "start")
    point = begun.checkpoint
    assert (point.generation, point.phase, point.labels_made, point.history) == (0, Phase.LABEL, 0, ())
    database = DatabaseManager(begun.folder / loop_state.DATABASE)
    assert len(database.frames(RowStatus.LABELLED)) == 9
    new = [frame for path in loop_state.batches(begun.folder) for frame in read_frames(path)]
    assert any("Ge" in frame.get_chemical_symbols() for frame in new)
    assert {structure_id(frame) for frame in database.frames(RowStatus.PENDING)} == {structure_id(f) for f in new}
    (said,) = label_doubts.read(begun.folder)["notes"]
    assert said == f"9 labels of an earlier campaign are reused ({before}); new here: new elements Ge"

    labels = [label(b, tmp_path / "n", settings=then) for b in loop_state.batches(begun.folder)]
    recorded = begun.record(labels, tmp_path / "recorded")
    train, apart = (read_frames(recorded.folder / name) for name in (loop_state.TRAIN, loop_state.HOLDOUT))
    assert {frame.info["settings_hash"] for frame in train + apart} == {then}
    assert len(train) + len(apart) == 9 + len(new)
    assert sum(set(frame.get_chemical_symbols()) == {"Si"} for frame in apart) >= 3  # the old hold-out stays one
    assert read_json(recorded.folder / REUSED) == {
        "key": before, "key_then": then, "labels": 9, "why": ["new elements Ge"], "added": ["Ge"], "as": then
    }  # fmt: skip
    name = min(point.holdout, key=lambda name: name not in {structure_id(si8(seed)) for seed in range(100, 106)})
    history = DatabaseManager(recorded.folder / loop_state.DATABASE).explain(name)["history"]
    assert any(f"settings {before} are {then}" in event["why"] for event in history)


def test_labels_of_another_pseudopotential_never_join_with_new_elements(tmp_path: Path) -> None:
    """Checked where the loop decides, and made elsewhere with another file."""
    old = campaign(tmp_path, config(generator=SMALL, **PLANE_WAVES))
    both = config(elements=["Si", "Ge"], generator=SMALL, **PLANE_WAVES)
    begun = WorkflowManager.resume(old, both, tmp_path / "start")
    labels = [label(b, tmp_path / "n", settings="another-file") for b in loop_state.batches(begun.folder)]
    with pytest.raises(InputError, match="these are of another-file"):
        begun.record(labels, tmp_path / "recorded")


def test_with_new_elements_a_key_that_cannot_be_looked_at_is_refused(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _gone(*_: object) -> str:
        raise MissingProgramError("package gone")

    monkeypatch.setitem(ENGINES, "tblite", replace(ENGINES["tblite"], key=_gone))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="was not looked at: package gone"):
        WorkflowManager.resume(old, config(elements=["Si", "Ge"], generator=SMALL), tmp_path / "start")
    hot = config(temperature_k=[300, 1800], generator=SMALL)
    begun = WorkflowManager.resume(old, hot, tmp_path / "hot")
    assert any("package gone" in note for note in label_doubts.read(begun.folder)["notes"])


def test_other_temperatures_have_a_hold_out_of_their_own(old: Path, tmp_path: Path) -> None:
    hot = config(temperature_k=[300, 1800], generator=SMALL)
    begun = WorkflowManager.resume(old, hot, tmp_path / "start")
    assert len(begun.checkpoint.holdout) > 3
    assert "temperatures 300-1800 K in place of 300-900 K" in label_doubts.read(begun.folder)["notes"][0]
    plans = [read_json(p.with_suffix(".json")) for p in loop_state.trajectories(begun.folder)]
    assert plans[-1]["exploration"]["temperature_end_k"] == 1800


def test_labels_of_another_key_never_join_without_new_elements(old: Path, tmp_path: Path) -> None:
    begun = WorkflowManager.resume(old, config(temperature_k=[300, 1800], generator=SMALL), tmp_path / "start")
    labels = [label(b, tmp_path / "n", settings="tblite-new") for b in loop_state.batches(begun.folder)]
    with pytest.raises(InputError, match="these are of tblite-new"):
        begun.record(labels, tmp_path / "recorded")


def test_a_pseudopotential_whose_file_is_another_by_now_is_refused(tmp_path: Path) -> None:
    if not DEBIAN_FOLDER.is_dir():
        pytest.skip("no pseudopotentials of Debian")
    (tmp_path / "Si.UPF").write_bytes((DEBIAN_FOLDER / "Si.pbe-rrkj.UPF").read_bytes())
    own = {"file": "Si.UPF", "ecutwfc_ry": 20.0, "ecutrho_ry": 80.0}
    dft = {"pseudopotentials": {"Si": own}, "pseudo_dir": str(tmp_path), "functional": "pbe"}
    settings = config(engine="quantum_espresso", dft=dft, generator=SMALL)
    key = key_of(settings)
    assert require_same_key(key, settings, settings, tmp_path) == ""
    with (tmp_path / "Si.UPF").open("a") as file:
        file.write("\n")
    with pytest.raises(InputError, match=f"labels of {key}, and the same settings are quantum_espresso-.* today"):
        require_same_key(key, settings, settings, tmp_path)
    (tmp_path / "Si.UPF").unlink()
    assert "was not looked at" in require_same_key(key, settings, settings, tmp_path)


def test_the_same_target_is_no_news() -> None:
    assert news(config(), config(convergence={"max_generations": 9})) == []
    assert news(config(), config(goal="elastic")) == []
    assert news(config(), config(structure="fcc")) == ["another target (crystal)"]


def test_elements_may_only_be_added(old: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"elements: \('Si',\) -> \('Ge',\), where elements may only be added"):
        WorkflowManager.resume(old, config(elements=["Ge"], generator=SMALL), tmp_path / "start")
    with pytest.raises(InputError, match="tblite_method: GFN1-xTB -> GFN2-xTB"):
        two = config(elements=["Si", "Ge"], dft={"tblite_method": "GFN2-xTB"}, generator=SMALL)
        WorkflowManager.resume(old, two, tmp_path / "start")


def test_new_elements_may_have_settings_of_their_own(tmp_path: Path) -> None:
    def settings(elements, **dft):
        cutoffs = {"pseudo_library": "gth", "ecutwfc_ry": 30.0, "ecutrho_ry": 120.0}
        return config(elements=elements, engine="quantum_espresso", generator=SMALL, dft={**cutoffs, **dft})

    silicon = settings(["Si"])
    require_same_labels(silicon, settings(["Si", "Ge"], moments_ub={"Ge": 0.5}), tmp_path)
    with pytest.raises(InputError, match="moments_ub"):
        require_same_labels(silicon, settings(["Si", "Ge"], moments_ub={"Si": 0.5}), tmp_path)
    with pytest.raises(InputError, match="ecutwfc_ry: 30.0 -> 40.0"):
        require_same_labels(silicon, settings(["Si", "Ge"], ecutwfc_ry=40.0), tmp_path)


def test_cutoffs_of_the_table_that_rise_with_an_element_are_refused(tmp_path: Path) -> None:
    given = {"engine": "quantum_espresso", "generator": SMALL, "dft": {"pseudo_library": "gth"}}
    silicon, carbide = config(elements=["Si"], **given), config(elements=["Si", "C"], **given)
    with pytest.raises(InputError, match="cutoffs of Si were .* Ry, those of Si, C are .* Ry"):
        require_same_labels(silicon, carbide, tmp_path)


def test_a_budget_that_does_not_hold_the_hold_out_is_refused(old: Path, tmp_path: Path) -> None:
    hot = config(
        temperature_k=[300, 1800], generator={**SMALL, "thermal_count": 10}, convergence={"max_labels": 10},
        loop={"holdout_labels": 20},
    )  # fmt: skip
    with pytest.raises(InputError, match=r"labels beside a hold-out of 20 .*larger convergence\.max_labels"):
        WorkflowManager.resume(old, hot, tmp_path / "start")
