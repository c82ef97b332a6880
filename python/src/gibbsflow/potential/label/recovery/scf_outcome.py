"""What a run of pw.x came to, told from its output: an error of a known name, or none.

Strings and names follow the parser of aiida-quantumespresso (parse_raw/pw.py) and what pw.x 6.7 and 7.2 write.
"""

from __future__ import annotations

import math
import re
import signal
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gibbsflow.engines.process import last_line
from gibbsflow.potential.data.labels import BAD_OUTPUT, BAD_STRUCTURE, MISSING_PSEUDO, RESOURCE, UNCONVERGED, crash

ScfError = Literal[
    "", "UNCONVERGED", "OUT_OF_WALLTIME", "OUT_OF_TIME", "OUT_OF_MEMORY", "KILLED", "SEGFAULT", "NO_SPACE", "POOLS",
    "RANKS", "TOO_FEW_BANDS", "TOP_BAND_OCCUPIED", "BANDS_NOT_CONVERGED", "S_MATRIX", "ZHEGVD", "QR", "EIGENVECTORS",
    "CHOLESKY", "SUBSPACE", "BROYDEN", "CHARGE_WRONG", "DENSITY_FILE", "RADIAL_FFT", "NOT_ORTHOGONAL", "G_PAR",
    "K_POINTS", "SYMMETRY", "FERMI_ENERGY", "DEXX_NEGATIVE", "STRUCTURE", "PSEUDO", "BAD_OUTPUT",
    "BAD_XML", "CUT_OFF", "LATE_END", "STORAGE", "MACHINE", "CHANGED_PHYSICS", "LAUNCHER", "NOT_STARTED", "CRASH",
]  # fmt: skip
"""What went wrong; empty where nothing did."""

DIAGONALIZATION: frozenset[ScfError] = frozenset(
    {"BANDS_NOT_CONVERGED", "S_MATRIX", "ZHEGVD", "QR", "EIGENVECTORS", "CHOLESKY", "SUBSPACE"}
)
SYMMETRY: frozenset[ScfError] = frozenset({"NOT_ORTHOGONAL", "G_PAR", "SYMMETRY", "K_POINTS"})
TOP_OCCUPATION = 5e-3
"""Occupation of the highest band from which bands are missing (PwBaseWorkChain's)."""

_SIGNS: tuple[tuple[ScfError, tuple[str, ...]], ...] = (
    ("OUT_OF_WALLTIME", ("Maximum CPU time exceeded",)),
    ("UNCONVERGED", ("convergence NOT achieved",)),
    (
        "OUT_OF_MEMORY",
        (
            "Cannot allocate memory", "insufficient virtual memory", "Error allocating", "Error reallocating",
            "Allocation would exceed memory limit", "Not enough memory", "bad_alloc", "cannot allocate", "oom-kill",
            "oom_kill", "Out of memory",
        ),
    ),
    (
        "NO_SPACE",
        (
            "No space left on device", "Disk quota exceeded", "error while writing", "error writing file",
            "cannot write record", "File too large",
        ),
    ),
    (
        "STORAGE",
        (
            "Read-only file system", "Permission denied", "Input/output error", "Stale file handle",
            "Stale NFS file handle", "Too many open files", "Error in routine check_tempdir",
        ),
    ),
    ("POOLS", ("some nodes have no k-points", "invalid number of pools")),
    (
        "RANKS",
        (
            "have no G-vectors", "have no planes", "with no planes", "too many processors", "processors have no",
            "not enough slots available",
        ),
    ),
    ("TOO_FEW_BANDS", ("too few bands",)),
    ("BANDS_NOT_CONVERGED", ("too many bands are not converged",)),
    ("S_MATRIX", ("S matrix not positive definite",)),
    ("ZHEGVD", ("zhegvd failed",)),
    ("QR", ("[Q, R] = qr(X, 0) failed", "cholQR")),
    ("EIGENVECTORS", ("eigenvectors failed to converge",)),
    ("CHOLESKY", ("problems computing cholesky",)),
    (
        "SUBSPACE",
        (
            "diaghg (", "Error in routine cegterg", "Error in routine regterg", "dsygvd failed", "(ZHEEV) failed",
            "diagonalization failed",
        ),
    ),
    ("BROYDEN", ("Error in routine broyden", "negative dr2", "error in factorization")),
    (
        "CHARGE_WRONG",
        (
            "charge is wrong", "Error in routine electrons (1):\n     negative or zero charge",
            "starting and expected charges differ", "negative or undefined starting charge",
        ),
    ),
    ("RADIAL_FFT", ("Not enough space allocated for radial FFT",)),
    (
        "NOT_ORTHOGONAL",
        (
            "not orthogonal operation", "for this symmetry operation is not orthogonal",
            "some of the original symmetry operations not satisfied",
        ),
    ),
    ("G_PAR", ("probably because G_par is NOT a reciprocal lattice vector",)),
    (
        "SYMMETRY",
        (
            "lone vector", "Error in routine sgam", "Error in routine set_sym", "Error in routine multable",
            "Error in routine checksym", "Error in routine inverse_s", "Error in routine scale_sym_ops",
            "Error in routine divide_class", "not a multiple of that of the subgroup",
        ),
    ),
    ("FERMI_ENERGY", ("cannot bracket Ef",)),
    ("K_POINTS", ("Error in routine kpoint_grid", "Error in routine irreducible_BZ", "Error in routine irrek")),
    (
        "DENSITY_FILE",
        (
            "Error in routine read_rhog", "Error in routine read_rho", "Error in routine read_scf", "wrong mixing file",
            "Error in routine davcio", "Error in routine diropn", "Error in routine qexsd_readschema",
            "Error in routine qes_read", "fatal error reading xml file", "cannot open restart file",
        ),
    ),
    ("DEXX_NEGATIVE", ("dexx is negative",)),
    (
        "PSEUDO",
        (
            "Error in routine readpp", "Error in routine read_upf", "Error in routine read_pseudo",
            "Error in routine readgth", "error reading pseudo file", "pseudo file is empty or wrong",
            "inconsistent DFT read from PP files", "conflicting values for",
        ),
    ),
    (
        "STRUCTURE",
        (
            "Error in routine check_atoms", "atoms #", "overlapping atoms", "Error in routine recips",
            "Error in routine scale_h",
        ),
    ),
)  # fmt: skip
"""The first that fits counts."""
_ASKED_TO_STOP = ("Program stopped by user request", "Signal Received, stopping")
_CAUSES: dict[ScfError, str] = {
    **dict.fromkeys(DIAGONALIZATION, UNCONVERGED),
    **dict.fromkeys(("UNCONVERGED", "BROYDEN", "CHARGE_WRONG", "TOP_BAND_OCCUPIED", "CHANGED_PHYSICS"), UNCONVERGED),
    "FERMI_ENERGY": UNCONVERGED,
    **dict.fromkeys(("OUT_OF_WALLTIME", "OUT_OF_TIME", "OUT_OF_MEMORY", "KILLED", "NO_SPACE"), RESOURCE),
    # of a run from scratch such a file is its own
    **dict.fromkeys(("NOT_STARTED", "STORAGE", "MACHINE", "DENSITY_FILE"), RESOURCE),
    "STRUCTURE": BAD_STRUCTURE,
    "PSEUDO": MISSING_PSEUDO,
    **dict.fromkeys(("BAD_OUTPUT", "BAD_XML"), BAD_OUTPUT),
}
_FROM_OUTSIDE = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGALRM", "SIGKILL", "SIGTERM")
"""Signals of schedulers, shells and people; no run sends them to itself."""
_OF_THE_MACHINE = ("SIGBUS", "SIGILL")
"""Memory or a file beneath it is gone, or the program was built for another processor."""
_NEGATIVE = 5e-4
"""Share of the electrons from which a density that is negative somewhere is a doubt; ten times it starts no run."""


@dataclass(frozen=True)
class Outcome:
    """What the output of one run says.

    Attributes
    ----------
    error
        What went wrong; empty where it converged.
    message
        The line that says so.
    code
        Exit code; None where it was ended for its time.
    accuracies_ry
        Estimated SCF accuracy in Ry after each step; infinite where the program wrote no number.
    bands, electrons
        Bands and valence electrons of the run; None where it did not come to print them.
    density
        Whether it left a charge density to start from.
    restartable
        Whether it left what it needs to go on.
    negative_e
        Integral of the density where it was negative at last, as a positive number of electrons.
    unconverged_bands
        Eigenvalues that had not converged in the last SCF step.
    """

    error: ScfError
    message: str
    code: int | None
    accuracies_ry: tuple[float, ...] = ()
    bands: int | None = None
    electrons: float | None = None
    density: bool = False
    restartable: bool = False
    negative_e: float = 0.0
    unconverged_bands: int = 0

    @property
    def slope(self) -> float:
        """Fit ln(accuracy) against the step over the second half of the run.

        Returns
        -------
        float
            Slope a step, negative where the SCF converges; 0 with fewer than three steps, or where one is no number.
        """
        tail = np.array(self.accuracies_ry[len(self.accuracies_ry) // 2 :] or (1.0,))
        if len(self.accuracies_ry) < 3 or len(tail) < 2 or not np.isfinite(tail).all():
            return 0.0
        return float(np.polyfit(np.arange(len(tail)), np.log(np.maximum(tail, 1e-300)), 1)[0])

    @property
    def grew(self) -> bool:
        """Say whether the last step was farther from convergence than the first.

        Returns
        -------
        bool
            False with fewer than two steps; True where the last was no number.
        """
        return len(self.accuracies_ry) > 1 and self.accuracies_ry[-1] > self.accuracies_ry[0]

    @property
    def good_density(self) -> bool:
        """Say whether the density that it left is worth starting from.

        Returns
        -------
        bool
            False where there is none, where the accuracy had grown, or where much of it is negative.
        """
        return self.density and not self.grew and self._negative < 10 * _NEGATIVE

    @property
    def _negative(self) -> float:
        return self.negative_e / self.electrons if self.electrons else 0.0

    @property
    def doubts(self) -> dict[str, float]:
        """Say what the program warned of at the end, which a label that counts should tell.

        Returns
        -------
        dict
            Figures by the names of `data/labels.py`'s `DOUBTS`; empty where there is no doubt.
        """
        told = {"negative_density_e": self.negative_e} if self._negative >= _NEGATIVE else {}
        return told | ({"unconverged_eigenvalues": self.unconverged_bands} if self.unconverged_bands else {})

    @property
    def cause(self) -> str:
        """Name the cause of the failure in the words of a label.

        Returns
        -------
        str
            One of the causes of `data/labels.py`; ``CRASH(code)`` where no other fits.
        """
        return _CAUSES.get(self.error, crash(self.code))


def diagnose(text: str, code: int | None, *, density: bool = False, restartable: bool = False) -> Outcome:
    """Read the output of pw.x.

    Parameters
    ----------
    text
        Standard output and error.
    code
        Exit code; None where it was ended for its time.
    density, restartable
        Whether a charge density, and what a restart needs, were written.

    Returns
    -------
    Outcome
        Without an error only with exit code 0, the words of convergence and "JOB DONE".
    """
    accuracies = tuple(_number(x) for x in re.findall(r"estimated scf accuracy\s+<\s*(\S+)", text))
    bands = re.search(r"number of Kohn-Sham states\s*=\s*(\d+)", text)
    electrons = re.search(r"number of electrons\s*=\s*([0-9.]+)", text)
    negative = re.findall(r"negative rho \(up, ?down\):\s+(\S+)\s+(\S+)", text)
    last = text.rpartition("iteration #")[2].partition("End of self-consistent")[0]
    error, message = _error(text, code, accuracies)
    return Outcome(
        error, message, code, accuracies,
        int(bands[1]) if bands else None, float(electrons[1]) if electrons else None, density, restartable,
        sum(_number(word) for word in negative[-1]) if negative else 0.0,
        sum(int(count) for count in re.findall(r"c_bands:\s*(\d+) eigenvalues not converged", last)),
    )  # fmt: skip


def _number(word: str) -> float:
    """Read a number of Fortran's; NaN, and stars where it is too large, are infinite."""
    try:
        found = float(word.replace("D", "E"))
    except ValueError:
        return math.inf
    return found if math.isfinite(found) else math.inf


def _sign(text: str) -> ScfError:
    return next((error for error, signs in _SIGNS if any(sign in text for sign in signs)), "")


def _error(text: str, code: int | None, accuracies: tuple[float, ...]) -> tuple[ScfError, str]:
    said = re.search(r"Error in routine ([^\n]*)\n\s*([^\n]*)", text)
    words = f"{said[1].strip()} {said[2].strip()}" if said else ""
    # the error itself goes before what a message elsewhere may have warned of
    found = (_sign(said[0]) if said else "") or _sign(text)
    if code is None:
        return "OUT_OF_TIME", "over its time"
    if code == 0 and "convergence has been achieved" in text and "JOB DONE" in text:
        return "", ""  # signs of failure are mere warnings then
    if found == "OUT_OF_MEMORY":
        return found, "out of memory"
    # a routine's own number may be the same
    by = "" if words else signal_of(code)
    if by in _FROM_OUTSIDE:
        return "KILLED", f"killed by {by} (code {code})"
    if by in _OF_THE_MACHINE:
        return "MACHINE", _last_words(text, code)
    if by == "SIGXFSZ":
        return "NO_SPACE", f"a file was larger than allowed (code {code})"
    if any(sign in text for sign in _ASKED_TO_STOP):
        return "KILLED", f"asked to stop by a signal or a file (code {code})"
    if found == "UNCONVERGED":
        last = f", accuracy {accuracies[-1]:.1e} Ry" if accuracies else ""
        return found, f"SCF not converged after {len(accuracies)} steps{last}"
    if found == "OUT_OF_WALLTIME":
        return found, f"out of its time after {len(accuracies)} steps"
    if found:
        return found, words or found.lower().replace("_", " ")
    if by == "SIGSEGV" or "SIGSEGV" in text:
        return "SEGFAULT", "segmentation fault: the stack was all that the hard limit allows (ulimit -H -s)"
    runtime = "Fortran runtime error" in text or "forrtl:" in text
    if runtime and "xmltools.f90" in text and "bravais-lattice index" not in text:
        return "PSEUDO", f"a pseudopotential cannot be read: {_last_words(text, code)}"
    if code and "JOB DONE" in text and not words:
        return "LATE_END", f"ended with code {code} after all was done"
    in_scf = "iteration #" in text and "End of self-consistent" not in text
    if not words and not runtime and code > 0 and in_scf:
        # LAPACK's complaint, whose words 6.7 loses where it calls MPI_ABORT
        return "SUBSPACE", f"ended within the diagonalisation{f' by {by}' if by else ''}, without a word (code {code})"
    if not code:
        cut = "Program PWSCF" in text and "JOB DONE" not in text and not words
        return "CUT_OFF" if cut else "CRASH", words or "the output ends without a result"
    return "CRASH", words or _last_words(text, code)


def signal_of(code: int) -> str:
    """Name the signal that an exit code tells of.

    Parameters
    ----------
    code
        Exit code: negative as Python has it, above 128 as shells and launchers do.

    Returns
    -------
    str
        Such as ``SIGBUS``; empty where it tells of none.
    """
    number = -code if code < 0 else code - 128
    return signal.Signals(number).name if number in {int(known) for known in signal.Signals} else ""


def _last_words(text: str, code: int) -> str:
    """What a run said at last, where it names no error: the runtime's error, the signal, or where it was."""
    if said := re.search(r"Fortran runtime error: [^\n]*|forrtl: [^\n]*", text):
        return said[0]
    # of ours is the command; MPI and the runtime speak of their own ends
    own = re.sub(r"^\$ .*\n?|^-{20,}\n.*|^Note: The following floating-point.*\n?", "", text, flags=re.MULTILINE)
    if by := signal_of(code):
        return f"ended by {by} (code {code}): {last_line(own)}"
    if "MPI_ABORT was invoked" in text:
        own = text.partition("MPI_ABORT was invoked")[0]
        lines = [line.strip() for line in own.splitlines() if line.strip(" -") and not line.startswith("$ ")]
        return f"ended without a word (code {code}){f' after: {lines[-1]}' if lines else ''}"
    return last_line(own)
