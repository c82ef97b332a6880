"""Handlers of what a run lacks: time, memory, and k points for its pools."""

from __future__ import annotations

from gibbsflow.potential.label.recovery.corrections import Attempt, Correction, Handler


def _restart(attempt: Attempt) -> Correction | None:
    """Stopped for its time, even while it wrote its files: it goes on where it was."""
    if attempt.outcome.restartable:
        return attempt.change("goes on where its time ended", restart=True)
    return attempt.change("goes on from its charge density") if attempt.outcome.good_density else None


def _left_files(attempt: Attempt) -> bool:
    """Whether its files are its own: of one that was ended by force, they may be those that it had begun with."""
    return attempt.outcome.error == "OUT_OF_WALLTIME" or not (attempt.scf.from_density or attempt.scf.restart)


def _once_more(attempt: Attempt) -> Correction | None:
    """Its output or XML is cut off, or it ended badly after all was done: once more."""
    return attempt.change(f"once more, {attempt.origin}")


def _fewer_pools(attempt: Attempt) -> Correction | None:
    """More pools than k points, or than fit the ranks: half as many."""
    pools = attempt.scf.pools
    return attempt.change(f"{pools // 2} of {pools} pools", pools=pools // 2) if pools > 1 else None


def _fewer_ranks(attempt: Attempt) -> Correction | None:
    """More ranks than there are planes or vectors to share: half as many."""
    ranks = attempt.scf.ranks
    if ranks == 1:
        return None
    return attempt.change(f"{ranks // 2} of {ranks} ranks", ranks=ranks // 2, pools=min(attempt.scf.pools, ranks // 2))


def _less_memory(attempt: Attempt) -> Correction | None:
    """Fewer pools, then fewer vectors, then the diagonalisation that needs least.

    A segmentation fault is often the same: the stack or a library had no room, and could not say so.
    """
    scf = attempt.scf
    if scf.pools > 1:
        return attempt.change("1 pool", pools=1)
    if not scf.lean:
        action = "diago_david_ndim 2, mixing_ndim 4, wavefunctions on disk"
        return attempt.change(action, lean=True, history=min(scf.history, 4))
    if scf.diagonalization != "cg" and attempt.outcome.error == "OUT_OF_MEMORY":
        return attempt.change("diagonalization cg", diagonalization="cg")
    return None


RESOURCE_HANDLERS = (
    Handler("restart", frozenset({"OUT_OF_WALLTIME", "OUT_OF_TIME"}), 3, _restart, _left_files),
    Handler("once_more", frozenset({"BAD_XML", "BAD_OUTPUT", "CUT_OFF", "LATE_END"}), 1, _once_more),
    Handler("fewer_pools", frozenset({"POOLS"}), 6, _fewer_pools),
    Handler("fewer_ranks", frozenset({"RANKS"}), 6, _fewer_ranks),
    Handler("less_memory", frozenset({"OUT_OF_MEMORY", "SEGFAULT"}), 4, _less_memory),
)
"""In the order in which they are asked; more memory than the machine's is a matter of the task that runs the label."""
