from pathlib import Path

from gibbsflow.report.figures.learning.fate_figures import fates_figure


def test_bars_stand_on_each_other_and_what_is_not_made_yet_has_none(tmp_path: Path) -> None:
    rows = [
        {"generation": 0, "labelled": 8, "failed": 1, "screened": 4},
        {"generation": 1, "labelled": None, "failed": None, "screened": 3},
    ]
    svg, png = fates_figure(rows, tmp_path / "fates")
    first = svg.read_bytes()
    assert png.stat().st_size > 1000 and b"<svg" in first
    assert fates_figure(rows, tmp_path / "fates")[0].read_bytes() == first
    assert fates_figure(rows[:1], tmp_path / "fates")[0].read_bytes() != first
