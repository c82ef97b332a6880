from __future__ import annotations

import numpy as np
import pytest

from gibbsflow.potential.data.labels import DOUBTS
from gibbsflow.potential.label.recovery.scf_outcome import Outcome, diagnose


def outcome(accuracies: tuple[float, ...], *, density: bool = True) -> Outcome:
    return Outcome("UNCONVERGED", "", 2, accuracies, density=density)


ITERATING = "     Program PWSCF v.6.7\n     iteration #  1     ecut=    12.00 Ry     beta= 0.70\n"


def routine(name: str, words: str) -> str:
    """What pw.x writes when it ends with an error."""
    line = " %" * 39
    return f"\n{line}\n     Error in routine {name}:\n     {words}\n{line}\n\n     stopping ...\n"


@pytest.mark.parametrize(
    ("text", "code", "error", "cause"),
    [
        ("convergence NOT achieved after 2 iterations: stopping\n JOB DONE.", 2, "UNCONVERGED", "UNCONVERGED"),
        ("     Maximum CPU time exceeded\n\n   JOB DONE.", 2, "OUT_OF_WALLTIME", "RESOURCE"),
        ("", None, "OUT_OF_TIME", "RESOURCE"),
        ("", -9, "KILLED", "RESOURCE"),
        ("Error allocating 754928 bytes: Cannot allocate memory\n\nError termination.", 1, "OUT_OF_MEMORY", "RESOURCE"),
        ("Program received signal SIGSEGV: Segmentation fault - invalid memory reference.", 1, "SEGFAULT", "CRASH(1)"),
        (routine("divide_et_impera (1)", "some nodes have no k-points"), 1, "POOLS", "CRASH(1)"),
        (routine("mp_start_pools (1)", "invalid number of pools, out of range"), 1, "POOLS", "CRASH(1)"),
        (routine("setup (1)", "too few bands"), 1, "TOO_FEW_BANDS", "CRASH(1)"),
        (routine("c_bands (1)", "too many bands are not converged"), 1, "BANDS_NOT_CONVERGED", "UNCONVERGED"),
        (routine("cdiaghg (9)", "S matrix not positive definite"), 9, "S_MATRIX", "UNCONVERGED"),
        (routine("cdiaghg (127)", "problems computing cholesky"), 127, "CHOLESKY", "UNCONVERGED"),
        (routine("diag (3)", "zhegvd failed"), 3, "ZHEGVD", "UNCONVERGED"),
        (routine("ppcg (1)", "[Q, R] = qr(X, 0) failed"), 1, "QR", "UNCONVERGED"),
        (routine("rdiaghg (4)", "eigenvectors failed to converge"), 4, "EIGENVECTORS", "UNCONVERGED"),
        (routine("cdiaghg (154)", "info =/= 0"), 154, "SUBSPACE", "UNCONVERGED"),
        (routine("laxlib_cdiaghg (44)", "error"), 44, "SUBSPACE", "UNCONVERGED"),
        (routine("sym_rho_init_shell (2)", "lone vector"), 2, "SYMMETRY", "CRASH(2)"),
        (routine("efermig (1)", "internal error, cannot bracket Ef"), 1, "FERMI_ENERGY", "UNCONVERGED"),
        (routine("fft_type_set (1)", "some processors have no planes: use pencil"), 1, "RANKS", "CRASH(1)"),
        ("Fortran runtime error: No space left on device", 2, "NO_SPACE", "RESOURCE"),
        ("     iteration #  1     ecut=    12.00 Ry\n\nMPI_ABORT was invoked on rank 0", 49, "SUBSPACE", "UNCONVERGED"),
        ("     iteration #  2\nFortran runtime error: Bad unit number", 2, "CRASH", "CRASH(2)"),
        ("     iteration #  9\n     End of self-consistent calculation\n", 1, "CRASH", "CRASH(1)"),
        ("pw.x: error while loading shared libraries: libfftw3.so.3: cannot open", 127, "CRASH", "CRASH(127)"),
        (routine("broyden (11)", "factorization"), 11, "BROYDEN", "UNCONVERGED"),
        (routine("electrons (1)", "charge is wrong: smearing is needed"), 1, "CHARGE_WRONG", "UNCONVERGED"),
        (routine("checkallsym (2)", "not orthogonal operation"), 2, "NOT_ORTHOGONAL", "CRASH(2)"),
        (
            routine("d_matrix (1)", "D_S (l=2)  for this symmetry operation is not orthogonal"),
            1, "NOT_ORTHOGONAL", "CRASH(1)",
        ),
        (
            routine("sgam_at (1)", "probably because G_par is NOT a reciprocal lattice vector"), 1, "G_PAR", "CRASH(1)",
        ),
        (
            routine("scale_h (1)", "Not enough space allocated for radial FFT: try restarting with"),
            1, "RADIAL_FFT", "CRASH(1)",
        ),
        (routine("kpoint_grid (1)", "Uniform grid of k-points must be positive"), 1, "K_POINTS", "CRASH(1)"),
        (routine("read_rhog (1)", "error reading file"), 1, "DENSITY_FILE", "RESOURCE"),
        (routine("exx (1)", "dexx is negative!  Check that exxdiv_treatment"), 1, "DEXX_NEGATIVE", "CRASH(1)"),
        (routine("readpp (2)", "file x not readable"), 2, "PSEUDO", "MISSING_PSEUDO"),
        (routine("check_atoms (1)", "atoms #   1 and #   2 overlap!"), 1, "STRUCTURE", "BAD_STRUCTURE"),
        (routine("memory_report (1)", "more bands than PWs!"), 1, "CRASH", "CRASH(1)"),
        (routine("mix_rho (1)", "negative dr2"), 1, "BROYDEN", "UNCONVERGED"),
        (routine("rdiaghg (1)", "diagonalization (ZHEEV) failed"), 1, "SUBSPACE", "UNCONVERGED"),
        (routine("potinit (1)", "starting and expected charges differ"), 1, "CHARGE_WRONG", "UNCONVERGED"),
        (routine("cegterg (5014)", " cannot allocate spsi "), 50, "OUT_OF_MEMORY", "RESOURCE"),
        ("Error: Allocation would exceed memory limit", 1, "OUT_OF_MEMORY", "RESOURCE"),
        (routine("davcio (10)", "error while writing to file ./out/pwscf.wfc1"), 10, "NO_SPACE", "RESOURCE"),
        ("     iteration #  1", -25, "NO_SPACE", "RESOURCE"),
        (routine("davcio (10)", "error while reading from file ./out/pwscf.wfc1"), 10, "DENSITY_FILE", "RESOURCE"),
        ("There are not enough slots available in the system to satisfy the 8\nslots", 1, "RANKS", "CRASH(1)"),
        (routine("fft_type_set (1)", "there are processes with no planes. Use pencil"), 1, "RANKS", "CRASH(1)"),
        (routine("scale_sym_ops (1)", "incompatible FFT grid"), 1, "SYMMETRY", "CRASH(1)"),
        (routine("set_dft_from_name (4)", "conflicting values for igcx"), 4, "PSEUDO", "MISSING_PSEUDO"),
        (routine("checkallsym (1)", "overlapping atoms"), 1, "STRUCTURE", "BAD_STRUCTURE"),
        ("     Program PWSCF v.6.7\nconvergence has been achieved in 5 iterations", 0, "CUT_OFF", "CRASH(0)"),
        ("convergence has been achieved in 5 iterations", 0, "CRASH", "CRASH(0)"),
        ("JOB DONE.", 0, "CRASH", "CRASH(0)"),
        ("     iteration #  5\nEnd of self-consistent\nJOB DONE.\n", 1, "LATE_END", "CRASH(1)"),
        *[(ITERATING, code, "KILLED", "RESOURCE") for code in (129, 137, 138, 140, 143, 152, -1, -24)],
        *[(ITERATING, code, "MACHINE", "RESOURCE") for code in (132, 135, -4, -7)],
        *[(ITERATING, code, "SUBSPACE", "UNCONVERGED") for code in (134, 136)],
        (routine("cdiaghg (137)", "S matrix not positive definite"), 137, "S_MATRIX", "UNCONVERGED"),
        (
            routine("check_tempdir (1)", "temporary directory out/ cannot be created or accessed"),
            1, "STORAGE", "RESOURCE",
        ),
        ("At line 9 of file xmltools.f90\nFortran runtime error: End of file", 2, "PSEUDO", "MISSING_PSEUDO"),
    ],
)  # fmt: skip
def test_outputs_are_told_apart(text: str, code: int | None, error: str, cause: str) -> None:
    found = diagnose(text, code)
    assert (found.error, found.cause) == (error, cause) and found.message


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("$ pw.x -in run1.pwi\n", -7, "ended by SIGBUS (code -7): no output"),
        ("$ pw.x -in run1.pwi\n     Estimated max dynamical RAM\n", 134, "ended by SIGABRT (code 134): Estimated"),
        ("     Dense  grid: 9\nMPI_ABORT was invoked on rank 0\nwith errorcode 9.\n", 9, "(code 9) after: Dense  grid"),
        ("At line 9\nFortran runtime error: Bad real number\nError termination. Backtrace:\n#0", 2, "Bad real number"),
        ("Program stopped by user request\nSTOP 255", 255, "asked to stop by a signal or a file (code 255)"),
        ("SIGSEGV", 139, "ulimit -H -s"),
    ],
)  # fmt: skip
def test_an_end_without_an_error_is_told_by_what_is_known(text: str, code: int, message: str) -> None:
    assert message in diagnose(text, code).message


def test_a_run_that_converged_has_no_error_whatever_it_warned_of() -> None:
    warning = "Message from routine divide_et_impera:\n suboptimal parallelization: some nodes have no k-points"
    for text in ("", warning):
        found = diagnose(f"{text}\nconvergence has been achieved in 5 iterations\n JOB DONE.", 0)
        assert (found.error, found.message) == ("", "")
    assert diagnose(f"{warning}\nconvergence NOT achieved after 80 iterations", 2).error == "UNCONVERGED"
    assert diagnose(warning + routine("cdiaghg (9)", "S matrix not positive definite"), 9).error == "S_MATRIX"


def test_what_is_no_number_does_not_converge() -> None:
    lines = ["0.5", "NaN", "*****", "Infinity"]
    text = "".join(f"     estimated scf accuracy    <  {word} Ry\n" for word in lines)
    found = diagnose(text + "convergence NOT achieved after 4 iterations: stopping", 2, density=True)
    assert found.accuracies_ry == (0.5, *[float("inf")] * 3)
    assert (found.slope, found.grew, found.good_density) == (0.0, True, False)


def test_a_crash_is_told_in_the_programs_words() -> None:
    assert "libfftw3" in diagnose("pw.x: error while loading shared libraries: libfftw3.so.3", 127).message


def test_figures_are_read_from_the_output() -> None:
    text = """
     number of electrons       =        32.00
     number of Kohn-Sham states=           20
     estimated scf accuracy    <       0.25000000 Ry
     estimated scf accuracy    <       1.5D-03 Ry
    """
    found = diagnose(text, 1, density=True)
    assert (found.electrons, found.bands, found.density, found.restartable) == (32.0, 20, True, False)
    assert found.accuracies_ry == (0.25, 1.5e-3)
    assert not found.grew and found.slope == 0.0  # two steps make no slope


def test_what_the_program_warns_of_at_the_end_is_told() -> None:
    def _doubts(negative: str, bands: str) -> dict[str, float]:
        text = f"""
        number of electrons       =        10.00
        iteration #  1
        c_bands:  3 eigenvalues not converged
        negative rho (up, down):  9.000E-01 0.000E+00
        iteration #  2
        {bands}
        End of self-consistent calculation
        negative rho (up, down):  {negative}
        """
        return diagnose(text, 0).doubts

    assert _doubts("4.000E-03 8.000E-04", "") == {}
    assert _doubts("6.000E-03 1.000E-03", "") == {"negative_density_e": pytest.approx(7e-3)}
    bands = "c_bands:  1 eigenvalues not converged\n     c_bands:  2 eigenvalues not converged"
    assert _doubts("1.000E-04 0.000E+00", bands) == {"unconverged_eigenvalues": 3}
    assert set(_doubts("6.000E-03 1.000E-03", bands)) == set(DOUBTS)


def test_a_density_that_is_much_negative_starts_no_run() -> None:
    assert Outcome("UNCONVERGED", "", 2, density=True, electrons=10.0, negative_e=0.01).good_density
    assert not Outcome("UNCONVERGED", "", 2, density=True, electrons=10.0, negative_e=0.06).good_density


def test_the_slope_is_that_of_the_second_half() -> None:
    falling = tuple(10.0 ** (-n / 4) for n in range(20))
    assert outcome(falling).slope == pytest.approx(-np.log(10) / 4)
    assert outcome((1e-9,) * 10 + falling).slope < -0.1 and outcome((1e-2,) * 20).slope == pytest.approx(0, abs=1e-9)


def test_a_density_is_good_unless_the_accuracy_had_grown() -> None:
    assert outcome((1.0, 0.1)).good_density
    assert not outcome((1.0, 0.1), density=False).good_density
    assert not outcome((1e-3,) * 10 + (1e-1,) * 10).good_density
