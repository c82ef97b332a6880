"""Failures that pw.x itself makes: first runs are spoiled by their input or bounds, later ones are not."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from silicon import coarse, needs_pw, si2

from gibbsflow.config.label_engines import find_pw
from gibbsflow.config.potential import Labels
from gibbsflow.errors import InputError
from gibbsflow.potential.data.labels import TRANSIENT, LabelResult, check_label
from gibbsflow.potential.label import quantum_espresso
from gibbsflow.potential.label.quantum_espresso import QuantumEspresso

pytestmark = [pytest.mark.qe, needs_pw]
ENERGY_EV = -211.80045


class Program:
    """pw.x behind a script that spoils its inputs.

    `spoil` is a line of shell; it knows the input as $input and the number of the run as $run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, spoil: str, **labels: object) -> QuantumEspresso:
        return self.engine(spoil, Labels(**labels))

    def engine(self, spoil: str, labels: Labels, **dft: object) -> QuantumEspresso:
        script = self.folder / "pw.x"
        last = 'for input in "$@"; do :; done; run=${input#run}; run=${run%.pwi}'
        script.write_text(f'#!/bin/bash\n{last}\n{spoil}\nexec {find_pw()} "$@"\n')
        script.chmod(0o755)
        return QuantumEspresso(["Si"], coarse(pw_command=str(script), **dft), labels)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def mended(label: LabelResult, error: str, handler: str) -> None:
    """It has the energy of a run where nothing happened, and its trail says what did."""
    assert (label.status, label.error, label.physics_changed) == ("labelled", "", False), label
    assert label.energy_ev == pytest.approx(ENERGY_EV, abs=1e-4)
    assert (label.audit[0]["error"], label.audit[0]["handler"], label.audit[0]["run"]) == (error, handler, 1)
    assert label.attempts == len(label.audit) + 1 and label.corrections == [entry["action"] for entry in label.audit]
    json.dumps(label.audit)


def first(sed: str) -> str:
    return f"[[ $run != 1 ]] || sed -i {sed!r} $input"


def test_bands_that_a_method_does_not_find(program: Program) -> None:
    spoil = first("s/diagonalization .*/diagonalization='cg', diago_cg_maxiter=1/")
    mended(program(spoil).label(si2()), "BANDS_NOT_CONVERGED", "diagonalization")


NICKEL = Path("/usr/share/espresso/pseudo/Ni.pbe-nd-rrkjus.UPF")


@pytest.mark.skipif(not NICKEL.exists(), reason="quantum-espresso-data is not installed")
@pytest.mark.parametrize(("method", "errors"), [("david", "SUBSPACE, S_MATRIX"), ("ppcg", "ZHEGVD")])
def test_an_overlap_that_has_no_inverse(program: Program, method: str, errors: str) -> None:
    # two atoms of nickel nearly in one place; with david, pw.x 6.7 ends without a word
    nickel = f"s/'david'/'{method}'/;s/Si.lda-gth.UPF/{NICKEL.name}/;s#pseudo_dir .*#pseudo_dir='{NICKEL.parent}'#"
    spoil = first(f"{nickel};s/ecutwfc .*/ecutwfc=12/;s/ecutrho .*/ecutrho=48/;s/^Si 1[.].*/Si 0.1 0.1 0.1/")
    label = program(spoil).label(si2())
    assert label.audit[0]["error"] in errors.split(", ")
    mended(label, label.audit[0]["error"], "diagonalization")


def test_a_run_that_was_out_of_time_goes_on(program: Program) -> None:
    # a time within the SCF, on any machine
    spoil = f"""if [[ $run == 1 ]]; then
      for s in 0.3 0.6 1.2 2.4 4.8 9.6; do
        rm -rf out; sed -i "s/max_seconds .*/max_seconds = $s/" $input
        {find_pw()} "$@" > last; code=$?
        ls out | grep -q restart_ && {{ cat last; exit $code; }}
      done
    fi"""
    label = program.engine(spoil, Labels(), ecutwfc_ry=50.0, ecutrho_ry=200.0).label(si2())
    assert (label.status, label.audit[0]["error"], label.audit[0]["handler"]) == (
        "labelled", "OUT_OF_WALLTIME", "restart",
    )  # fmt: skip
    assert label.audit[0]["kept"] == "charge density, wavefunctions and mixing history"
    plain = QuantumEspresso(["Si"], coarse(ecutwfc_ry=50.0, ecutrho_ry=200.0), Labels()).label(si2())
    assert label.energy_ev == pytest.approx(plain.energy_ev, abs=1e-5)


def test_a_run_without_memory_asks_for_less(program: Program, tmp_path: Path) -> None:
    huge = "s/ecutwfc .*/ecutwfc=800/;s/ecutrho .*/ecutrho=3200/"
    spoil = f"[[ $run != 1 ]] || {{ sed -i {huge!r} $input; ulimit -v 500000; }}; cp $input {tmp_path}"
    mended(program(spoil).label(si2()), "OUT_OF_MEMORY", "less_memory")
    text = (tmp_path / "run2.pwi").read_text()
    assert "diago_david_ndim = 2" in text and "'medium'" in text


def test_memory_that_the_settings_do_not_allow_is_no_lack_of_the_machine(program: Program) -> None:
    huge = "sed -i 's/ecutwfc .*/ecutwfc=800/;s/ecutrho .*/ecutrho=3200/' $input"
    label = program(huge, label_memory_gb=0.5).label(si2())
    assert (label.cause, label.error, label.end, label.short_of_memory) == (
        "RESOURCE", "OUT_OF_MEMORY", "EXHAUSTED", False,
    )  # fmt: skip
    assert [entry["handler"] for entry in label.audit] == ["less_memory"] * 2
    label = program(huge.replace("$input", "$input; ulimit -v 500000"), corrections_max=0).label(si2())
    assert (label.error, label.end, label.short_of_memory) == ("OUT_OF_MEMORY", "LIMIT", True)


def test_a_charge_that_is_wrong(program: Program) -> None:
    spoil = first("s/occupations .*/occupations='fixed', tot_charge=0.5/;/degauss/d;/smearing/d")
    mended(program(spoil).label(si2()), "CHARGE_WRONG", "gentler_density")


def test_electrons_in_the_highest_band(program: Program) -> None:
    label = program.engine(":", Labels(), bands=4).label(si2())
    mended(label, "TOP_BAND_OCCUPIED", "more_bands")
    assert label.audit[0]["changes"]["bands"] == [4, 8]


@pytest.mark.skipif(shutil.which("mpirun") is None, reason="mpirun is not installed")
def test_pools_that_do_not_fit_the_ranks(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALLOW_RUN_AS_ROOT", "ALLOW_RUN_AS_ROOT_CONFIRM", "MCA_rmaps_base_oversubscribe"):
        monkeypatch.setenv(f"OMPI_{name}", "1")
    engine = QuantumEspresso(["Si"], coarse(), Labels(ranks=3, pools=2))
    mended(engine.label(si2()), "POOLS", "fewer_pools")


def test_a_mixing_that_worked_is_where_later_labels_start(program: Program) -> None:
    # as a structure would that converges with 0.4, and not with 0.7
    never = "sed -i 's/mixing_beta .*/mixing_beta=1e-30/;s/electron_maxstep .*/electron_maxstep=12/' $input"
    engine = program(f"! grep -q 'mixing_beta *= 0.7' $input || {never}")
    label = engine.label(si2())
    mended(label, "UNCONVERGED", "mixing_ladder")
    assert (label.started_from, len(label.corrections)) == ({}, 1)
    later = engine.label(si2(seed=2))
    assert (later.status, later.corrections, later.started_from) == ("labelled", [], {"beta": 0.4})
    other = program(":").label(si2(seed=3))
    assert other.started_from == {}  # another batch knows nothing of it


NEVER = "sed -i 's/mixing_beta .*/mixing_beta=1e-30/;s/electron_maxstep .*/electron_maxstep=10/' $input"


def test_a_wider_smearing_leads_back_to_the_reference(program: Program) -> None:
    spoil = f"grep -q 'degauss *= 0.02' $input && touch wide; [[ -e wide ]] || {NEVER}"
    label = program(spoil).label(si2())
    mended(label, "UNCONVERGED", "mixing_ladder")
    assert [entry["handler"] for entry in label.audit[-2:]] == ["wider_smearing", "reference"]
    assert [entry["changes_physics"] for entry in label.audit[-2:]] == [True, False]
    assert label.audit[-1]["kept"] == "charge density"
    assert label.settings_hash == QuantumEspresso(["Si"], coarse(), Labels()).settings_hash


def test_a_label_that_does_not_come_back_is_tagged_and_does_not_count(program: Program) -> None:
    label = program.engine(f"grep -q 'degauss *= 0.0[25]' $input || {NEVER}", Labels(corrections_max=30)).label(si2())
    assert (label.status, label.physics_changed, label.error) == ("labelled", True, "CHANGED_PHYSICS")
    assert label.end == "EXHAUSTED" and label.energy_ev is not None  # kept, and not used:
    judged = check_label(label, si2(), Labels())
    assert (judged.status, judged.cause, judged.energy_ev) == ("failed", "UNCONVERGED", None)
    assert "converged only with changed physics" in judged.message and judged.audit == label.audit


def test_a_moment_that_is_held_leads_back_to_one_that_is_free(program: Program) -> None:
    atoms = si2()
    atoms.set_initial_magnetic_moments([0.5, 0.5])
    spoil = f"grep -q 'tot_magnetization' $input && touch held; [[ -e held ]] || {NEVER}"
    label = program(spoil, corrections_max=30).label(atoms)
    assert (label.status, label.physics_changed) == ("labelled", False)
    assert [entry["handler"] for entry in label.audit[-2:]] == ["held_moment", "reference"]
    plain = QuantumEspresso(["Si"], coarse(), Labels()).label(atoms)
    assert label.energy_ev == pytest.approx(plain.energy_ev, abs=1e-4)


@pytest.mark.parametrize(
    ("said", "error", "handlers"),
    [
        ("     Error in routine cdiaghg (9):\\n     S matrix not positive definite", "S_MATRIX", ["diagonalization"]),
        ("     Error in routine checkallsym (3):\\n     not orthogonal operation", "NOT_ORTHOGONAL", ["whole_mesh"]),
        ("     Error in routine broyden (5):\\n     factorization", "BROYDEN", ["shorter_history"]),
    ],
)
def test_what_was_recorded_is_mended_by_the_real_program(
    program: Program, said: str, error: str, handlers: list[str]
) -> None:
    label = program(f"[[ $run != 1 ]] || {{ echo -e {said!r}; exit 1; }}").label(si2())
    mended(label, error, handlers[0])
    assert [entry["handler"] for entry in label.audit] == handlers


def test_a_density_that_was_cut_off_is_left_behind(program: Program) -> None:
    short = first("s/electron_maxstep .*/electron_maxstep=2/")
    cut = "[[ $run != 2 ]] || truncate -s 100 out/pwscf.save/charge-density.dat"
    label = program(f"{short}; {cut}").label(si2())
    mended(label, "UNCONVERGED", "more_steps")
    assert [(entry["handler"], entry["kept"]) for entry in label.audit[1:]] == [("new_density", "nothing")]


def test_two_readings_that_differ_refuse_a_label(program: Program) -> None:
    # the output's energy is another than the XML's
    spoil = f"""{find_pw()} "$@" | sed -E 's/^(! .*= +-)15/\\116/'; exit 0"""
    label = program(spoil).label(si2())
    assert (label.status, label.cause, label.error) == ("failed", "BAD_OUTPUT", "BAD_OUTPUT")
    assert "energy -225.4" in label.message and "-211.80045" in label.message
    # columns that run into each other, which ASE's parser does not expect
    label = program(
        f"""{find_pw()} "$@" | sed -E 's/tau\\(   2\\) = \\( +/tau(   2) = (-123.1234567/'; exit 0"""
    ).label(si2())
    assert (label.cause, label.error) == ("BAD_OUTPUT", "BAD_OUTPUT") and "ASE cannot read" in label.message
    label = program(f"""{find_pw()} "$@" | sed '/^!/d'; exit 0""").label(si2())  # no energy
    assert (label.cause, label.error) == ("BAD_OUTPUT", "BAD_OUTPUT") and "ASE cannot read" in label.message, label
    label = program(f"""{find_pw()} "$@"; rm out/pwscf.xml; exit 0""").label(si2())
    assert (label.cause, label.end) == ("BAD_OUTPUT", "EXHAUSTED") and "no pwscf.xml" in label.message


@pytest.mark.parametrize(
    ("cut", "error"),
    [
        ("""{pw} "$@"; truncate -s 2000 out/pwscf.xml; exit 0""", "BAD_XML"),
        ("""{pw} "$@" | sed '/Forces acting/,$d'; exit 0""", "CUT_OFF"),
    ],
)
def test_a_result_that_was_cut_off_is_made_once_more(program: Program, cut: str, error: str) -> None:
    label = program(f"[[ $run != 1 ]] || {{ {cut.format(pw=find_pw())}; }}").label(si2())
    mended(label, error, "once_more")
    assert label.audit[0]["kept"] == "charge density" and label.scf_steps < 14


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        ("s/^Si 0[.].*/Si 0.11 0 0/", r"atom 0 at .* in the XML"),
        ("s/ecutwfc .*/ecutwfc=8/", "cutoffs of 8 and 40 Ry in the XML, 10 and 40 Ry asked for"),
        (
            "s/electron_maxstep .*/electron_maxstep=2, scf_must_converge=.false./",
            r"an SCF that ended at 3.*e-03 Ry, 1.0e-07 Ry asked for",
        ),
    ],
)
def test_what_was_not_asked_for_is_no_label(program: Program, spoil: str, what: str) -> None:
    # as where another run has written into the folder; it ends well, and says that it converged
    label = program(first(spoil)).label(si2())
    mended(label, "BAD_OUTPUT", "once_more")
    assert re.match(what, label.audit[0]["message"])


def test_a_run_that_ends_badly_after_all_was_done_is_made_once_more(program: Program) -> None:
    mended(program(f'[[ $run != 1 ]] || {{ {find_pw()} "$@"; exit 1; }}').label(si2()), "LATE_END", "once_more")


def test_a_method_that_cannot_do_the_cell_is_left_for_the_next(program: Program) -> None:
    charge = "s/occupations .*/occupations='fixed', tot_charge=0.5/;/degauss/d;/smearing/d"
    paro = "echo -e '     Program PWSCF\\n     Error in routine calbec (3):\\n     size mismatch'; exit 1"
    label = program(f"[[ $run -gt 3 ]] || sed -i {charge!r} $input; [[ $run != 4 ]] || {{ {paro}; }}").label(si2())
    mended(label, "CHARGE_WRONG", "gentler_density")
    assert [(entry["error"], entry["handler"]) for entry in label.audit[2:]] == [
        ("CHARGE_WRONG", "diagonalization"), ("CRASH", "method_that_crashed"),
    ]  # fmt: skip


def test_a_folder_that_cannot_be_written_is_no_verdict_on_the_structure(program: Program) -> None:
    label = program("rm -rf out; touch out").label(si2())
    assert (label.error, label.cause, label.end) == ("STORAGE", "RESOURCE", "NO_CORRECTION")
    assert label.cause in TRANSIENT and "temporary directory" in label.message


@pytest.mark.slow
@pytest.mark.skipif(not NICKEL.exists(), reason="quantum-espresso-data is not installed")
def test_a_density_that_is_negative_somewhere_is_told(program: Program) -> None:
    nickel = f"s/Si.lda-gth.UPF/{NICKEL.name}/;s#pseudo_dir .*#pseudo_dir='{NICKEL.parent}'#"
    engine = program.engine(f"sed -i {nickel!r} $input", Labels(), bands=16, ecutwfc_ry=20.0, ecutrho_ry=80.0)
    label = engine.label(si2())
    assert label.status == "labelled" and label.doubts["negative_density_e"] > 0.01


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("mpirun") is None, reason="mpirun is not installed")
def test_more_ranks_than_slots_are_halved(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALLOW_RUN_AS_ROOT", "ALLOW_RUN_AS_ROOT_CONFIRM", "MCA_mpi_yield_when_idle"):
        monkeypatch.setenv(f"OMPI_{name}", "1")
    engine = QuantumEspresso(["Si"], coarse(), Labels(ranks=4 * (os.cpu_count() or 1)))
    mended(engine.label(si2()), "RANKS", "fewer_ranks")


def test_a_crash_on_a_full_disk_is_no_verdict_on_the_structure(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashing = program("echo '[host:1] PMIX ERROR: ERROR in file gds_ds21_lock.c at line 99'; exit 1")
    assert crashing.label(si2()).error == "NOT_STARTED"
    monkeypatch.setattr(quantum_espresso, "_SCRATCH_BYTES", float("inf"))
    label = crashing.label(si2())
    assert (label.error, label.cause) == ("NO_SPACE", "RESOURCE")
    assert "MB left: " in label.message and "[host:1]" in label.message


@pytest.mark.parametrize(
    "spoil", ["echo 'error while loading shared libraries: libx.so' >&2; exit 127", "exec /bin/ls"]
)
def test_a_program_that_did_not_start_is_no_verdict_on_the_structure(program: Program, spoil: str) -> None:
    label = program(spoil).label(si2())
    assert (label.error, label.cause, label.end, label.attempts) == ("NOT_STARTED", "RESOURCE", "NO_CORRECTION", 1)
    assert label.cause in TRANSIENT and "is not pw.x, or did not start" in label.message


def test_the_program_has_all_of_the_stack(program: Program, tmp_path: Path) -> None:
    # as where a shell has left it little: a run that needs more ends with a segmentation fault
    program(f"ulimit -S -s > {tmp_path}/soft; ulimit -H -s > {tmp_path}/hard; exit 3").label(si2())
    assert (tmp_path / "soft").read_text() == (tmp_path / "hard").read_text()
    mended(program("[[ $run != 1 ]] || ulimit -s 8").label(si2()), "SEGFAULT", "less_memory")


def test_a_density_that_does_not_hold_the_wavefunctions_is_refused(program: Program) -> None:
    with pytest.raises(InputError, match=r"20 Ry does not hold wavefunctions of 10 Ry .* 40"):
        program.engine(":", Labels(), ecutrho_ry=20.0)
