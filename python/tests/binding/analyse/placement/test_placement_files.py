"""Runs in, a schedule out that `fe prepare` reads; runs that cannot be used are refused, by name."""

import csv

import pyarrow.parquet as pq
import pytest

from gibbsflow.binding.alchemy.schedules import read_schedule
from gibbsflow.binding.analyse.placement.placement_files import place_from_runs, read_distances, write_placement
from gibbsflow.errors import InputError, NumericalError
from gibbsflow.workflow.files import read_json

from .gaussians import charges, write_run

ROWS = charges(1.0, 0.75, 0.5, 0.25, 0.0)


def pace(row) -> float:
    return 5 * row[1] ** 2


def test_the_schedule_is_read_as_it_was_placed(tmp_path) -> None:
    placed = place_from_runs([write_run(tmp_path / "run", ROWS, pace)], spacing=1.0)
    figures = write_placement(placed, tmp_path, "guest solvent,\na pilot")
    assert read_schedule(str(tmp_path / "schedule.yaml")) == placed.states
    assert (tmp_path / "schedule.yaml").read_text().splitlines()[1] == "# guest solvent, a pilot"
    assert figures["windows"] == len(placed.states) == 6
    assert [s.lambda_electrostatics for s in placed.states] == pytest.approx(
        [1, 0.894, 0.775, 0.632, 0.447, 0], abs=0.04
    )
    content = read_json(tmp_path / "placement.json")
    assert content["states"] == [state.as_dict() for state in placed.states] and content["account"]["warnings"] == []
    with open(tmp_path / "distances.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["window"] for row in rows] == ["0", "1", "2", "3"]
    assert float(rows[0]["length"]) == pytest.approx(5 * (1 - 0.75**2), rel=0.1)
    assert (rows[-1]["lambda_sterics_from"], rows[-1]["lambda_sterics_to"]) == ("1.0", "0.0")


def test_replicates_and_windows_in_several_folders(tmp_path) -> None:
    one = write_run(tmp_path / "0", ROWS, pace, seed=1, count=400)
    parts = [
        write_run(tmp_path / "1a", ROWS, pace, seed=2, count=400, replicate=1, leave_out=(0, 1)),
        write_run(tmp_path / "1b", ROWS, pace, seed=2, count=400, replicate=1, leave_out=(2, 3, 4)),
    ]
    _, mean, _ = read_distances([one, *parts])
    singly = [read_distances(runs)[1].length for runs in ([one], parts)]
    assert mean.length == pytest.approx((singly[0] + singly[1]) / 2)


def test_a_leg_half_done_is_enough(tmp_path) -> None:
    run = write_run(tmp_path / "run", ROWS, pace, leave_out=(2,))
    assert len(place_from_runs([run], spacing=1.0).states) == 6


def test_little_to_measure_by_is_a_doubt(tmp_path) -> None:
    runs = [write_run(tmp_path / "few", ROWS, lambda row: row[1], count=3, leave_out=(1,))]
    few, absent = sorted(place_from_runs(runs).account.as_dict()["warnings"], key=lambda text: "has no" in text)
    assert "replicate 0 has fewer than 20 samples of windows 0, 2, 3, 4" in few
    assert "replicate 0 has no samples of window 1" in absent
    one_step = write_run(tmp_path / "near", ROWS, lambda _: 0.0, count=20)
    assert place_from_runs([one_step]).account.as_dict()["warnings"] == []


def test_what_cannot_be_used_is_refused_by_name(tmp_path) -> None:
    good = write_run(tmp_path / "good", ROWS, pace, count=30)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty.*no energies.*window_KK.parquet"):
        read_distances([good, tmp_path / "empty"])
    with pytest.raises(InputError, match="other.*states differs"):
        read_distances([good, write_run(tmp_path / "other", charges(1.0, 0.0), pace, replicate=1, count=30)])
    with pytest.raises(InputError, match="vac.*leg differs"):
        read_distances([good, write_run(tmp_path / "vac", ROWS, pace, replicate=1, leg="vacuum", count=30)])
    with pytest.raises(InputError, match=r"window 0 is also in"):
        read_distances([good, write_run(tmp_path / "twice", ROWS, pace, count=30)])
    with pytest.raises(InputError, match="one window of replicate 0 alone"):
        read_distances([write_run(tmp_path / "alone", ROWS, pace, leave_out=(1, 2, 3, 4), count=30)])
    with pytest.raises(InputError, match="1 windows.*2 to 99"):
        place_from_runs([good], windows=1)
    cut = write_run(tmp_path / "cut", ROWS, pace, count=30) / "window_02.parquet"
    cut.write_bytes(cut.read_bytes()[:200])
    with pytest.raises(InputError, match="window_02.parquet.*truncated"):
        read_distances([cut.parent])
    table = pq.read_table(good / "window_01.parquet")
    values = table["u_00"].to_numpy().copy()
    values[3] = float("nan")
    pq.write_table(table.set_column(table.column_names.index("u_00"), "u_00", [values]), good / "window_01.parquet")
    with pytest.raises(NumericalError, match="window_01.parquet.*u_00"):
        read_distances([good])


def test_states_of_another_program_are_refused(tmp_path) -> None:
    run = write_run(tmp_path / "run", ROWS, pace, count=30)
    for path in run.glob("*.parquet"):
        table = pq.read_table(path)
        meta = table.schema.metadata[b"gibbsflow"].replace(b"lambda_sterics", b"vdw-lambda")
        pq.write_table(table.replace_schema_metadata({b"gibbsflow": meta}), path)
    with pytest.raises(InputError, match=r"vdw-lambda.*those of gibbsflow"):
        read_distances([run])
