"""Window files of a transformation: where each belongs, also where it cannot be read."""

from pathlib import Path

import alchemtest.amber
import alchemtest.gmx
import numpy as np
import pytest
from oscillators import Oscillators
from xvg_ladder import Ladder

from gibbsflow.binding.analyse import collect
from gibbsflow.binding.analyse.collect import group_windows, read_undamaged
from gibbsflow.errors import InputError
from gibbsflow.workflow.files import write_json

LEG = Oscillators(3)


@pytest.fixture
def folders(tmp_path):
    """Two legs, the complex twice."""
    runs = [("complex", 0), ("complex", 1), ("solvent", 0)]
    return {run: LEG.write(tmp_path / f"{run[0]}{run[1]}", leg=run[0], replicate=run[1], count=5) for run in runs}


def windows(folders):
    return [path for folder in folders.values() for path in folder.glob("*.parquet")]


def test_windows_are_sorted_by_leg_and_replicate(folders):
    groups = group_windows(windows(folders)[::-1], "guest")
    assert groups == {run: sorted(folder.glob("*.parquet")) for run, folder in folders.items()}


def test_a_damaged_file_goes_with_those_beside_it(folders):
    damaged = folders["complex", 1] / "window_01.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-50])
    groups = group_windows(windows(folders), "guest")
    assert damaged in groups["complex", 1] and len(groups["complex", 1]) == 3
    good, why = read_undamaged(groups["complex", 1])
    assert [window.window for window in good] == [0, 2]
    assert len(why) == 1 and str(damaged) in why[0] and "truncated" in why[0]


def test_a_damaged_file_alone_goes_where_the_result_beside_it_says(folders, tmp_path):
    alone = tmp_path / "alone" / "window_00.parquet"
    alone.parent.mkdir()
    alone.touch()
    with pytest.raises(InputError, match=r"window_00.parquet: empty file"):
        group_windows([*windows(folders), alone], "guest")
    write_json(alone.parent / "result.json", {"leg": "solvent", "replicate": 1})
    assert group_windows([*windows(folders), alone], "guest")["solvent", 1] == [alone]
    write_json(alone.parent / "result.json", {"leg": "solvent"})
    with pytest.raises(InputError, match="empty file"):
        group_windows([*windows(folders), alone], "guest")


def test_a_file_of_another_transformation(folders):
    with pytest.raises(InputError, match=r"belongs to transformation guest \(right: other\)"):
        group_windows(windows(folders), "other")


def test_energies_that_are_no_numbers_are_damage(folders, tmp_path):
    broken = Oscillators(3)
    broken.c[1] = float("nan")
    folder = broken.write(tmp_path / "nan", count=5)
    good, why = read_undamaged(sorted(folder.glob("*.parquet")))
    assert good == [] and len(why) == 3 and all("nan is no energy" in reason for reason in why)


def test_the_program_is_told_by_the_files(tmp_path):
    coulomb = Path(alchemtest.gmx.load_benzene()["data"]["Coulomb"][0])
    output = Path(alchemtest.amber.load_bace_example()["data"]["solvated"]["decharge"][0])
    window = sorted(Oscillators(2).write(tmp_path / "leg", count=3).glob("*.parquet"))[0]
    assert [collect.format_of(path) for path in (coulomb, output, window)] == ["gromacs", "amber", "gibbsflow"]
    (tmp_path / "notes.txt").write_text("no energies\n")
    with pytest.raises(InputError, match=r"notes.txt: energies of no program that is known"):
        collect.read_leg([tmp_path / "notes.txt"])
    with pytest.raises(InputError, match="files of several programs"):
        collect.read_leg([coulomb, window])


def test_whoever_wrote_them_they_are_read_alike(tmp_path):
    files = Ladder().write(tmp_path)
    assert np.array_equal(collect.read_leg(files).u_nk, collect.read_leg(files, "gromacs").u_nk)
    windows = sorted(Oscillators(3).write(tmp_path / "leg", count=30).glob("*.parquet"))
    read = collect.read_leg(windows)
    assert np.array_equal(read.u_nk, collect.read_leg(windows, "parquet").u_nk)
    assert read.account.facts["samples"] == {"0": 30, "1": 30, "2": 30}
