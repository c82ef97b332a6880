"""The choice of a label engine: what its settings name, checked before anything is labelled."""

from __future__ import annotations

from collections.abc import Sequence

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.potential.data.labels import LabelEngine


def make_engine(elements: Sequence[str], dft: Dft, labels: Labels) -> LabelEngine:
    """Return the engine that the settings name, with program and pseudopotentials checked.

    Parameters
    ----------
    elements
        All elements of the whole data set, since cutoffs are the largest over them.
    dft, labels
        Settings.

    Raises
    ------
    MissingProgramError
        Where the program is not installed.
    InputError
        Where a pseudopotential is missing or wrong.
    """
    if dft.engine == "quantum_espresso":
        from gibbsflow.potential.label.quantum_espresso import QuantumEspresso

        return QuantumEspresso(elements, dft, labels)
    if dft.engine == "gpaw":
        from gibbsflow.potential.label.gpaw import Gpaw

        return Gpaw(elements, dft, labels)
    from gibbsflow.potential.label.tblite import Tblite

    return Tblite(elements, dft, labels)
