"""Makers of λ states by the name of their MD engine: what energy a state has is the method, its form the engine's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gibbsflow.binding.alchemy.restraint.restraints import Restraint
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.engines.md_engine import EngineSystem


class StateMaker(Protocol):
    """Makes the system of one λ state; `openmm_states.alchemical_system` says what it must hold."""

    def __call__(
        self, parent: EngineSystem, ligand_atoms: Sequence[int], state: LambdaState, restraint: Restraint | None = None
    ) -> EngineSystem:
        """Make the system of one λ state.

        Parameters
        ----------
        parent
            As the engine makes it of a topology. It is not changed.
        ligand_atoms
            0-based indices of what changes with λ.
        state
            λ values.
        restraint
            Restraint at full strength; None for none.

        Returns
        -------
        EngineSystem
            Equal to the parent at λ_e = λ_s = 1 without restraint.
        """
        ...


class PeriodicMaker(Protocol):
    """Makes one system for all λ states; `periodic_states.periodic_alchemical_system` says what it must hold."""

    def __call__(
        self,
        parent: EngineSystem,
        ligand_atoms: Sequence[int],
        restraint: Restraint | None = None,
        *,
        soft_core: str = "beutler",
        copy_atoms: Sequence[int] = (),
        ion_atoms: Sequence[int] = (),
    ) -> EngineSystem:
        """Make the system of all λ states.

        Parameters
        ----------
        parent
            As the engine makes it of a topology with a box. It is not changed.
        ligand_atoms
            0-based indices of what changes with λ.
        restraint
            Restraint at full strength; None for none.
        soft_core
            Which one.
        copy_atoms
            A copy of the ligand that is coupled as the ligand is decoupled.
        ion_atoms
            Ions whose charge goes with the ligand's.

        Returns
        -------
        EngineSystem
            Its walkers are put into states by the names of `LambdaState`.
        """
        ...


def _openmm_periodic() -> PeriodicMaker:
    from gibbsflow.binding.alchemy.periodic_states import periodic_alchemical_system

    return periodic_alchemical_system


def _openmm() -> StateMaker:
    from gibbsflow.binding.alchemy.openmm_states import alchemical_system

    return alchemical_system


STATE_MAKERS: Mapping[str, Callable[[], StateMaker]] = {"openmm": _openmm}
"""What loads each maker, by `MdEngine.name`."""
PERIODIC_MAKERS: Mapping[str, Callable[[], PeriodicMaker]] = {"openmm": _openmm_periodic}
"""The same for topologies with a box."""
