"""Hours by item and part, of states whose hours are known."""

import os

import pytest

from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.folders.folder_tree import FolderTree
from gibbsflow.workflow.hours.engine_hours import EngineHours, Hours, campaign_hours, looked_into
from gibbsflow.workflow.hours.pace import PROGRESS, Held


def leave(root, place, **times):
    (root / place).mkdir(parents=True, exist_ok=True)
    write_json(root / place / PROGRESS, times)


@pytest.fixture
def root(tmp_path):
    leave(tmp_path, "cb7/b2/equil", engine_s=3600.0, core_s=7200.0, gpu_s=1800.0)
    leave(tmp_path, "cb7/b2/equil/superseded-000", engine_s=36.0)
    leave(tmp_path, "cb7/b2/complex/replicate_0/window_00", engine_s=360.0, core_s=360.0, gpu_s=0)
    leave(tmp_path, "generation_01/md/trajectory_00", engine_s=72.0)
    leave(tmp_path, "generation_01/fitting", engine_s=36.0, core_s=72.0)
    leave(tmp_path, "labels/tblite-1/gf-1", engine_s=1e9)
    leave(tmp_path, ".killed", engine_s=1e9)
    leave(tmp_path, ".", engine_s=1e9)
    return tmp_path


def test_by_item_and_part_failed_attempts_included(root):
    found = campaign_hours(root, lambda part: Held(10, part == "equil"))
    assert found.parts == {
        ("b2", "complex"): Hours(0.1, 0.1, 0.0),
        ("b2", "equil"): Hours(1.01, 2.1, 0.51),
        ("generation_01", "fitting"): Hours(0.01, 0.02, 0.0),
        ("generation_01", "md"): Hours(0.02, 0.2, 0.0),
    }
    assert found.items["b2"] == Hours(1.11, 2.2, 0.51) and found.whole.engine_h == pytest.approx(1.14)
    assert found.unread == ()


def test_only_what_has_changed_is_read_again(root):
    for home, _, _ in os.walk(root):
        os.utime(home, (1, 1))
    hours, tree = EngineHours(root), FolderTree(str(root), (PROGRESS,), looked_into)
    first = hours.take(tree.look())
    assert hours.take(tree.look()) is first
    leave(root, "cb7/b2/equil", engine_s=7200.0)
    assert hours.take(tree.look()).items["b2"].engine_h == pytest.approx(2.11)
    (root / "cb7/b2/equil" / PROGRESS).write_text("{")
    found = hours.take(tree.look())
    assert found.items["b2"].engine_h == pytest.approx(0.11) and PROGRESS in found.unread[0]
    (root / "cb7/b2/equil" / PROGRESS).unlink()
    assert hours.take(tree.look()).unread == ()


def test_one_calculation_is_an_item_of_its_own(root):
    found = EngineHours(root / "cb7/b2/equil", of_campaign=False).take(
        FolderTree(str(root / "cb7/b2/equil"), (PROGRESS,), looked_into).look()
    )
    assert set(found.items) == {"."} and found.whole.engine_h == pytest.approx(1.01)
