"""What a run of pw.x came to, and what to try next that leaves the physics alone.

Order and evidence: aiida-quantumespresso's PwBaseWorkChain (pull requests 406 and 987: a run that goes on from its
charge density converges far more often than one from scratch; a slope of log(accuracy) below -0.1 a step says that it
would have converged, otherwise the mixing is halved).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from gibbsflow.potential.data.labels import BAD_STRUCTURE, MISSING_PSEUDO, RESOURCE, UNCONVERGED, crash

CONVERGING_SLOPE = -0.1
BETAS = (0.7, 0.4, 0.2, 0.1)
DIAGONALIZATIONS = ("david", "paro", "cg")

_DIAGONALIZATION_FAULTS = (
    "too many bands are not converged",
    "S matrix not positive definite",
    "zhegvd failed",
    "[Q, R] = qr(X, 0) failed",
    "eigenvectors failed to converge",
    "problems computing cholesky",
    "Error in routine cdiaghg",
    "Error in routine rdiaghg",
)
_STRUCTURE_FAULTS = ("Error in routine check_atoms", "atoms #", "Error in routine recips", "Error in routine scale_h")
_MEMORY_FAULTS = (
    "Cannot allocate memory",
    "insufficient virtual memory",
    "Error allocating",
    "Not enough memory",
    "bad_alloc",
)
_PSEUDO_FAULTS = ("Error in routine readpp", "Error in routine read_upf", "Error in routine readgth")


@dataclass(frozen=True)
class ScfSettings:
    """Settings of one run of pw.x that do not change what it computes.

    Attributes
    ----------
    steps
        SCF steps at most.
    beta
        Charge mixing.
    mode
        ``plain`` or ``local-TF``.
    history
        Mixing history.
    diagonalization
        ``david``, ``paro``, ``ppcg`` or ``cg``.
    bands
        Number of bands; None for the program's own.
    from_density
        Whether it starts from the charge density of the run before.
    """

    steps: int
    beta: float
    mode: str = "plain"
    history: int = 8
    diagonalization: str = "david"
    bands: int | None = None
    from_density: bool = False


@dataclass(frozen=True)
class Outcome:
    """What the output of one run says.

    Attributes
    ----------
    kind
        ``converged``, ``unconverged``, ``diagonalization``, ``bands``, ``structure``, ``pseudo``, ``resource`` or
        ``crash``.
    message
        The line that says so.
    code
        Exit code; None where it was ended for its time.
    accuracies_ry
        Estimated SCF accuracy in Ry after each step.
    bands, electrons
        Bands and valence electrons of the run; None where it did not come to print them.
    density
        Whether it left a charge density to start from.
    """

    kind: str
    message: str
    code: int | None
    accuracies_ry: tuple[float, ...] = ()
    bands: int | None = None
    electrons: float | None = None
    density: bool = False

    @property
    def slope(self) -> float:
        """Fit ln(accuracy) against the step over the second half of the run.

        Returns
        -------
        float
            Slope a step, negative where the SCF converges; 0 with fewer than three steps.
        """
        tail = np.array(self.accuracies_ry[len(self.accuracies_ry) // 2 :] or (1.0,))
        if len(self.accuracies_ry) < 3 or len(tail) < 2:
            return 0.0
        return float(np.polyfit(np.arange(len(tail)), np.log(np.maximum(tail, 1e-300)), 1)[0])

    @property
    def grew(self) -> bool:
        """Say whether the last step was farther from convergence than the first.

        Returns
        -------
        bool
            False with fewer than two steps.
        """
        return len(self.accuracies_ry) > 1 and self.accuracies_ry[-1] > self.accuracies_ry[0]

    @property
    def cause(self) -> str:
        """Name the cause of the failure in the words of a label.

        Returns
        -------
        str
            One of the causes of `data/labels.py`; ``CRASH(code)`` where no other fits.
        """
        known = {
            "unconverged": UNCONVERGED, "diagonalization": UNCONVERGED, "structure": BAD_STRUCTURE,
            "pseudo": MISSING_PSEUDO, "resource": RESOURCE,
        }  # fmt: skip
        return known.get(self.kind, crash(self.code))


def diagnose(text: str, code: int | None, *, density: bool = False) -> Outcome:
    """Read the output of pw.x.

    Parameters
    ----------
    text
        Standard output and error.
    code
        Exit code; None where it was ended for its time.
    density
        Whether a charge density was written.

    Returns
    -------
    Outcome
        ``converged`` only with exit code 0, the words of convergence and "JOB DONE".
    """
    accuracies = tuple(
        float(x) for x in re.findall(r"estimated scf accuracy\s+<\s*([0-9.eEdD+-]+)", text.replace("D-", "E-"))
    )
    bands = re.search(r"number of Kohn-Sham states\s*=\s*(\d+)", text)
    electrons = re.search(r"number of electrons\s*=\s*([0-9.]+)", text)

    def _outcome(kind: str, message: str) -> Outcome:
        return Outcome(
            kind, message, code, accuracies,
            int(bands[1]) if bands else None, float(electrons[1]) if electrons else None, density,
        )  # fmt: skip

    said = re.search(r"Error in routine ([^\n]*)\n\s*([^\n]*)", text)
    error = f"{said[1].strip()} {said[2].strip()}" if said else ""
    if code is None:
        return _outcome("resource", "over its time")
    if any(fault in text for fault in _MEMORY_FAULTS):
        return _outcome("resource", "out of memory")
    if code in (-9, -15, 137, 143):
        return _outcome("resource", f"killed (code {code})")
    if "too few bands" in text:
        return _outcome("bands", error)
    if any(fault in text for fault in _DIAGONALIZATION_FAULTS):
        return _outcome("diagonalization", error or "diagonalisation failed")
    if "convergence NOT achieved" in text:
        last = f", accuracy {accuracies[-1]:.1e} Ry" if accuracies else ""
        return _outcome("unconverged", f"SCF not converged after {len(accuracies)} steps{last}")
    if any(fault in text for fault in _PSEUDO_FAULTS):
        return _outcome("pseudo", error)
    if any(fault in text for fault in _STRUCTURE_FAULTS):
        return _outcome("structure", error)
    if code == 0 and "convergence has been achieved" in text and "JOB DONE" in text:
        return _outcome("converged", "")
    return _outcome("crash", error or "the output ends without a result")


def next_settings(scf: ScfSettings, outcome: Outcome) -> tuple[ScfSettings, str] | None:
    """Choose the settings of the next run after one that failed.

    Steps only grow, the mixing only falls and starts anew but once, with local-TF: there is an end to it.

    Parameters
    ----------
    scf
        Settings of the run that failed.
    outcome
        What came of it.

    Returns
    -------
    tuple or None
        The settings, and what they change in words; None where nothing is left that leaves the physics alone.
    """
    if outcome.kind == "unconverged":
        return _mix(scf, outcome)
    if outcome.kind == "diagonalization":
        order = DIAGONALIZATIONS
        place = order.index(scf.diagonalization) if scf.diagonalization in order else 0
        if place + 1 < len(order):
            chosen = order[place + 1]
            return replace(scf, diagonalization=chosen, from_density=outcome.density), f"diagonalization {chosen}"
        return None
    if outcome.kind == "bands" and scf.bands is not None:
        # that number holds all electrons by construction; from too few by far, small steps would not get there
        return replace(scf, bands=None), f"bands {scf.bands} -> the program's own number"
    return None


def _mix(scf: ScfSettings, outcome: Outcome) -> tuple[ScfSettings, str] | None:
    density = outcome.density and not outcome.grew
    origin = "from its charge density" if density else "from scratch"
    too_short = len(outcome.accuracies_ry) < 10
    if (outcome.slope < CONVERGING_SLOPE or too_short) and scf.steps < 400:
        steps = max(scf.steps + scf.steps // 2, 30)
        return replace(scf, steps=steps, from_density=density), f"up to {steps} steps {origin}"
    lower = [beta for beta in BETAS if beta < scf.beta - 1e-6]
    if lower:
        text = f"mixing_beta {lower[0]:g} {origin}"
        return replace(scf, beta=lower[0], steps=max(scf.steps, 80), from_density=density), text
    if scf.mode == "plain":
        text = f"mixing_mode local-TF, mixing_ndim 12 {origin}"
        return replace(scf, mode="local-TF", history=12, beta=0.3, from_density=density), text
    return None
