"""What minimisation and MD made of the structure that came in: still the same isomers, and how far from the pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from rdkit import Chem

from gibbsflow.binding.facts import PreparedFacts, TopologyFacts
from gibbsflow.binding.forcefield.topology_file import heavy_atoms
from gibbsflow.binding.geometry import dihedral_deg, superposed
from gibbsflow.binding.prepare.molecules import read_sdf
from gibbsflow.binding.prepare.small_molecule.mapping import symmetries
from gibbsflow.binding.prepare.small_molecule.stereo import Specified, specified
from gibbsflow.binding.system import SimSystem
from gibbsflow.engines.openmm_systems import load_topology, read_positions_nm
from gibbsflow.errors import ScienceError, first_few
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account

POSE_MINIMISED_ANGSTROM = 2.0
"""Minimisation goes to the next minimum, some 0.3 to 1 Å away: a pose that ends farther off than docking would count
as the same one (2 Å; Cole et al., Proteins 2005, 60, 325) was none of this force field."""
SHAPE_MINIMISED_ANGSTROM = 1.0
"""The same for a molecule laid on itself: farther off it has other torsions than were given."""
POSE_EQUILIBRATED_ANGSTROM = 3.0
"""Thermal motion keeps a stable pose within 2 to 3 Å (Liu, Kokubo, J. Chem. Inf. Model. 2017, 57, 2514)."""
MOST_FRAMES = 50
_FLAT = 0.2
"""Volume of three unit vectors from an atom, 0.77 at a tetrahedral one, below which it is taken for flat."""


class IsomerError(ScienceError):
    """MD or minimisation made another stereoisomer than was prepared."""

    what_to_do = "Give a pose that is not squeezed, or more minimise_steps; what was computed is another molecule."


@dataclass(frozen=True)
class Departure:
    """A system, and the structure that it came with.

    Attributes
    ----------
    system
        With topology and starting coordinates.
    box
        ``complex``, or ``solvent`` for the ligand alone in a box of its own.
    """

    system: SimSystem
    box: str = "complex"

    @property
    def _prmtop(self) -> Path:
        return self.system.path(f"{self.box}_prmtop")

    @cached_property
    def _parts(self) -> dict[str, tuple[int, ...]]:
        atoms = self.system.facts(TopologyFacts)
        if self.box == "complex":
            return {"receptor": atoms.receptor_atoms, "ligand": atoms.ligand_atoms, "site": atoms.site_atoms}
        return {"receptor": (), "ligand": atoms.parts("solvent_equil_frames", 0)["ligand"], "site": ()}

    @cached_property
    def start_angstrom(self) -> Floats:
        """Coordinates that came in.

        Returns
        -------
        ndarray
            Shape (N, 3), Å.
        """
        return np.asarray(read_positions_nm(self.system.path(f"{self.box}_inpcrd"))) * 10

    @cached_property
    def molecules(self) -> dict[str, tuple[Chem.Mol, list[int]]]:
        """Ligand, and host where there is one, with their atoms in the topology.

        Returns
        -------
        dict
            By role; without those whose SDF or charge the system does not hold.
        """
        known, atoms = self.system.find(PreparedFacts), self._parts
        if known is None:
            return {}
        of_role = {"ligand": ("ligand", known.ligand_charge, atoms["ligand"])}
        if known.receptor_kind == "host" and atoms["receptor"]:
            of_role["host"] = ("receptor", known.receptor_charge or 0, atoms["receptor"])
        return {
            role: (read_sdf(self.system.path(artifact), charge).mol, list(indices))
            for role, (artifact, charge, indices) in of_role.items()
            if artifact in self.system.artifacts
        }

    @cached_property
    def _wanted(self) -> dict[str, Specified]:
        return {role: specified(mol) for role, (mol, _) in self.molecules.items()}

    @cached_property
    def heavy(self) -> dict[str, list[int]]:
        """Heavy atoms of ``ligand``, ``receptor`` and ``site`` in the topology.

        Returns
        -------
        dict
            Indices by part.
        """
        heavy = set(heavy_atoms(self._prmtop))
        return {part: [i for i in indices if i in heavy] for part, indices in self._parts.items()}

    @cached_property
    def _centres(self) -> dict[str, tuple[int, int, int, int]]:
        """Tetrahedral atoms with at most one hydrogen, by name: the atom and three neighbours."""
        topology = load_topology(self._prmtop).topology
        neighbours: dict[int, list[int]] = {}
        for a, b in topology.bonds():
            neighbours.setdefault(a.index, []).append(b.index)
            neighbours.setdefault(b.index, []).append(a.index)
        atoms = list(topology.atoms())
        found = {}
        for atom in atoms:
            around = neighbours.get(atom.index, [])
            heavy = [i for i in around if atoms[i].element is not None and atoms[i].element.symbol != "H"]
            symbol = atom.element.symbol if atom.element is not None else ""
            pyramid = len(around) == 3 and symbol in ("S", "P")  # noqa: PLR2004  # which do not turn over, as amines do
            if (len(around) == 4 and len(heavy) > 2) or (pyramid and len(heavy) == 3):  # noqa: PLR2004
                name = f"{atom.name} of {atom.residue.name} {atom.residue.index + 1}"
                found[name] = (atom.index, heavy[0], heavy[1], heavy[2])
        return found

    @cached_property
    def _peptides(self) -> dict[str, tuple[int, int, int, int]]:
        """Peptide bonds of a protein, by name: CA, C, N and CA."""
        topology = load_topology(self._prmtop).topology
        place = {(atom.residue.index, atom.name): atom.index for atom in topology.atoms()}
        found: dict[str, tuple[int, int, int, int]] = {}
        for a, b in topology.bonds():
            c, n = (a, b) if a.name == "C" else (b, a)
            first, last = (place.get((atom.residue.index, "CA")) for atom in (c, n))
            chained = (c.name, n.name) == ("C", "N") and c.residue is not n.residue
            if chained and first is not None and last is not None:
                name = f"{c.residue.name} {c.residue.index + 1} and {n.residue.name} {n.residue.index + 1}"
                found[name] = (first, c.index, n.index, last)
        return found

    def other_isomers(self, positions_angstrom: Floats) -> tuple[list[str], list[str]]:
        """Hold the stereochemistry of a structure against the one that came in.

        Parameters
        ----------
        positions_angstrom
            Shape (N, 3), Å.

        Returns
        -------
        other
            Centres and double bonds that are another isomer's, of receptor and ligand.
        turned
            What a barrier of the force field has to keep: axes of biaryls and allenes, and peptide bonds.
        """
        other: list[str] = []
        turned: list[str] = []
        for role, (mol, indices) in self.molecules.items():
            moved = Chem.Mol(mol)
            moved.GetConformer().SetPositions(np.asarray(positions_angstrom[indices], dtype=float))
            for said in self._wanted[role].against(moved):
                (turned if " axis " in said else other).append(f"{said} of the {role}")
        before, after = self.start_angstrom, np.asarray(positions_angstrom)
        told = {i for _, indices in self.molecules.values() for i in indices}  # by their own names
        for name, atoms in self._centres.items():
            volumes = [_volume(xyz[list(atoms)]) for xyz in (before, after)]
            if atoms[0] not in told and min(map(abs, volumes)) > _FLAT and volumes[0] * volumes[1] < 0:
                other.append(f"centre {name}")
        for name, atoms in self._peptides.items():
            cosines = [np.cos(np.radians(float(dihedral_deg(*xyz[list(atoms)])))) for xyz in (before, after)]
            if cosines[0] * cosines[1] < 0:
                turned.append(f"peptide bond of {name}")
        return other, turned

    def require_same_isomers(self, positions_angstrom: Floats, when: str) -> None:
        """Refuse a structure of another stereoisomer.

        Parameters
        ----------
        positions_angstrom
            Shape (N, 3), Å.
        when
            What messages say of it.

        Raises
        ------
        IsomerError
            With all centres and bonds that turned over.
        """
        if other := self.other_isomers(positions_angstrom)[0]:
            raise IsomerError(f"{self.system.name}: {when} it is another stereoisomer at {first_few(other)}")

    def rmsd_angstrom(self, frames_angstrom: Floats) -> dict[str, float]:
        """Distance from the structure that came in: medians over frames, of heavy atoms.

        Parameters
        ----------
        frames_angstrom
            Shape (F, N, 3), Å.

        Returns
        -------
        dict
            ``ligand_pose``: of the ligand, with the site laid on the site; ``ligand_internal`` and
            ``receptor_internal``: laid on itself; without a receptor ``ligand_internal`` alone. Equal atoms of the
            ligand (flipped rings, carboxylates) may change places.
        """
        even = np.unique(np.linspace(0, len(frames_angstrom) - 1, MOST_FRAMES).round().astype(int))
        frames = np.concatenate([self.start_angstrom[None], np.asarray(frames_angstrom)[even]])
        ligand, receptor = self.heavy["ligand"], self.heavy["receptor"]
        same = [list(range(len(ligand)))]
        if "ligand" in self.molecules:
            same = symmetries(self.molecules["ligand"][0])
        internal = {"ligand_internal": _median_rmsd(frames[:, ligand], same, fit=True)}
        if not receptor:
            return internal
        return {
            "ligand_pose": _median_rmsd(superposed(frames, self.heavy["site"])[:, ligand], same),
            **internal,
            "receptor_internal": _median_rmsd(frames[:, receptor], [list(range(len(receptor)))], fit=True),
        }

    def account_of_minimised(self, positions_angstrom: Floats) -> tuple[Account, dict[str, float]]:
        """Give the account of a minimised structure.

        Parameters
        ----------
        positions_angstrom
            Shape (N, 3), Å.

        Returns
        -------
        account
            With the fact ``minimised`` and a warning for each figure above its threshold.
        figures
            As :meth:`rmsd_angstrom`, keys for a ``result.json``.
        """
        rmsd, account = self.rmsd_angstrom(positions_angstrom[None]), Account(self.system.name)
        figures = _keyed(rmsd, "minimised")
        account.facts["minimised"] = figures
        if (value := rmsd.get("ligand_pose", 0.0)) > POSE_MINIMISED_ANGSTROM:
            what = _moved("minimisation moved the ligand", value, "its pose", POSE_MINIMISED_ANGSTROM)
            account.warn(what, "a pose without strain or clashes")
        for part in ("ligand", "receptor"):
            if (value := rmsd.get(f"{part}_internal", 0.0)) > SHAPE_MINIMISED_ANGSTROM:
                changed = f"minimisation changed the shape of the {part}"
                what = _moved(changed, value, "the one given", SHAPE_MINIMISED_ANGSTROM)
                account.warn(what, "a geometry near a minimum of the force field")
        self._warn_of_turned(account, positions_angstrom, "minimisation")
        return account, figures

    def account_of_equilibrated(self, frames_angstrom: Floats) -> tuple[Account, dict[str, float]]:
        """Give the account of an equilibrated structure.

        A guest turns and tumbles in a host, which has symmetry of its own, and a pose that was placed is nobody's word:
        there the distance from it is a figure, and whether the ligand is bound is judged by itself.

        Parameters
        ----------
        frames_angstrom
            Frames that are judged, shape (F, N, 3), Å.

        Returns
        -------
        account
            With the fact ``equilibrated``; a warning where a pose in a protein was left.
        figures
            As :meth:`rmsd_angstrom`, keys for a ``result.json``.
        """
        rmsd, account = self.rmsd_angstrom(frames_angstrom), Account(self.system.name)
        figures = _keyed(rmsd, "equilibrated")
        account.facts["equilibrated"] = figures
        known = self.system.find(PreparedFacts)
        value, held = rmsd.get("ligand_pose", 0.0), known and known.receptor_kind == "protein" and known.pose != "place"
        if held and value > POSE_EQUILIBRATED_ANGSTROM:
            left = "in the equilibration the ligand left its pose"
            account.warn(_moved(left, value, "the one given", POSE_EQUILIBRATED_ANGSTROM), "a pose that is stable")
        self._warn_of_turned(account, frames_angstrom[-1], "equilibration")
        return account, figures

    def _warn_of_turned(self, account: Account, positions_angstrom: Floats, when: str) -> None:
        if turned := self.other_isomers(positions_angstrom)[1]:
            account.warn(f"{when} turned {', '.join(turned[:6])}", "a structure that keeps them")


def _keyed(rmsd: dict[str, float], when: str) -> dict[str, float]:
    return {f"{name}_rmsd_{when}_angstrom": round(value, 3) for name, value in rmsd.items()}


def _moved(what: str, value: float, source: str, limit: float) -> str:
    return f"{what}: {value:.1f} Å RMSD of heavy atoms from {source}, above {limit:g} Å"


def _median_rmsd(frames: Floats, same: Sequence[Sequence[int]], *, fit: bool = False) -> float:
    """Median RMSD of frames against the first, the least of all ways to number equal atoms."""
    least = np.full(len(frames) - 1, np.inf)
    for order in same:
        moved = frames.copy()
        moved[1:] = moved[1:, list(order)]
        if fit:
            moved = superposed(moved, range(frames.shape[1]))
        squares = ((moved[1:] - moved[0]) ** 2).sum(axis=-1).mean(axis=-1)
        least = np.minimum(least, squares)
    return float(np.sqrt(np.median(least)))


def _volume(points: Floats) -> float:
    """Volume of the three unit vectors from the first point to the others."""
    arms = points[1:] - points[0]
    a, b, c = arms / np.linalg.norm(arms, axis=1)[:, None]
    return float(a @ np.cross(b, c))
