"""A fitted POD potential: its folder, the commands by which LAMMPS runs it, and its energies, forces and stresses.

Two parts add up: proper orthogonal descriptors (:mod:`.pod_basis`) and, at short distances, the universal repulsion of
Ziegler, Biersack and Littmark (The Stopping and Range of Ions in Solids, 1985), which the fit takes off its targets.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii

from gibbsflow.engines.lammps import Lammps, near
from gibbsflow.engines.lammps_frame import lists_with_images, stress_from_virial, to_frame
from gibbsflow.errors import InputError, StateError
from gibbsflow.potential.data.neighbours import pairs_within
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.potential.train.trainers.pod_basis import PodBasis, descriptor_sums, local_descriptors, virial_rows
from gibbsflow.potential.train.trainers.pod_environments import Environments
from gibbsflow.units import Floats
from gibbsflow.workflow.files import atomic_open, read_json, write_json
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text

_SMALL_ATOMS, _FEW_PAIRS = 64, 40
_THERMO = [
    "compute virial all pressure NULL virial",
    "thermo_style custom step pe c_virial[1]",
    "thermo_modify lost error",
]


@dataclass(frozen=True)
class Zbl:
    """Ziegler-Biersack-Littmark repulsion, switched off between two radii.

    Attributes
    ----------
    inner_angstrom, outer_angstrom
        Where the switch begins and ends.
    """

    inner_angstrom: float
    outer_angstrom: float


def zbl_for(species: Sequence[str]) -> Zbl:
    """Repulsion that ends at 75 % of the shortest covalent bond the elements can make, and begins to at half of that.

    Parameters
    ----------
    species
        Chemical symbols.

    Returns
    -------
    Zbl
        With radii in Å, from the covalent radii of Cordero et al., Dalton Trans. 2008, 2832.
    """
    outer = 0.75 * 2 * min(covalent_radii[atomic_numbers[s]] for s in species)
    return Zbl(0.5 * outer, outer)


@dataclass(frozen=True)
class PodPotential:
    """A fitted potential.

    Attributes
    ----------
    basis
        Its basis.
    coefficients
        In LAMMPS' order, eV: for each element its one-body energy, then its descriptors'; shape (columns,).
    zbl
        The repulsion added to it, or None.
    meta
        JSON-serialisable remainder: where it comes from, its errors.
    folder
        Where its files lie; None where it has not been written.
    """

    basis: PodBasis
    coefficients: Floats
    zbl: Zbl | None
    meta: Mapping[str, Any]
    folder: Path | None = None

    @property
    def species(self) -> tuple[str, ...]:
        """Chemical symbols in the order of LAMMPS' types.

        Returns
        -------
        tuple of str
            Those of the basis.
        """
        return self.basis.species

    @property
    def cutoff_angstrom(self) -> float:
        """Outer cutoff of the basis.

        Returns
        -------
        float
            In Å.
        """
        return self.basis.rcut_angstrom

    @property
    def lammps_style(self) -> str:
        """Pair style that LAMMPS must have been built with.

        Returns
        -------
        str
            ``pod``, of its package ML-POD.
        """
        return "pod"

    def pair_commands(self, folder: Path) -> list[str]:
        """Pair style and coefficients: the same for training, MD and ASE.

        Parameters
        ----------
        folder
            Working directory of LAMMPS; gets a link to the potential's own where that is another.

        Returns
        -------
        list of str
            Commands, with paths relative to `folder`.
        """
        return _pair_commands(self.species, self.zbl, near(folder, self.folder) if self.folder is not None else "")

    def descriptor_commands(self, compute: str, basis: Mapping[str, Any], folder: Path) -> list[str]:
        """Commands that make LAMMPS compute the descriptors of each atom.

        Parameters
        ----------
        compute
            Name of the compute, whose per-atom array has shape (n, descriptors).
        basis
            Fields of a :class:`PodBasis`.
        folder
            Working directory of LAMMPS; gets ``COMPUTE.pod``.

        Returns
        -------
        list of str
            One command.
        """
        (folder / f"{compute}.pod").write_text(PodBasis.from_json(basis).text())
        return [f'compute {compute} all pod/atom {compute}.pod "" {" ".join(self.species)}']

    def start(self, check: Callable[[], None] = lambda: None) -> PodEvaluator:
        """Start a LAMMPS process that evaluates the potential, in a temporary folder.

        Parameters
        ----------
        check
            Called every second while it works; what it raises ends the wait.

        Returns
        -------
        PodEvaluator
            Ends its process when it is closed, or no longer used.

        Raises
        ------
        MissingProgramError
            Where LAMMPS or its ML-POD is missing.
        """
        scratch = tempfile.TemporaryDirectory(prefix="gibbsflow-pod-")
        lammps = Lammps(Path(scratch.name), check=check)
        lammps.require(self.lammps_style)
        return PodEvaluator(self, lammps, scratch)

    def write(self, folder: Path) -> PodPotential:
        """Write a folder that LAMMPS (``include in.potential``) and ASE (``PotentialCalculator``) can use.

        Parameters
        ----------
        folder
            Made where it is not there.

        Returns
        -------
        PodPotential
            The potential as it lies there.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        files = {
            "potential.pod": self.basis.text(),
            "coefficients.pod": self.basis.coefficient_text(self.coefficients),
            "in.potential": "# LAMMPS: units metal; atom types in the order " + " ".join(self.species) + "\n"
            + "\n".join(_pair_commands(self.species, self.zbl, "")) + "\n",
        }  # fmt: skip
        for name, text in files.items():
            with atomic_open(folder / name, "w") as file:
                file.write(text)
        zbl = asdict(self.zbl) if self.zbl else None
        write_json(
            folder / "potential.json", {"backend": "pod", "basis": self.basis.to_json(), "zbl": zbl, **self.meta}
        )
        return replace(self, folder=folder)

    @classmethod
    def read(cls, folder: Path) -> PodPotential:
        """Read what :meth:`write` wrote.

        Parameters
        ----------
        folder
            Folder of the potential.

        Returns
        -------
        PodPotential
            To the last digit as it was.

        Raises
        ------
        StateError
            Where it is missing or not readable.
        """
        meta = read_json(Path(folder) / "potential.json")
        try:
            if meta.pop("backend") != "pod":
                raise StateError(f"{folder}: not a POD potential")
            told = meta.pop("basis")
            zbl = meta.pop("zbl")
            text = read_text(Path(folder) / "coefficients.pod", "coefficients", STRUCTURE_BYTES).split()
            numbers, sizes = np.array([float(word) for word in text[4:]]), [int(word) for word in text[1:4]]
            if len(numbers) != sum(sizes) or not np.isfinite(numbers).all():
                raise ValueError(f"coefficients.pod holds {len(numbers)} numbers of {sum(sizes)}, or some not finite")
            coefficients, projection, centroids = np.split(numbers, np.cumsum(sizes[:2]))
            kinds = told.pop("environments", None)
            parts = tuple(tuple(part.tolist()) for part in (projection, centroids))
            basis = PodBasis.from_json(told, Environments(*kinds, *parts) if kinds else None)
        except (InputError, KeyError, IndexError, TypeError, ValueError, OSError) as error:
            what = f"{folder}: not a potential written by gibbsflow ({error})"
            raise StateError(what, what_to_do="Give a folder as `train fit` wrote it: DIR/potential.") from error
        return cls(basis, coefficients, Zbl(**zbl) if zbl else None, meta, Path(folder))


class PodEvaluator:
    """A potential in a LAMMPS process.

    Parameters
    ----------
    potential
        The potential, as it lies in a folder.
    lammps
        The process.
    scratch
        Its folder, where process and folder end with the evaluator; None where both are the caller's.
    """

    def __init__(
        self, potential: PodPotential, lammps: Lammps, scratch: tempfile.TemporaryDirectory[str] | None = None
    ) -> None:
        self.potential, self.lammps = potential, lammps
        self._end = weakref.finalize(self, _finish, lammps, scratch) if scratch is not None else None

    def predict(self, atoms: Atoms) -> Prediction:
        """Evaluate the potential.

        Parameters
        ----------
        atoms
            Structure of the potential's elements; any periodicity.

        Returns
        -------
        Prediction
            Energy in eV, forces in eV/Å, and stress in eV/Å^3 where all directions are periodic.

        Raises
        ------
        EngineError
            Where LAMMPS fails.
        """
        potential = self.potential
        cutoff = potential.cutoff_angstrom
        if len(atoms) <= _SMALL_ATOMS and len(pairs_within(atoms, cutoff)[0]) < _FEW_PAIRS:
            return self._sum_descriptors(atoms)
        return _evaluate(self.lammps, atoms, potential.species, cutoff, potential.pair_commands(self.lammps.folder))

    def descriptors(self, atoms: Atoms, basis: Mapping[str, Any]) -> Floats:
        """Describe the environments of atoms.

        Parameters
        ----------
        atoms
            Structure of the potential's elements; any periodicity.
        basis
            Fields of a :class:`PodBasis`.

        Returns
        -------
        ndarray
            Shape (n, descriptors of an element), without the one-body term.

        Raises
        ------
        EngineError
            Where LAMMPS fails.
        """
        return local_descriptors(self.lammps, atoms, PodBasis.from_json(basis))

    def force_rows(self, atoms: Atoms, basis: Mapping[str, Any]) -> Floats:
        """Rows that forces have in a fit to coefficients of a basis.

        Parameters
        ----------
        atoms
            Structure of the potential's elements; any periodicity.
        basis
            Fields of a :class:`PodBasis`.

        Returns
        -------
        ndarray
            Minus the derivatives of the summed descriptors with the positions, 1/Å, shape (3n, columns); in LAMMPS'
            orientation.

        Raises
        ------
        EngineError
            Where LAMMPS fails.
        """
        return descriptor_sums(self.lammps, atoms, PodBasis.from_json(basis).plain)[1]

    def close(self) -> None:
        """End the process where it is the evaluator's own."""
        if self._end is not None:
            self._end()

    def _sum_descriptors(self, atoms: Atoms) -> Prediction:
        """Evaluate atoms with hardly a neighbour by descriptors: the pair style of the 2025 release crashes on them."""
        lammps, basis, coefficients = self.lammps, self.potential.basis, self.potential.coefficients
        sums, derivatives, rotation = descriptor_sums(lammps, atoms, basis)
        energy, forces = float(sums @ coefficients), (derivatives @ coefficients).reshape(-1, 3) @ rotation.T
        stress = virial_rows(lammps, atoms, basis) @ coefficients / atoms.get_volume() if atoms.pbc.all() else None
        if self.potential.zbl is not None:
            core = evaluate_zbl(lammps, atoms, basis.species, self.potential.zbl)
            energy, forces = energy + core.energy_ev, forces + core.forces_ev_per_angstrom
            if stress is not None and core.stress_ev_per_angstrom3 is not None:
                stress = stress + core.stress_ev_per_angstrom3
        return Prediction(energy, forces, stress)


def evaluate_zbl(lammps: Lammps, atoms: Atoms, species: Sequence[str], zbl: Zbl) -> Prediction:
    """Evaluate the repulsion alone, which is taken off the targets of a fit.

    Parameters
    ----------
    lammps
        The process.
    atoms
        Structure; any periodicity.
    species
        Chemical symbols in the order of LAMMPS' types.
    zbl
        The repulsion.

    Returns
    -------
    Prediction
        Energy in eV, forces in eV/Å, and stress in eV/Å^3 where all directions are periodic.

    Raises
    ------
    EngineError
        Where LAMMPS fails.
    """
    commands = [f"pair_style {_zbl_style(zbl)}", *_zbl_pairs(species, "")]
    return _evaluate(lammps, atoms, species, zbl.outer_angstrom, commands)


def _finish(lammps: Lammps, scratch: tempfile.TemporaryDirectory[str]) -> None:
    lammps.close()
    scratch.cleanup()


def _evaluate(lammps: Lammps, atoms: Atoms, species: Sequence[str], cutoff: float, pair: Sequence[str]) -> Prediction:
    frame = to_frame(atoms, species, cutoff)
    wanted = ["thermo:pe", "forces", "virial"]
    loaded = [*lammps.load(frame), *lists_with_images(frame, cutoff)]
    got = lammps.run([*loaded, *pair, *_THERMO, "run 0 post no"], wanted)
    stress = stress_from_virial(got["virial"], frame.rotation) if atoms.pbc.all() else None
    return Prediction(float(got["thermo:pe"]), got["forces"] @ frame.rotation.T, stress)


def _pair_commands(species: Sequence[str], zbl: Zbl | None, folder: str) -> list[str]:
    files = f"{folder}potential.pod {folder}coefficients.pod {' '.join(species)}"
    if zbl is None:
        return ["pair_style pod", f"pair_coeff * * {files}"]
    return [
        f"pair_style hybrid/overlay {_zbl_style(zbl)} pod",
        f"pair_coeff * * pod {files}",
        *_zbl_pairs(species, "zbl "),
    ]


def _zbl_style(zbl: Zbl) -> str:
    return f"zbl {zbl.inner_angstrom:.6f} {zbl.outer_angstrom:.6f}"


def _zbl_pairs(species: Sequence[str], style: str) -> list[str]:
    numbers = [atomic_numbers[s] for s in species]
    return [
        f"pair_coeff {i} {j} {style}{numbers[i - 1]} {numbers[j - 1]}"
        for i in range(1, len(numbers) + 1)
        for j in range(i, len(numbers) + 1)
    ]
