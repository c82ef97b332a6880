"""GROMACS files: published data read, damaged ones refused by file and line."""

import bz2
from pathlib import Path

import alchemtest.gmx
import numpy as np
import pandas as pd
import pytest
from alchemlyb.parsing import gmx
from xvg_ladder import Ladder, exact_kt, parts_of, put

from gibbsflow.binding.analyse.estimators import fit_mbar
from gibbsflow.binding.analyse.readers.gromacs_energies import read_leg
from gibbsflow.errors import InputError

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
    with pytest.raises(InputError, match=r"4.xvg, row 71: nan in the column 'ΔH λ to 0.2500', 1 rows so"):
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


def test_values_are_those_of_alchemlyb():
    read = read_leg(COULOMB)
    theirs = pd.concat([gmx.extract_u_nk(str(path), T=300.0) for path in COULOMB])
    assert np.array_equal(read.u_nk.to_numpy(), theirs.to_numpy())
    gradients = pd.concat([gmx.extract_dHdl(str(path), T=300.0) for path in COULOMB])
    assert np.array_equal(read.dhdl.to_numpy(), gradients.to_numpy())


def test_a_row_that_breaks_off_within_its_last_number(files):
    files[3].write_text(files[3].read_text()[:-4])
    with pytest.raises(InputError, match=r"3.xvg, row 71: the last line has no end"):
        read_leg(files)


def test_files_of_two_windows_put_together(files, texts):
    files[3].write_text(texts[3] + texts[4])
    with pytest.raises(InputError, match=r"3.xvg, row 88: a second header that differs from the first"):
        read_leg(files[:4])


def test_a_header_of_another_window(tmp_path):
    ladder = Ladder()
    files = ladder.write(tmp_path)
    put(files[1], ladder.head(2) + ladder.rows(1))
    with pytest.raises(InputError, match=r"1.xvg: its header says state 2, and its energies are zero in state 1"):
        read_leg([files[0], files[1], *files[3:]])


@pytest.mark.parametrize(("digits", "step"), [(4, 1e-4), (4, 1e-6), (5, 1e-5)])
def test_states_that_are_close_are_told_apart(tmp_path, digits, step):
    """Closer than the digits printed, they are told apart by their numbers, or, where no energy tells them, are one."""
    ladder = Ladder(lambdas=(0.0, step, 0.5, 1.0), digits=digits)
    read = read_leg(ladder.write(tmp_path))
    assert read.missing == () and len(read.u_nk) == 1600
    fitted = fit_mbar(read.u_nk)
    value, error = fitted.delta_f_.iloc[0, -1], fitted.d_delta_f_.iloc[0, -1]
    assert abs(value - exact_kt(0, 1)) < 3 * error


def test_a_state_that_is_listed_twice_and_run_twice(tmp_path):
    read = read_leg(Ladder(lambdas=(0.0, 0.5, 0.5, 1.0)).write(tmp_path))
    assert read.missing == () and list(read.account.facts["samples"].values()) == [400, 800, 400]
    assert read.u_nk.index.is_unique
    assert "state 1 (fep-lambda = 0.5): 2 runs, put one after another" in str(read.account.doubts[0])
    fitted = fit_mbar(read.u_nk)
    assert abs(fitted.delta_f_.iloc[0, -1] - exact_kt(0, 1)) < 3 * fitted.d_delta_f_.iloc[0, -1]


def test_expanded_ensemble(tmp_path):
    ladder = Ladder(frames=1)
    order = np.random.default_rng(3).integers(0, 5, 2000)
    rows = []
    for number, state in enumerate(order):
        time, rest = ladder.rows(state, start_ps=2.0 * number)[0].split(" ", 1)
        rows.append(f"{time} {state}.0000 {rest}")
    path = put(tmp_path / "dhdl.xvg", ladder.head(None, ["Thermodynamic state"]) + rows)
    read = read_leg([path])
    assert list(read.account.facts["samples"].values()) == np.bincount(order).tolist()
    fitted = fit_mbar(read.u_nk)
    assert abs(fitted.delta_f_.iloc[0, -1] - exact_kt(0, 1)) < 3 * fitted.d_delta_f_.iloc[0, -1]
    assert read.dhdl.groupby(level="fep-lambda").size().tolist() == np.bincount(order).tolist()
    assert "expanded ensemble" in str(read.account.doubts[0])
    rows[7] = rows[7].replace(f" {order[7]}.0000", " 9.0000", 1)
    put(path, ladder.head(None, ["Thermodynamic state"]) + rows)
    with pytest.raises(InputError, match=r"row \d+: thermodynamic state 9 \(right: a whole number from 0 to 4\)"):
        read_leg([path])


def test_the_odd_temperature_among_files(tmp_path):
    files = Ladder().write(tmp_path)
    files[2].write_text(files[2].read_text().replace("T = 300", "T = 310"))
    with pytest.raises(InputError, match=r"2.xvg: was run at 310 K, the other 4 files at 300 K"):
        read_leg(files, temperature_k=310.0)


def column(path, number, text, row=5):
    head, rows = parts_of(path)
    fields = rows[row].split()
    fields[number] = text
    rows[row] = " ".join(fields)
    put(path, head + rows)


def test_a_gradient_that_is_no_number_costs_the_integral_alone(tmp_path):
    files = Ladder().write(tmp_path)
    whole = read_leg(files)
    column(files[2], 1, "nan")
    read = read_leg(files)
    assert np.array_equal(read.u_nk, whole.u_nk) and read.dhdl is None
    assert read.meta["no_ti"] == "2.xvg: dH/dλ is no number in 1 rows (first: row 15)"
    assert [doubt.weight for doubt in read.account.doubts] == ["note"]


def test_published_expanded_ensembles_have_their_values_and_no_warning():
    """Their gradients are infinite where an atom is met; MBAR's values are those of alchemlyb's own tests."""
    (files,) = alchemtest.gmx.load_expanded_ensemble_case_1()["data"].values()
    read = read_leg(files)
    assert fit_mbar(read.u_nk).delta_f_.iloc[0, -1] == pytest.approx(75.923, abs=1e-3)
    assert {doubt.weight for doubt in read.account.doubts} == {"note"} and read.dhdl is None


def test_infinity_in_a_foreign_state_has_no_weight_there(tmp_path):
    files = Ladder().write(tmp_path)
    fitted = fit_mbar(read_leg(files).u_nk)
    column(files[0], 6, "inf")
    read = read_leg(files)
    assert read.account.facts["infinite_energies"] == 1
    assert np.allclose(fit_mbar(read.u_nk).delta_f_, fitted.delta_f_, atol=5e-3)


@pytest.mark.parametrize(("number", "text"), [(2, "inf"), (6, "-inf"), (6, "nan"), (0, "nan")])
def test_other_energies_that_are_no_numbers_are_refused(tmp_path, number, text):
    files = Ladder().write(tmp_path)
    column(files[0], number, text)
    with pytest.raises(InputError, match=rf"0.xvg, row 15: {text} in the column"):
        read_leg(files)


def test_a_missing_window_is_named_with_its_lambda(tmp_path):
    files = Ladder(lambdas=(0.0, 0.0001, 0.5, 1.0)).write(tmp_path)
    read = read_leg([files[0], *files[2:]], allow_missing=True)
    assert read.missing == (1,)
    assert str(read.account.doubts[0]).endswith("no samples of window 1: fep-lambda = 0.0001")
