"""Handlers of what goes wrong within an SCF: none of them changes what is computed.

Order and evidence: aiida-quantumespresso's PwBaseWorkChain (pull requests 406 and 987: a run that goes on from its
charge density converges far more often than one from scratch; a slope of log(accuracy) below -0.1 a step says that it
would have converged, otherwise the mixing is lowered).
"""

from __future__ import annotations

import math

from gibbsflow.potential.label.recovery.corrections import Attempt, Correction, Handler
from gibbsflow.potential.label.recovery.scf_outcome import DIAGONALIZATION, SYMMETRY, ScfError

CONVERGING_SLOPE = -0.1
BETAS = (0.7, 0.4, 0.2, 0.1)
DIAGONALIZATIONS = ("david", "paro", "ppcg", "cg")
_MOST_STEPS = 400
_SHORT = 10
_STEPS = 80
_UNCONVERGED: frozenset[ScfError] = frozenset({"UNCONVERGED"})


def _lower(beta: float) -> float | None:
    return next((rung for rung in BETAS if rung < beta - 1e-6), None)


def _converging(attempt: Attempt) -> bool:
    outcome = attempt.outcome
    # one that ended farther off than it began only wanders
    return (outcome.slope < CONVERGING_SLOPE and not outcome.grew) or len(outcome.accuracies_ry) < _SHORT


def _more_steps(attempt: Attempt) -> Correction | None:
    """On the way: half as many steps more."""
    if attempt.scf.steps >= _MOST_STEPS:
        return None
    steps = max(attempt.scf.steps + attempt.scf.steps // 2, 30)
    return attempt.change(f"up to {steps} steps {attempt.origin}", steps=steps)


def _mix_less(attempt: Attempt) -> Correction | None:
    """Not on the way: less of the new density in each step."""
    beta = _lower(attempt.scf.beta)
    if beta is None:
        return None
    return attempt.change(f"mixing_beta {beta:g} {attempt.origin}", beta=beta, steps=max(attempt.scf.steps, _STEPS))


def _sloshes(attempt: Attempt) -> bool:
    return attempt.scf.mode == "plain" and (attempt.case.anisotropic or _lower(attempt.scf.beta) is None)


def _screen(attempt: Attempt) -> Correction | None:
    """Charge that sloshes: local Thomas-Fermi screening and a longer history; at once in slabs, else at the end."""
    beta = attempt.scf.beta if _lower(attempt.scf.beta) is not None else 0.3
    action = f"mixing_mode local-TF, mixing_ndim 12 {attempt.origin}"
    return attempt.change(action, mode="local-TF", history=12, beta=beta, steps=max(attempt.scf.steps, _STEPS))


def _began_elsewhere(attempt: Attempt) -> bool:
    own, first = attempt.case.own, (*attempt.earlier, attempt.scf)[0]
    return (own.beta, own.mode) != (first.beta, first.mode)


def _own_mixing(attempt: Attempt) -> Correction | None:
    """Begun with what other structures of the batch needed, in vain: as the config says."""
    own = attempt.case.own
    mixing = {"beta": own.beta, "mode": own.mode, "history": own.history, "steps": max(own.steps, _STEPS)}
    return attempt.change(f"mixing_beta {own.beta:g} from scratch", from_density=False, **mixing)


def _shorter_history(attempt: Attempt) -> Correction | None:
    """Steps of the mixing that have become alike: fewer of them."""
    history = attempt.scf.history // 2
    return attempt.change(f"mixing_ndim {history} {attempt.origin}", history=history) if history > 1 else None


def _other_diagonalization(attempt: Attempt) -> Correction | None:
    """Bands that a method did not find: the next method that was not tried."""
    tried = {scf.diagonalization for scf in (*attempt.earlier, attempt.scf)}
    left = [method for method in DIAGONALIZATIONS if method not in tried]
    return attempt.change(f"diagonalization {left[0]}", diagonalization=left[0]) if left else None


def _by_another_method(attempt: Attempt) -> bool:
    """Whether it ended without a known error by a method that a correction chose: paro's cannot do every cell."""
    return attempt.scf.diagonalization != attempt.case.own.diagonalization


def _gentler_density(attempt: Attempt) -> Correction | None:
    """A density that does not hold all electrons, or has no Fermi energy: from scratch, with less of the new one."""
    beta = _lower(min(attempt.scf.beta, BETAS[0]))
    return attempt.change(f"mixing_beta {beta:g} from scratch", beta=beta, from_density=False) if beta else None


def _used_what_was_left(attempt: Attempt) -> bool:
    return attempt.scf.from_density or attempt.scf.restart


def _new_density(attempt: Attempt) -> Correction | None:
    """What was kept of the run before cannot be read or used, or may be what is wrong: without it."""
    return attempt.change("from scratch", from_density=False)


def _own_bands(attempt: Attempt) -> Correction | None:
    """Bands that do not hold the electrons: the program's own number, which always does."""
    bands = attempt.scf.bands
    return attempt.change(f"bands {bands} -> the program's own number", bands=None) if bands is not None else None


def _more_bands(attempt: Attempt) -> Correction | None:
    """Electrons in the highest band: a twentieth more bands, at least four."""
    there = attempt.outcome.bands
    if there is None:
        return None
    more = there + max(math.ceil(there / 20), 4)
    return attempt.change(f"bands {there} -> {more} {attempt.origin}", bands=more)


def _whole_mesh(attempt: Attempt) -> Correction | None:
    """Symmetry or k points that the program gets wrong: the same mesh, not reduced."""
    if not attempt.scf.symmetry:
        return None
    return attempt.change("without symmetry: the whole mesh of k points", symmetry=False, from_density=False)


BANDS = (
    Handler("own_bands", frozenset({"TOO_FEW_BANDS"}), 1, _own_bands),
    Handler("more_bands", frozenset({"TOP_BAND_OCCUPIED", "FERMI_ENERGY"}), 4, _more_bands),
)
GEOMETRY = (Handler("whole_mesh", SYMMETRY, 1, _whole_mesh),)
DENSITY = (
    Handler("new_density", frozenset({"DENSITY_FILE", "RADIAL_FFT", "CRASH"}), 2, _new_density, _used_what_was_left),
    Handler("gentler_density", frozenset({"CHARGE_WRONG", "FERMI_ENERGY"}), 2, _gentler_density),
    Handler("shorter_history", frozenset({"BROYDEN"}), 2, _shorter_history),
)
SOLVER = (
    Handler("diagonalization", DIAGONALIZATION | {"BROYDEN", "CHARGE_WRONG"}, 3, _other_diagonalization),
    Handler("method_that_crashed", frozenset({"CRASH"}), 2, _other_diagonalization, _by_another_method),
)
MIXING = (
    Handler("more_steps", _UNCONVERGED, 6, _more_steps, _converging),
    Handler("local_screening", _UNCONVERGED, 1, _screen, _sloshes),
    Handler("mixing_ladder", _UNCONVERGED, 6, _mix_less),
    Handler("own_mixing", _UNCONVERGED, 1, _own_mixing, _began_elsewhere),
)
SCF_HANDLERS = (*BANDS, *GEOMETRY, *DENSITY, *SOLVER, *MIXING)
"""In the order in which they are asked."""
