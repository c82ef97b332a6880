"""GROMACS files: published data read, damaged ones refused by file and line."""

import bz2
from pathlib import Path

import alchemtest.gmx
import pytest

from gibbsflow.binding.analyse.gromacs_energies import read_leg
from gibbsflow.errors import InputError, NumericalError

COULOMB = [Path(path) for path in alchemtest.gmx.load_benzene()["data"]["Coulomb"]]


@pytest.fixture(scope="module")
def texts():
    """The five windows, shortened to 40 samples."""
    return ["".join(bz2.open(path, "rt").readlines()[:71]) for path in COULOMB]


@pytest.fixture
def files(texts, tmp_path):
    made = []
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.xvg"
        path.write_text(text)
        made.append(path)
    return made


def test_plain_and_compressed_files_are_read_alike(files, texts, tmp_path):
    packed = tmp_path / "0.xvg.bz2"
    packed.write_bytes(bz2.compress(texts[0].encode()))
    plain, mixed = read_leg(files), read_leg([packed, *files[1:]])
    assert (plain.u_nk == mixed.u_nk).all(axis=None)
    assert plain.temperature_k == 300
    assert plain.states[1] == {"fep-lambda": 0.25}
    assert plain.dhdl is not None


def test_order_of_the_files_does_not_matter(files):
    assert (read_leg(files).u_nk == read_leg(files[::-1]).u_nk).all(axis=None)


def test_a_window_may_go_on_in_a_second_file(files, texts, tmp_path):
    lines = texts[2].splitlines(keepends=True)
    head = [line for line in lines if line[0] in "#@"]
    rows = [line for line in lines if line[0] not in "#@"]
    files[2].write_text("".join(head + rows[:15]))
    (tmp_path / "2b.xvg").write_text("".join(head + rows[15:]))
    assert len(read_leg([*files, tmp_path / "2b.xvg"]).u_nk) == len(rows) * 5


def test_samples_given_twice(files, tmp_path):
    copy = tmp_path / "copy.xvg"
    copy.write_text(files[1].read_text())
    with pytest.raises(InputError, match=r"copy.xvg: samples of state 1 at the same times as in .*1.xvg"):
        read_leg([*files, copy])


def test_truncated_line(files):
    files[3].write_text(files[3].read_text()[:-30])
    with pytest.raises(InputError, match=r"3.xvg, row 71: \d numbers instead of 8: truncated"):
        read_leg(files)


def test_truncated_bz2(files, tmp_path):
    packed = tmp_path / "t.xvg.bz2"
    packed.write_bytes(COULOMB[0].read_bytes()[:5000])
    with pytest.raises(InputError, match=r"t.xvg.bz2: truncated: the compressed file breaks off"):
        read_leg([packed, *files[1:]])


def test_empty_file(files):
    files[0].write_text("")
    with pytest.raises(InputError, match=r"0.xvg: empty file"):
        read_leg(files)


def test_header_without_samples(files):
    files[0].write_text("".join(line for line in files[0].read_text().splitlines(keepends=True) if line[0] in "#@"))
    with pytest.raises(InputError, match=r"0.xvg: no samples"):
        read_leg(files)


def test_nan(files):
    text = files[4].read_text().splitlines()
    text[-1] = text[-1].replace(text[-1].split()[3], "nan")
    files[4].write_text("\n".join(text) + "\n")
    with pytest.raises(NumericalError, match=r"4.xvg, row 71: NaN or infinite energy"):
        read_leg(files)


def test_missing_windows(files):
    with pytest.raises(InputError, match="windows 1, 3 of 5 are missing"):
        read_leg([files[0], files[2], files[4]])


def test_other_temperature_asked_for(files):
    with pytest.raises(InputError, match=r"was run at 300 K, not 298.15 K"):
        read_leg(files, temperature_k=298.15)


def test_files_of_other_states(files):
    vdw = Path(alchemtest.gmx.load_benzene()["data"]["VDW"][3])
    with pytest.raises(InputError, match="its states differ"):
        read_leg([*files[:4], vdw])


def test_nothing_in_a_legend_is_evaluated(files, tmp_path):
    trap = tmp_path / "trap"
    legend = f'to __import__(\\"pathlib\\").Path(\\"{trap}\\").touch()'
    files[0].write_text(files[0].read_text().replace("to 0.0000", legend))
    with pytest.raises(InputError, match="no energies in its own state"):
        read_leg(files)
    assert not trap.exists()


def test_something_else(tmp_path):
    path = tmp_path / "notes.xvg"
    path.write_text("not a table\n")
    with pytest.raises(InputError, match=r"notes.xvg, row 1"):
        read_leg([path])
