"""Window files: written and read back, and every fault named once."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from oscillators import TEMPERATURE_K, Oscillators

from gibbsflow.binding.sample.energies import META_NEEDED, read_leg, read_window, read_windows, write_window
from gibbsflow.errors import InputError, NumericalError


@pytest.fixture
def folder(tmp_path):
    return Oscillators(states=4).write(tmp_path / "leg", count=30)


def paths(folder):
    return sorted(folder.glob("*.parquet"))


def test_a_window_comes_back_as_it_was_written(tmp_path):
    names = dict.fromkeys(("leg", "transformation", "sampler", "engine"), "x")
    meta = {**dict.fromkeys(META_NEEDED, 1), **names, "states": [{"lambda_sterics": 1.0}, {"lambda_sterics": 0.0}]}
    u = np.array([[1.0, 2.5], [-3.0, 4.0], [0.0, 1e6]])
    write_window(tmp_path / "window_01.parquet", [0.5, 1.0, 1.5], 1, [0, 1, 0], u, meta)
    window = read_window(tmp_path / "window_01.parquet")
    assert window.window == 1
    assert window.time_ps.tolist() == [0.5, 1.0, 1.5]
    assert window.replica.tolist() == [0, 1, 0]
    assert (window.u == u).all()
    assert window.meta == meta
    columns = pq.read_schema(tmp_path / "window_01.parquet").names
    assert columns == ["time_ps", "window", "replica", "u_00", "u_01"]


def test_a_leg_is_in_the_order_of_its_states(folder):
    energies = read_leg(paths(folder)[::-1], temperature_k=TEMPERATURE_K)
    assert energies.sampled == [0, 1, 2, 3]
    assert len(energies.u_nk) == 4 * 30
    assert energies.u_nk.index.names == ["time", "state"]
    assert len(energies.replica) == len(energies.u_nk)


def test_writer_refuses_shapes_that_do_not_fit(tmp_path):
    meta = dict.fromkeys(META_NEEDED, 1) | {"states": [{}, {}]}
    with pytest.raises(ValueError, match=r"u is \(2, 3\), expected \(2, 2\)"):
        write_window(tmp_path / "w.parquet", [1, 2], 0, 0, np.zeros((2, 3)), meta)
    with pytest.raises(ValueError, match="lacks seed"):
        write_window(tmp_path / "w.parquet", [1], 0, 0, [[0, 0]], {k: v for k, v in meta.items() if k != "seed"})


def test_truncated_file(folder):
    path = paths(folder)[2]
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"window_02.parquet: truncated or not Parquet"):
        read_leg(paths(folder))


def test_empty_file(folder):
    paths(folder)[1].write_bytes(b"")
    with pytest.raises(InputError, match=r"window_01.parquet: empty file"):
        read_leg(paths(folder))


def test_absent_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_leg([tmp_path / "window_00.parquet"])


def test_no_files():
    with pytest.raises(InputError, match="--input: no files"):
        read_windows([])


def test_missing_windows_are_named(folder):
    for path in paths(folder)[1:3]:
        path.unlink()
    with pytest.raises(InputError, match="windows 1, 2 of 4 are missing"):
        read_leg(paths(folder))
    energies = read_leg(paths(folder), allow_missing=True)
    assert energies.missing == (1, 2)
    assert energies.sampled == [0, 3]


def test_other_temperature(folder):
    with pytest.raises(InputError, match=r"was run at 298.15 K, not 310 K .*--temperature 298.15"):
        read_leg(paths(folder), temperature_k=310.0)


def test_nan_energy_names_row_and_column(folder):
    window = read_window(paths(folder)[3])
    u = window.u.copy()
    u[6, 2] = np.nan
    write_window(window.path, window.time_ps, 3, window.replica, u, window.meta)
    with pytest.raises(NumericalError, match=r"window_03.parquet, row 7, u_02: nan is no energy"):
        read_leg(paths(folder))


@pytest.mark.parametrize("times", [[1, 2, 2], [1, 3, 2], [1, np.nan, 3]])
def test_samples_that_come_twice_or_out_of_order(folder, times):
    """Samples counted twice would make errors too small."""
    window = read_window(paths(folder)[3])
    write_window(window.path, times, 3, 0, window.u[:3], window.meta)
    with pytest.raises(InputError, match=r"window_03.parquet, row [23], time_ps: .* ps is not after the sample before"):
        read_leg(paths(folder))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("temperature_k", -3), ("temperature_k", "hot"), ("temperature_k", 10**400), ("replicate", "zero"),
        ("replicate", -1), ("leg", ["x"]), ("transformation", None), ("states", {"0": {}}), ("states", []),
        ("states", [{"lambda_sterics": "x"}] * 4),
    ],
)  # fmt: skip
def test_metadata_of_the_wrong_kind_is_refused_by_its_name(folder, key, value):
    path = paths(folder)[2]
    table = pq.read_table(path)
    meta = {**read_window(path).meta, key: value}
    pq.write_table(table.replace_schema_metadata({"gibbsflow": json.dumps(meta)}), path)
    with pytest.raises(InputError, match=f"window_02.parquet, {key}: .* in the metadata .right: "):
        read_leg(paths(folder))


@pytest.mark.parametrize(("column", "cells"), [("u_01", "x"), ("window", 3.0), ("replica", None), ("time_ps", None)])
def test_columns_that_hold_no_numbers(folder, column, cells):
    path = paths(folder)[3]
    table = pq.read_table(path)
    place = table.column_names.index(column)
    pq.write_table(table.set_column(place, column, pa.array([cells] * len(table))), path)
    with pytest.raises(InputError, match=f"window_03.parquet, {column}: .* empty .right: a number each row"):
        read_leg(paths(folder))


def test_other_states(folder, tmp_path):
    other = Oscillators(states=4).write(tmp_path / "other", count=30)
    window = read_window(other / "window_01.parquet")
    states = [dict(state, lambda_sterics=0.25) for state in window.meta["states"]]
    write_window(folder / "window_01.parquet", window.time_ps, 1, 0, window.u, {**window.meta, "states": states})
    with pytest.raises(InputError, match=r"window_01.parquet: states differs from .*window_00.parquet"):
        read_leg(paths(folder))


def test_other_leg(folder, tmp_path):
    other = Oscillators(states=4).write(tmp_path / "other", leg="solvent", count=30)
    with pytest.raises(InputError, match=r"leg differs from .* \(solvent and complex\)"):
        read_leg([*paths(folder)[:3], other / "window_03.parquet"])


def test_one_window_twice(folder, tmp_path):
    again = Oscillators(states=4).write(tmp_path / "again", count=30)
    with pytest.raises(InputError, match="window 2 is also in"):
        read_leg([*paths(folder), again / "window_02.parquet"])


def test_parquet_of_something_else(tmp_path, folder):
    table = pq.read_table(paths(folder)[0]).replace_schema_metadata({})
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(InputError, match="metadata lacks temperature_k"):
        read_leg([tmp_path / "x.parquet"])
