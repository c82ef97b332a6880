"""AMBER outputs: alchemlyb's values from published data, damaged outputs refused by file and line."""

import bz2
import re
from pathlib import Path

import alchemtest.amber
import numpy as np
import pandas as pd
import pytest
from alchemlyb.estimators import BAR, MBAR, TI
from alchemlyb.parsing import amber

from gibbsflow.binding.analyse import estimators
from gibbsflow.binding.analyse.integration import estimate_ti
from gibbsflow.binding.analyse.readers.amber_energies import read_leg
from gibbsflow.errors import InputError

DECHARGE = sorted(alchemtest.amber.load_bace_example()["data"]["solvated"]["decharge"])
CHARGE = sorted(alchemtest.amber.load_simplesolvated()["data"]["charge"])
KEPT_LINES = 2100
"""The header and the first 28 blocks of energies."""


@pytest.fixture(scope="module")
def texts():
    return [bz2.open(path, "rt").read() for path in DECHARGE]


@pytest.fixture
def files(texts, tmp_path):
    """The five windows, shortened to whole blocks."""
    made = []
    for number, text in enumerate(texts):
        lines = text.splitlines(keepends=True)[:KEPT_LINES]
        last = max(k for k, line in enumerate(lines) if line.startswith("MBAR Energy"))
        made.append(tmp_path / f"{number}.out")
        made[-1].write_text("".join(lines[:last]))
    return made


def told(energies):
    return [f"{doubt.weight}: {doubt}" for doubt in energies.account.doubts]


def test_published_windows_have_the_values_of_alchemlyb():
    read = read_leg(DECHARGE, temperature_k=298.0)
    theirs = pd.concat([amber.extract_u_nk(path, T=298.0) for path in DECHARGE])
    assert np.array_equal(read.u_nk.to_numpy(), theirs.to_numpy())
    assert told(read) == [] and read.account.facts["samples"] == {str(k): 500 for k in range(5)}
    correlation, uncorrelated = estimators.decorrelated(read)
    _, mbar = estimators.estimate_mbar(read, correlation, uncorrelated, "never")
    bar = estimators.estimate_bar(read, correlation, uncorrelated, "never")
    ti = estimate_ti(read, "never")
    gradients = pd.concat([amber.extract_dHdl(path, T=298.0) for path in DECHARGE])
    for ours, fitted in ((mbar, MBAR().fit(theirs)), (bar, BAR().fit(theirs)), (ti, TI().fit(gradients))):
        assert ours.dg_kt == pytest.approx(fitted.delta_f_.iloc[0, -1], abs=1e-6)


def test_outputs_without_mbar_energies_are_integrated():
    read = read_leg(CHARGE)
    gradients = pd.concat([amber.extract_dHdl(path, T=298.0) for path in CHARGE])
    expected = TI().fit(gradients).delta_f_.iloc[0, -1]
    assert read.u_nk.empty and estimate_ti(read, "never").dg_kt == pytest.approx(expected, abs=1e-9)
    assert "no MBAR energies (ifmbar = 0): thermodynamic integration alone, from clambda 0 to 1" in told(read)[0]


def test_outputs_of_which_one_has_no_mbar_energies(files):
    text = files[2].read_text().replace("ifmbar  =       1", "ifmbar  =       0")
    files[2].write_text(text)
    with pytest.raises(InputError, match=r"2.out: no MBAR energies, which other windows have"):
        read_leg(files)


def test_an_output_that_was_cut_after_a_block_is_read(files):
    read = read_leg(files)
    assert len(told(read)) == 5 and "note" in told(read)[0] and "the run did not end by itself" in told(read)[0]


ENERGIES = "".join(f"Energy at {k / 4:.4f} =   -7713.{k}\n" for k in range(5))


@pytest.mark.parametrize(
    "cut",
    [
        "", "Energy at 0.0000 =   -7713.1\nEnergy at 0.2500 =   -77", "Energy a", "Energy at 0.0000 =",
        "Energy at 0.0000 =   ", "Energy at 0.0000 =   -", "Energy at 0.0000 =   -7713.1\n", ENERGIES, ENERGIES[:-1],
        ENERGIES + " -",
    ],
)  # fmt: skip
def test_the_block_that_a_killed_run_was_writing_is_left_out(files, cut):
    whole = read_leg(files)
    rows = files[1].read_text().count("\n")
    files[1].write_text(files[1].read_text() + "MBAR Energy analysis:\n" + cut)
    read = read_leg(files)
    assert read.u_nk.equals(whole.u_nk) and read.dhdl.equals(whole.dhdl)
    count = len(re.findall("[0-9]\n", cut))
    note = f"row {rows + 1}: it breaks off in a block of MBAR energies, after {count} of 5"
    assert any(note in text and "is left out" in text for text in told(read)), told(read)


def test_a_number_that_a_killed_run_was_writing_is_no_gradient(files):
    whole = read_leg(files)
    text = files[1].read_text() + " NSTEP =  99999   TIME(PS) =   1999.998\n DV/DL  =        -1"
    files[1].write_text(text)
    assert read_leg(files).dhdl.equals(whole.dhdl)


@pytest.mark.parametrize("after", ["Energy at 0.2500 =   -77\n and on\n", "x\n", "\n   5.  TIMINGS\n"])
def test_a_block_that_is_damaged_and_not_cut_is_refused(files, after):
    files[1].write_text(files[1].read_text() + "MBAR Energy analysis:\nEnergy at 0.0000 =   -7713.1\n" + after)
    with pytest.raises(InputError, match=r"1.out, row \d+: (a block of . MBAR energies instead of 5|truncated)"):
        read_leg(files)


def test_a_run_that_was_killed_in_its_first_block_has_no_samples(files):
    text = files[1].read_text()
    files[1].write_text(
        text[: text.index("MBAR Energy analysis")] + "MBAR Energy analysis:\nEnergy at 0.0000 =   -1.0\n"
    )
    with pytest.raises(InputError, match=r"1.out, row \d+: truncated: it breaks off in a block of MBAR energies"):
        read_leg(files)


def test_a_block_that_is_missing_among_others_is_a_doubt(files):
    whole = read_leg(files)
    head, block, rest = files[1].read_text().rpartition("MBAR Energy analysis")
    files[1].write_text(head + rest[rest.index(" ---") :].partition("\n")[2])
    cut = read_leg(files)
    assert len(cut.u_nk) == len(whole.u_nk) - 1 and block
    assert not [text for text in told(whole) if "blocks of MBAR" in text]
    assert [text for text in told(cut) if "warn" in text and "blocks of MBAR energies, where its" in text]


def energy(path, state, value):
    """Put something else in the place of one energy of the third block."""
    lines = path.read_text().splitlines(keepends=True)
    start = [k for k, line in enumerate(lines) if line.startswith("MBAR Energy")][2]
    lines[start + 1 + state] = lines[start + 1 + state].split("=")[0] + f"=  {value}\n"
    path.write_text("".join(lines))
    return start + 2 + state


def test_asterisks_in_a_foreign_state_have_no_weight(files):
    energy(files[0], 4, "************")
    read = read_leg(files)
    assert read.account.facts["infinite_energies"] == 1 and np.isfinite(read.u_nk.to_numpy()).all()


def test_asterisks_in_the_own_state_are_refused(files):
    row = energy(files[0], 0, "************")
    with pytest.raises(InputError, match=rf"0.out, row {row - 1}: the energy of its own state is infinite"):
        read_leg(files)


def test_nan_is_refused(files):
    row = energy(files[0], 3, "NaN")
    with pytest.raises(InputError, match=rf"0.out, row {row}: NaN is no energy"):
        read_leg(files)


@pytest.mark.parametrize("value", ["NaN", "************"])
def test_a_gradient_that_is_no_number_costs_the_integral_alone(files, value):
    lines = files[3].read_text().splitlines(keepends=True)
    place = [k for k, line in enumerate(lines) if line.startswith(" DV/DL")][4]
    lines[place] = f" DV/DL  = {value}\n"
    files[3].write_text("".join(lines))
    read = read_leg(files)
    assert read.dhdl is None and read.meta["no_ti"] == f"3.out: dV/dλ is no number ({value}, row {place + 1})"
    assert any(line.startswith("note") for line in told(read))


def test_an_output_given_twice_counts_once(files):
    once, twice = read_leg(files), read_leg([*files, files[2]])
    assert np.array_equal(once.u_nk, twice.u_nk) and np.array_equal(once.dhdl, twice.dhdl)


def test_restarts_of_a_window_are_joined_and_what_they_share_counts_once(files):
    whole, lines = read_leg(files), files[2].read_text().splitlines(keepends=True)
    blocks = [k for k, line in enumerate(lines) if line.startswith("MBAR Energy")]
    head = next(k for k, line in enumerate(lines) if "4.  RESULTS" in line) + 1
    begun = re.compile(r"(begin time read from input coords =\s*)([0-9.]+)")
    times = whole.u_nk.loc[(slice(None), 2), :].index.get_level_values("time")
    start = "".join(lines[:head])
    later = begun.sub(lambda found: f"{found[1]}{times[9] - (times[1] - times[0]):.3f}", start)
    assert later != start
    second = files[2].with_name("2b.out")
    second.write_text(later + "".join(lines[blocks[9] :]))
    files[2].write_text("".join(lines[: blocks[14]]))
    joined = read_leg([second, *files])
    assert np.array_equal(whole.u_nk, joined.u_nk)
    for name in ("time", "state"):
        np.testing.assert_allclose(*(e.u_nk.index.get_level_values(name) for e in (whole, joined)), atol=1e-3)
    assert any("5 frames that are there already, each used once" in line for line in told(joined))


def test_the_odd_temperature_is_named(files):
    files[4].write_text(files[4].read_text().replace("temp0   = 298.00000", "temp0   = 310.00000"))
    with pytest.raises(InputError, match=r"4.out: was run at 310 K, the other 4 files at 298 K"):
        read_leg(files)


def test_lambdas_that_are_listed_from_one_to_zero_do_not_turn_the_sign(files):
    wanted = read_leg(files).u_nk
    for path in files:
        text = re.sub(
            r"(?m)(?:^Energy at .*\n)+", lambda block: "".join(block[0].splitlines(True)[::-1]), path.read_text()
        )
        head = re.compile(r"( total: )(.*)")
        path.write_text(head.sub(lambda row: row[1] + " " + " ".join(row[2].split()[::-1]), text))
    found = read_leg(files)
    assert [state["clambda"] for state in found.states] == sorted(state["clambda"] for state in found.states)
    pd.testing.assert_frame_equal(found.u_nk, wanted)


def test_a_missing_window_is_named(files):
    with pytest.raises(InputError, match="window 2 of 5 is missing"):
        read_leg(files[:2] + files[3:])
    read = read_leg(files[:2] + files[3:], allow_missing=True)
    assert any("no samples of window 2: clambda = 0.5" in line for line in told(read))


def test_a_state_of_its_own_that_is_not_listed():
    (odd,) = [p for p in alchemtest.amber.load_bace_improper()["data"]["vdw"] if "0.5626" in p]
    with pytest.raises(InputError, match=r"its own clambda 0.5 is not among its mbar_lambda"):
        read_leg([odd])


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("no_control_data", "no temp0|CONTROL DATA"),
        ("no_atomic_section", "ATOMIC"),
        ("no_results_section", "RESULTS"),
        ("no_temp0_set", "temp0"),
        ("no_free_energy_info", "no free energy section"),
        ("no_starting_simulation_time", "starting simulation time"),
        ("none_in_mbar", "MBAR"),
    ],
)
def test_outputs_of_something_else(name, what):
    path = Path(alchemtest.amber.__file__).parent / "testfiles" / f"{name}.out.bz2"
    with pytest.raises(InputError, match=what):
        read_leg([path])


def test_no_output_at_all(tmp_path):
    (tmp_path / "empty.out").touch()
    with pytest.raises(InputError, match="empty file"):
        read_leg([tmp_path / "empty.out"])
    with pytest.raises(InputError, match="no such file"):
        read_leg([tmp_path / "nix.out"])


def test_what_changes_is_told_from_the_outputs(files):
    read = read_leg(files)
    assert read.account.facts["transformation"] == {
        "timask1": ":1", "timask2": ":2", "scmask1": "", "scmask2": "", "from_0_to_1": ":2 takes the place of :1",
    }  # fmt: skip
    for path in files:
        path.write_text(path.read_text().replace("timask2=':2'", "timask2=''"))
    assert read_leg(files).account.facts["transformation"]["from_0_to_1"] == ":1 is decoupled"
    files[3].write_text(files[3].read_text().replace("timask1=':1'", "timask1=':9'"))
    with pytest.raises(InputError, match=r"3.out, timask1: its regions are not those of .*0.out"):
        read_leg(files)


def test_regions_as_namelists_may_write_them(files):
    """Names in capitals; a ! within quotes leaves atoms out, and begins no comment."""
    for path in files:
        text = path.read_text().replace("timask1=':1'", "TIMASK1=':1&!@H1'")
        path.write_text(text)
    assert read_leg(files).account.facts["transformation"]["from_0_to_1"] == ":2 takes the place of :1&!@H1"


def test_outputs_that_were_put_together(files):
    """The second's samples would be taken for those of the first's λ, where the first was killed before its end."""
    row = len(files[0].read_text().splitlines()) + 1
    files[0].write_text(files[0].read_text() + files[1].read_text())
    with pytest.raises(InputError, match=r"0.out, row \d+: a second run begins here.*a file of its own") as caught:
        read_leg([files[0], *files[2:]])
    assert caught.value.problems[0].row > row
