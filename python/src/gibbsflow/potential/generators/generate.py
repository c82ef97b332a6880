"""All generators in one call: structures by settings and seed, duplicates dropped and counted."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gibbsflow.config.potential import Generator, Target
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.structures import Duplicates
from gibbsflow.potential.generators import (
    defects,
    dimers,
    liquids,
    normal_modes,
    rattles,
    sqs,
    strains,
    surfaces,
    thermal,
)
from gibbsflow.potential.generators.parents import parents
from gibbsflow.workflow.account import Account

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
PHYSICS = 7
"""Raised by hand when the same settings give other structures."""

Make = Callable[["Sequence[Atoms]", Target, Generator], "list[Atoms]"]
"""The call of every generator: takes the tagged parents, the target and the settings; returns tagged structures."""


@dataclass(frozen=True)
class GeneratorRow:
    """A generator, and what becomes of its structures.

    Attributes
    ----------
    make
        Makes them.
    starts
        Those of their ``config_type`` from which MD of the learning loop may start; empty where none may.
    displaced
        Whether each comes with a rattled copy, where there are rattles; these begin no MD.
    """

    make: Make
    starts: tuple[str, ...]
    displaced: bool = False


GENERATORS: Mapping[str, GeneratorRow] = {
    "bulk": GeneratorRow(lambda parents, target, settings: list(parents), ("alloy", "bulk")),
    "sqs": GeneratorRow(sqs.make, ("sqs",)),
    "strain": GeneratorRow(strains.make, ("strain",)),
    "rattle": GeneratorRow(rattles.make, ()),
    "defect": GeneratorRow(defects.make, ("vacancy", "interstitial", "antisite"), displaced=True),
    "surface": GeneratorRow(surfaces.make, ("surface",), displaced=True),
    "normal_mode": GeneratorRow(normal_modes.make, ("normal_mode",)),
    "molecules": GeneratorRow(liquids.make, liquids.STARTS),
    "dimer": GeneratorRow(dimers.make, ()),
    "isolated_atom": GeneratorRow(dimers.make_atoms, ()),
    "thermal": GeneratorRow(thermal.make, ()),
}
"""Generators by the names of the settings: a new one is a module beside this one, a row here, and its name there.

MD starts from crystals first, in the order of these rows; then the other types that may begin it take turns.
"""


def start_types() -> tuple[str, ...]:
    """Name the structures from which MD may start.

    Returns
    -------
    tuple of str
        Values of ``config_type``, in the order of the rows.
    """
    return tuple(kind for row in GENERATORS.values() for kind in row.starts)


@dataclass
class Generated:
    """What the generators made.

    Attributes
    ----------
    frames
        Tagged structures, no two equal.
    by_generator
        How many each method gave.
    duplicates_dropped
        How many of each method equalled an earlier one, or one that was known.
    notes
        What deserves to be said of them.
    """

    frames: list[Atoms] = field(default_factory=list)
    by_generator: Counter[str] = field(default_factory=Counter)
    duplicates_dropped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Say in figures what was made.

        Returns
        -------
        dict
            As `result.json` has it: `structures` (their number), `by_generator`, `duplicates_dropped`, `notes`.
        """
        return {
            "structures": len(self.frames),
            "by_generator": dict(self.by_generator),
            "duplicates_dropped": dict(self.duplicates_dropped),
            "notes": self.notes,
        }


def generate(
    target: Target, settings: Generator, *, generation: int = 0, holdout: bool = False, known: Iterable[Atoms] = ()
) -> Generated:
    """Make structures: the same for the same settings.

    Parameters
    ----------
    target, settings
        What for, and which.
    generation
        Tag of all structures.
    holdout
        Make the hold-out set: thermal samples, from another sampler than those that train.
    known
        Structures that are there already; what equals them is dropped.

    Returns
    -------
    Generated
        New structures in the order of the methods, with what was dropped and what deserves to be said.

    Raises
    ------
    InputError
        Where the target gives nothing to start from, or the methods give no structure.
    """
    made = Generated()
    seen = Duplicates(settings.duplicate_tolerance_angstrom)
    for atoms in known:
        seen.add(atoms)
    account = Account(str(target.structure_file or "target"))
    start = parents(target, settings, account)
    account.settle()
    made.notes += account.as_dict()["notes"]
    methods = ("thermal",) if holdout else settings.methods
    for method in methods:
        # quasirandom structures are made from the lattice, and serve all later methods as parents
        found = GENERATORS[method].make(start, target, settings)
        if GENERATORS[method].displaced and "rattle" in methods:
            found += rattles.displaced(found, settings)
        for atoms in found:
            atoms.info["generation"] = generation
            if seen.add(atoms):
                made.frames.append(atoms)
                made.by_generator[method] += 1
            else:
                made.duplicates_dropped[method] += 1
        if not found:
            made.notes.append(f"{method} made nothing: it does not apply to this target")
        if method == "defect":
            made.notes += [*defects.kept_whole(start), *defects.apart(start, settings)]
        if method == "sqs" and found:
            start = [*start, *found]
            errors = ", ".join(f"{a.symbols} {a.info['sqs_error']:.4f} ({a.info['sqs_engine']})" for a in found)
            made.notes.append(f"SQS error against the random alloy: {errors}")
    if not made.frames:
        right = "methods that apply: crystals take strain, rattle, defect, surface; molecules normal_mode"
        raise InputError(
            Problem(
                "generator",
                f"{', '.join(methods)} make no structure of this target that is new",
                right,
                field="methods",
            )
        )
    log.info("%d structures, %d duplicates dropped", len(made.frames), sum(made.duplicates_dropped.values()))
    return made
