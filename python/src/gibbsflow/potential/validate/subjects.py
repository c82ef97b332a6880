"""What is validated: a crystal or a molecule, from a file, from labelled data, or as the settings name it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.config.structures.molecules import molecular_ions
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.labelled_frames import LabelledFrame, bare, read_with_account
from gibbsflow.potential.data.labels import bad_structure
from gibbsflow.potential.data.structures import content_hash, read_frames
from gibbsflow.potential.generators.parents import ordered_compound, parents
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.workflow.account import Account

if TYPE_CHECKING:
    from ase import Atoms

_MANY_ATOMS = 40


@dataclass(frozen=True)
class Subject:
    """What is measured.

    Attributes
    ----------
    crystal
        Its standard cells; None for a molecule.
    molecule
        The molecule; None for a crystal.
    source
        Where it came from, in words.
    labelled
        The crystal in the cell that labels are made in, as far as that is known.
    """

    crystal: Crystal | None
    molecule: Atoms | None
    source: str
    labelled: Atoms | None = None

    @property
    def kind(self) -> str:
        """What it is.

        Returns
        -------
        str
            ``crystal``, ``molecule``, or ``liquid``: molecules in a cell without any symmetry, which has no rest.
        """
        if self.crystal is None:
            return "molecule"
        return "liquid" if self.crystal.is_liquid else "crystal"

    @cached_property
    def ions(self) -> tuple[str, ...]:
        """Name what defects of single atoms would break.

        Returns
        -------
        tuple of str
            Formulas of the molecules and molecular ions of a crystal.
        """
        found = molecular_ions(self.atoms)
        return tuple(sorted({self.atoms[ion].get_chemical_formula() for ion in found.several()})) if found else ()

    @property
    def atoms(self) -> Atoms:
        """The structure that relaxations start from.

        Returns
        -------
        Atoms
            Cell of the crystal, or molecule.
        """
        found = self.crystal.unit if self.crystal is not None else self.molecule
        assert found is not None  # noqa: S101 - one of both is there
        return found

    @property
    def name(self) -> str:
        """Name it.

        Returns
        -------
        str
            Formula, and of a crystal its space group.
        """
        if self.crystal is None:
            return str(self.atoms.get_chemical_formula(empirical=False))
        return f"{self.atoms.get_chemical_formula(empirical=True)}, {self.crystal.symbol}"

    @property
    def key(self) -> str:
        """Hash of its content.

        Returns
        -------
        str
            As of any structure.
        """
        return content_hash(self.atoms)


def find_subject(
    config: PotentialConfig,
    account: Account,
    *,
    species: Sequence[str],
    structure: Path | None = None,
    frame: int = 0,
    data: Path | None = None,
) -> Subject:
    """Find the structure: of a file, else the ground state of labelled data, else the target of the settings.

    With `validation.subject: target` labelled data do not count.

    Parameters
    ----------
    config
        Sections ``target``, ``generator``, ``labels`` and ``validation``.
    account
        Gets notes, warnings and refusals; is settled by the caller.
    species
        Chemical symbols that the potential knows.
    structure
        File of structures.
    frame
        Number of its frame, from 0; negative from the end.
    data
        Labelled structures.

    Returns
    -------
    Subject
        Checked, in its standard cells.

    Raises
    ------
    InputError
        Where there is none, or one that cannot be measured.
    """
    if structure is not None:
        frames = read_frames(structure, account)
        if not -len(frames) <= frame < len(frames):
            what = f"has {len(frames)} frames"
            raise InputError(Problem(str(structure), what, f"one of them, not {frame}", field="--frame"))
        atoms, where = frames[frame], str(structure)
        source = f"frame {frame % len(frames)} of {Path(structure).name}"
    elif data is not None and config.validation.subject == "ground_state":
        labelled, own = read_with_account(data)
        own.settle()
        chosen, source = ground_state(labelled, str(data), account, wanted=_composition(config))
        atoms, where = chosen.atoms, f"{data}: frame {chosen.row}"
    elif config.target.elements or config.target.structure_file or config.target.molecule:
        where = "target of the settings"
        atoms, source = _of_target(config, where)
    else:
        right = "--structure FILE, --data FILE, or settings with elements and structure"
        raise InputError(Problem("train validate", "no structure is named", right))
    account.settle()
    if fault := bad_structure(atoms, config.labels.closest_ratio):
        raise InputError(Problem(where, fault, "a structure that can be computed"))
    if alien := sorted(set(atoms.get_chemical_symbols()) - set(species)):
        what = f"holds {', '.join(alien)}, which the potential does not know"
        raise InputError(Problem(where, what, f"only {', '.join(species)}"))
    if atoms.has("initial_magmoms") and np.any(atoms.get_initial_magnetic_moments()):
        account.note("moments of the structure are not used: section dft says how an engine starts")
    if not atoms.pbc.any():
        if len(atoms) < 2:
            raise InputError(Problem(where, "is a single atom", "a molecule of two atoms or more, or a crystal"))
        molecule = atoms.copy()
        molecule.info, molecule.calc = {}, None
        return Subject(None, molecule, source)
    crystal = Crystal.of(atoms, config.validation.symmetry_angstrom, where=where)
    if crystal.number == 1 and len(crystal.primitive) > 1 and not crystal.is_liquid:
        right = "a crystal at rest by --structure, or a larger validation.symmetry_angstrom"
        account.warn("no symmetry is found in the structure: it is measured as it is", right)
    if len(crystal.primitive) > _MANY_ATOMS:
        account.note(f"its primitive cell has {len(crystal.primitive)} atoms: each property takes its time")
    cell = bare(atoms) if structure is None else None
    if cell is not None and len(cell) >= len(crystal.conventional) > len(crystal.primitive):
        crystal = replace(crystal, whole=True)
        account.note(
            f"volumes and strains are those of the conventional cell ({len(crystal.unit)} atoms), not of the primitive "
            f"one: labels are of {len(cell)} atoms"
        )
    return Subject(crystal, None, source, cell)


def ground_state(
    frames: Sequence[LabelledFrame], where: str, account: Account, *, wanted: Mapping[str, float] | None = None
) -> tuple[LabelledFrame, str]:
    """Choose the labelled structure of least energy an atom: a crystal where there is one, else a molecule.

    Of several compositions those with most elements are looked at, and of them the one that is wanted, or nearest to
    it, or else the one with most frames: energies of different compositions do not compare.

    Parameters
    ----------
    frames
        Labelled structures.
    where
        Their file.
    account
        Gets a note where there were several compositions.
    wanted
        Fraction of each element; empty: a target without a composition of its own, of which the first of equally
        frequent ones is taken; None: nobody said.

    Returns
    -------
    frame : LabelledFrame
        The chosen one.
    source : str
        The same in words.

    Raises
    ------
    InputError
        Where nothing is periodic in all directions and no molecule is there, or where nobody said what is
        wanted and two compositions have as many frames.
    """
    crystals = [frame for frame in frames if frame.atoms.pbc.all() and not frame.isolated]
    molecules = [frame for frame in frames if not frame.atoms.pbc.any() and len(frame.atoms) > 1]
    kind = crystals or molecules
    if not kind:
        right = "structures periodic in all three directions, or molecules; or --structure FILE"
        raise InputError(Problem(where, "holds neither crystals nor molecules", right))
    most = max(len(set(frame.atoms.get_chemical_symbols())) for frame in kind)
    kind = [frame for frame in kind if len(set(frame.atoms.get_chemical_symbols())) == most]
    counts = Counter(_formula(frame) for frame in kind).most_common()
    how = "most frequent"
    if wanted:
        how = "nearest to the target"
        counts.sort(key=lambda one: _distance(one[0], wanted))  # stable: of equally near ones the most frequent
    elif wanted is None and len(counts) > 1 and counts[0][1] == counts[1][1]:
        names = ", ".join(f"{count} of {name}" for name, count in counts[:4])
        raise InputError(Problem(where, f"no composition is the most frequent ({names}, ...)", "--structure FILE"))
    if len(counts) > 1:
        account.note(f"of {len(counts)} compositions the {how} is taken: {counts[0][0]}")
    those = [frame for frame in kind if _formula(frame) == counts[0][0]]
    chosen = min(those, key=lambda frame: frame.energy_ev / len(frame.atoms))
    return chosen, f"frame {chosen.row} of {Path(where).name}, of least energy among {len(those)}"


def _of_target(config: PotentialConfig, where: str) -> tuple[Atoms, str]:
    """Structure that the settings name; of an alloy the ordered compound, where there is one."""
    if config.validation.subject == "target" and (found := ordered_compound(config.target)) is not None:
        # in a cell as large as those that are labelled
        return found[0].repeat(config.generator.supercell), f"{where}, ordered ({found[1]})"
    return parents(config.target, config.generator)[-1], where


def _formula(frame: LabelledFrame) -> str:
    periodic = bool(frame.atoms.pbc.any())
    return str(frame.atoms.get_chemical_formula(empirical=periodic))


def _composition(config: PotentialConfig) -> dict[str, float] | None:
    """Composition that the settings aim at; empty for that of a structure file, None without a target."""
    if config.target.structure_file is not None:
        return {}
    if not config.target.elements and config.target.molecule is None:
        return None
    symbols = parents(config.target, config.generator)[-1].get_chemical_symbols()
    return {symbol: count / len(symbols) for symbol, count in Counter(symbols).items()}


def _distance(formula: str, wanted: Mapping[str, float]) -> float:
    """Sum of the differences of all fractions, rounded so that equally near compositions are equal."""
    from ase.formula import Formula

    counts = Formula(formula).count()
    atoms = sum(counts.values())
    symbols = {*counts, *wanted}
    return round(sum(abs(counts.get(symbol, 0) / atoms - wanted.get(symbol, 0.0)) for symbol in symbols), 9)
