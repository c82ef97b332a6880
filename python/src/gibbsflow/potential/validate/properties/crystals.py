"""The crystal whose properties are measured: its standard cells, its rest under no force, its supercells and slabs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gibbsflow.config.potential_validation import Validation
from gibbsflow.config.structures.molecules import of_molecules
from gibbsflow.errors import InputError, Problem, ScienceError
from gibbsflow.potential.data.formats.mesh_cells import heights_angstrom, keep_mesh
from gibbsflow.potential.validate.properties.plans import Measured, Plan, all_relaxed, asked, energy_of
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3

if TYPE_CHECKING:
    from ase import Atoms

_SYSTEMS = ((2, "triclinic"), (15, "monoclinic"), (74, "orthorhombic"), (142, "tetragonal"), (167, "trigonal"),
            (194, "hexagonal"), (230, "cubic"))  # fmt: skip
_LARGE_MOVE = 0.2


@dataclass(frozen=True)
class Crystal:
    """A crystal in the standard cells of spglib.

    Each cell says in its `info` by which heights an engine is to count its k points (`mesh_cells.py`): those of the
    structure that a validation starts from, so that all strains and volumes of a cell have one mesh.

    Attributes
    ----------
    conventional
        Conventional cell, its axes as in the International Tables.
    primitive
        Primitive cell, oriented as the conventional one.
    number
        Number of the space group.
    symbol
        Its symbol.
    heights_angstrom
        Distances between opposite faces of the conventional cell by which supercells are counted: those of the
        structure that a validation starts from, so that all models and volumes have the same supercells.
    whole
        Whether volumes, strains and the bulk beside a slab are asked for in the conventional cell: where labels were
        made in one, whose coarse mesh of k points has other energies and stresses than that of a primitive cell.
    """

    conventional: Atoms
    primitive: Atoms
    number: int
    symbol: str
    heights_angstrom: tuple[float, ...]
    whole: bool = False

    @cached_property
    def is_liquid(self) -> bool:
        """Whether it is no crystal but a liquid: molecules in a cell without any symmetry, which has no rest.

        Returns
        -------
        bool
            False for crystals of molecules.
        """
        return self.number == 1 and of_molecules(self.primitive)

    @classmethod
    def of(
        cls, atoms: Atoms, symprec_angstrom: float, *, where: str = "structure", like: Crystal | None = None
    ) -> Crystal:
        """Find the standard cells of a periodic structure.

        Parameters
        ----------
        atoms
            The structure; moments, charges and labels are left behind.
        symprec_angstrom
            How far atoms may be off their places.
        where
            What messages call it.
        like
            Crystal whose supercells and meshes of k points it shall have; default: its own.

        Returns
        -------
        Crystal
            Its cells.

        Raises
        ------
        InputError
            Where it is not periodic in all directions, or spglib finds no cell.
        """
        import spglib
        from ase import Atoms as AseAtoms

        if not atoms.pbc.all():
            what = f"is periodic in {int(atoms.pbc.sum())} of three directions"
            right = "a crystal, periodic in all three; or a molecule, periodic in none"
            raise InputError(Problem(where, what, right))
        cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
        try:
            data = spglib.get_symmetry_dataset(cell, symprec=symprec_angstrom)
            found = [spglib.standardize_cell(cell, to_primitive=p, symprec=symprec_angstrom) for p in (False, True)]
        except spglib.SpglibError as error:
            what = f"spglib finds no standard cell ({error})"
            raise InputError(Problem(where, what, "atoms that do not overlap")) from error
        cells = [AseAtoms(numbers=one[2], scaled_positions=one[1], cell=one[0], pbc=True) for one in found if one]
        if data is None or len(cells) < 2:
            raise InputError(Problem(where, "spglib finds no standard cell", "atoms that do not overlap"))
        heights = like.heights_angstrom if like is not None else tuple(map(float, heights_angstrom(cells[0])))
        # of another group, cells may have other axes
        same = like is not None and like.number == data.number
        for made, reference in zip(cells, (like.conventional, like.primitive) if like and same else cells, strict=True):
            keep_mesh(made, reference)
        whole = like is not None and like.whole
        return cls(cells[0], cells[1], int(data.number), str(data.international), heights, whole)

    @property
    def unit(self) -> Atoms:
        """The cell in which volumes and strains are asked for.

        Returns
        -------
        Atoms
            The primitive cell, or the conventional one.
        """
        return self.conventional if self.whole else self.primitive

    @property
    def system(self) -> str:
        """Crystal system.

        Returns
        -------
        str
            ``cubic``, ``hexagonal``, ...
        """
        return next(name for last, name in _SYSTEMS if self.number <= last)

    @property
    def elements(self) -> list[str]:
        """Chemical symbols.

        Returns
        -------
        list of str
            Each once, in alphabetic order.
        """
        return sorted(set(self.primitive.get_chemical_symbols()))

    @property
    def isotropic(self) -> bool:
        """Whether the volume alone is free: a cubic crystal, whose shape is its symmetry's.

        Returns
        -------
        bool
            Whether it is.
        """
        return self.number > 194

    def supercell(self, least_angstrom: float, *, least_atoms: int = 0) -> Atoms:
        """Repeat the conventional cell.

        Parameters
        ----------
        least_angstrom
            Least distance between opposite faces.
        least_atoms
            Atoms at least.

        Returns
        -------
        Atoms
            The supercell.
        """
        repeats = self.repeats(least_angstrom, least_atoms=least_atoms)
        made: Atoms = self.conventional.repeat(repeats)
        keep_mesh(made, self.conventional, repeats)
        return made

    def repeats(self, least_angstrom: float, *, least_atoms: int = 0) -> tuple[int, int, int]:
        """Count the conventional cells of a supercell along each axis.

        Parameters
        ----------
        least_angstrom
            Least distance between opposite faces.
        least_atoms
            Atoms at least.

        Returns
        -------
        tuple of int
            Along a, b, c.
        """
        heights = np.array(self.heights_angstrom)
        counts = [math.ceil(least_angstrom / height - 1e-6) for height in heights]
        while math.prod(counts) * len(self.conventional) < least_atoms:
            shortest = int(np.argmin(heights * counts))
            counts[shortest] += 1
        return counts[0], counts[1], counts[2]


def with_symmetry(atoms: Atoms, symprec_angstrom: float) -> Atoms:
    """Hold the symmetry of a structure while it is relaxed: what is unstable stays where it is, and is seen as that.

    Parameters
    ----------
    atoms
        The structure.
    symprec_angstrom
        As in :meth:`Crystal.of`.

    Returns
    -------
    Atoms
        A copy with the constraint.
    """
    from ase.constraints import FixSymmetry

    made = atoms.copy()
    made.set_constraint(FixSymmetry(made, symprec=symprec_angstrom))
    return made


def at_rest(start: Crystal, settings: Validation) -> Plan[tuple[Crystal, float, Measured]]:
    """Relax cell and ions under the symmetry of the crystal.

    Parameters
    ----------
    start
        The crystal.
    settings
        Where a relaxation ends.

    Returns
    -------
    crystal : Crystal
        At rest.
    energy : float
        Its energy an atom, eV.
    measured : Measured
        ``lattice_a``, ``lattice_b``, ``lattice_c`` of the conventional cell in Å, as far as symmetry leaves them apart,
        ``volume`` an atom in Å^3.

    Raises
    ------
    ScienceError
        Where the symmetry does not survive.
    UnconvergedError
        Where it does not relax.
    """
    precision = settings.symmetry_angstrom
    (rest,) = yield from all_relaxed(
        [with_symmetry(start.unit, precision)],
        force_max=settings.relax_force_ev_per_angstrom, steps=settings.relax_steps, cell="free",
    )  # fmt: skip
    try:
        crystal = Crystal.of(rest, precision, like=start)
    except InputError as error:
        raise ScienceError(f"at rest, the crystal is none: {error}") from error
    if len(crystal.primitive) != len(start.primitive):
        raise ScienceError(f"at rest, the crystal of group {start.symbol} is one of {crystal.symbol}")
    change = rest.get_volume() / start.unit.get_volume() - 1
    warnings = []
    if abs(change) > _LARGE_MOVE:
        warnings.append(f"the crystal at rest has a volume {change:+.0%} off that of the structure it started from")
    if crystal.number != start.number:
        warnings.append(f"the crystal of group {start.symbol} is one of {crystal.symbol} at rest")
    pressure = -float(np.mean(rest.calc.results["stress"][:3])) * GPA_PER_EV_PER_ANGSTROM3
    values: dict[str, float] = {}
    for name, length in zip("abc", crystal.conventional.cell.lengths(), strict=True):
        if not any(abs(length - other) < 1e-4 * length for other in values.values()):
            values[f"lattice_{name}"] = float(length)
    values["volume"] = float(crystal.primitive.get_volume()) / len(crystal.primitive)
    notes = (f"space group {crystal.symbol} ({crystal.number}, {crystal.system}), {pressure:+.2f} GPa left",)
    energy = energy_of(rest) / len(rest)
    curves = {"energy_ev_per_atom": energy, **_as_json(crystal.primitive)}
    return crystal, energy, Measured(values, warnings=tuple(warnings), notes=notes, curves=curves)


def as_it_is(start: Crystal) -> Plan[Measured]:
    """Look at the cell of a liquid, which has no rest: its molecules move, and its volume is that of a pressure.

    Parameters
    ----------
    start
        The cell.

    Returns
    -------
    Measured
        ``pressure`` in GPa without its kinetic part, and the cell as :func:`at_rest` has it.
    """
    (seen,) = yield from asked([start.unit])
    pressure = -float(np.mean(seen.calc.results["stress"][:3])) * GPA_PER_EV_PER_ANGSTROM3
    note = "a liquid: its cell is looked at as it is, since it has no rest"
    curves = {"energy_ev_per_atom": energy_of(seen) / len(seen), **_as_json(start.primitive)}
    return Measured({"pressure": pressure}, notes=(note,), curves=curves)


def rest_of(measured: Measured, precision: float, start: Crystal) -> tuple[Crystal, float]:
    """Read the crystal at rest back from what :func:`at_rest` measured.

    Parameters
    ----------
    measured
        The measurement.
    precision
        As in :meth:`Crystal.of`, Å.
    start
        The crystal that it was relaxed from.

    Returns
    -------
    crystal : Crystal
        At rest.
    energy : float
        Its energy an atom, eV.
    """
    from ase import Atoms as AseAtoms

    told = measured.curves
    atoms = AseAtoms(
        numbers=told["numbers"], positions=told["positions_angstrom"], cell=told["cell_angstrom"], pbc=True
    )
    return Crystal.of(atoms, precision, like=start), float(told["energy_ev_per_atom"])


def _as_json(atoms: Atoms) -> dict[str, Any]:
    return {
        "numbers": atoms.numbers.tolist(),
        "positions_angstrom": atoms.positions.tolist(),
        "cell_angstrom": atoms.cell.array.tolist(),
    }
