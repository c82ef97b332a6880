"""Settings of one run of pw.x that a recovery may change."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class ScfSettings:
    """Settings of one run of pw.x: all but the last two leave alone what it computes.

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
    restart
        Whether it goes on where the run before was stopped for its time.
    lean
        Whether it keeps fewer vectors in memory, and wavefunctions of other k points on disk.
    symmetry
        Whether symmetry reduces the k points; without it the mesh is the same, and whole.
    ranks, pools
        Ranks of MPI, and groups of them that share the k points.
    widening
        Factor on the width of the smearing; 1 is the reference.
    fixed_moment_ub
        Total moment that is held, in μB, where the reference lets it go; None for the reference.
    """

    steps: int
    beta: float
    mode: str = "plain"
    history: int = 8
    diagonalization: str = "david"
    bands: int | None = None
    from_density: bool = False
    restart: bool = False
    lean: bool = False
    symmetry: bool = True
    ranks: int = 1
    pools: int = 1
    widening: float = 1.0
    fixed_moment_ub: float | None = None

    @property
    def changes_physics(self) -> bool:
        """Say whether it computes another thing than the label's settings say.

        Returns
        -------
        bool
            True for another smearing or a moment that is held.
        """
        return self.widening != 1.0 or self.fixed_moment_ub is not None

    def changes_to(self, other: ScfSettings) -> dict[str, list[Any]]:
        """List what differs in other settings.

        Parameters
        ----------
        other
            The later ones.

        Returns
        -------
        dict
            By name of the setting: its value before, and after.
        """
        names = (field.name for field in fields(self))
        pairs = {name: [getattr(self, name), getattr(other, name)] for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
