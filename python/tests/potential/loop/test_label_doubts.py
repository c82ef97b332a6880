from __future__ import annotations

from pathlib import Path

from gibbsflow.potential.loop import label_doubts
from gibbsflow.workflow.files import write_json


def test_doubts_are_summed_over_batches_and_generations(tmp_path: Path) -> None:
    said = [
        {"warnings": ["1 frame is charged"], "notes": ["isolated atoms are computed spin-polarised"]},
        {"warnings": ["3 frames are charged"], "notes": ["isolated atoms are computed spin-polarised"]},
        {"status": "finished"},
    ]
    for number, content in enumerate(said):
        write_json(tmp_path / f"labels_{number}" / "result.json", content)
    before, after = tmp_path / "before", tmp_path / "after"
    label_doubts.hand_on(tmp_path, before, [tmp_path / "labels_0"])
    label_doubts.hand_on(before, after, [tmp_path / "labels_1", tmp_path / "labels_2", tmp_path / "absent"])
    assert label_doubts.read(before)["warnings"] == ["1 frame is charged"]
    assert label_doubts.read(after) == {
        "warnings": ["4 frames are charged"],
        "notes": ["isolated atoms are computed spin-polarised"],
    }


def test_where_nothing_was_said_there_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "after").mkdir()
    label_doubts.hand_on(tmp_path, tmp_path / "after")
    assert not list((tmp_path / "after").iterdir())
    assert label_doubts.read(tmp_path / "after") == {"warnings": [], "notes": []}
