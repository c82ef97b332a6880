"""What each phase knows of a system: the keys of ``system.json: meta``, typed and frozen.

Each class holds the keys of one verb, in the order in which they are written. `SimSystem.facts` reads them and
`SimSystem.with_facts` adds them; keys that no class names stay in the file as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import ConfigDict, SerializerFunctionWrapHandler, model_serializer

from gibbsflow.config.binding import Equil, Fe, Md
from gibbsflow.config.section import Section, read_section


class Facts(Section):
    """Base: frozen, reads its own keys of a mapping and leaves others alone.

    A field with a default is optional: where it is None it has no key.

    Attributes
    ----------
    written_by
        The verb that leaves these facts.
    """

    model_config = ConfigDict(extra="ignore")
    written_by: ClassVar[str] = ""

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        return {key: value for key, value in handler(self).items() if value is not None or fields[key].is_required()}

    @classmethod
    def absent_from(cls, meta: Mapping[str, Any]) -> list[str]:
        """Name the keys that must be there and are not.

        Parameters
        ----------
        meta
            Facts of a system.

        Returns
        -------
        list of str
            In the order of the fields; empty where the verb has run.
        """
        return [name for name, field in cls.model_fields.items() if field.is_required() and name not in meta]

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any], *, where: str) -> Self:
        """Read the keys of this class.

        Parameters
        ----------
        meta
            Facts of a system, with those of other verbs.
        where
            File that they are from, for messages.

        Returns
        -------
        Self
            Checked; sections of the settings as these.

        Raises
        ------
        InputError
            For values that cannot be, each named.
        """
        values: dict[str, Any] = {}
        for name, field in cls.model_fields.items():
            if name in meta:
                kind: Any = field.annotation
                settings = isinstance(kind, type) and issubclass(kind, Section) and not issubclass(kind, Facts)
                values[name] = read_section(kind, meta[name], where=f"{where}, {name}") if settings else meta[name]
        return read_section(cls, values, where=where)

    def as_meta(self) -> dict[str, Any]:
        """Give the keys and values as they stand in ``system.json``.

        Returns
        -------
        dict
            JSON-serialisable, in the order of the fields.
        """
        return self.model_dump(mode="json")


class GivenFacts(Facts):
    """What may be said of a system beforehand, and no verb writes.

    Attributes
    ----------
    ligand
        Name to report, where it is not the transformation's.
    experimental_dg_kcal_per_mol
        Measured binding free energy.
    """

    ligand: str | None = None
    experimental_dg_kcal_per_mol: float | None = None


class MembranePlanes(Section):
    """Where a file of the OPM database says that the membrane is.

    Attributes
    ----------
    middle_angstrom
        A point between both planes, in Å.
    normal
        Of length 1, its z not below 0.
    thickness_angstrom
        Between the planes, where the tails end, in Å.
    """

    middle_angstrom: tuple[float, float, float]
    normal: tuple[float, float, float]
    thickness_angstrom: float


class PreparedFacts(Facts):
    """The molecules that were read.

    Attributes
    ----------
    receptor_kind
        Host (a small molecule with its bonds) or protein; None where there is no receptor.
    receptor_charge
        Net charge in e; None where only the force field will tell.
    receptor_name
        As in its file's name.
    ligand_charge
        Net charge in e.
    ligand_smiles
        Canonical SMILES.
    site
        Residues of the binding site as the user named them; None for those near the ligand.
    pose
        ``given``, ``file``, ``place``, or ``aligned`` on that of another ligand; None where an earlier version prepared
        the system.
    symmetry_number
        As the samplesheet has it for this ligand; None where the setting counts.
    membrane_planes
        Where dummy atoms of the receptor's file say that the membrane is; None where it has none.
    """

    written_by: ClassVar[str] = "system_prep system"
    receptor_kind: Literal["host", "protein"] | None
    receptor_charge: int | None
    receptor_name: str
    ligand_charge: int
    ligand_smiles: str
    site: str | None
    pose: Literal["given", "file", "place", "aligned"] | None = None
    symmetry_number: int | None = None
    membrane_planes: MembranePlanes | None = None


ENDS = ("ligand_a", "ligand_b")
"""Artifacts of an edge: its two ligands, whose atoms its pairs number."""


class EdgeFacts(Facts):
    """The two ligands of an edge.

    Attributes
    ----------
    edge_ligands
        From which to which.
    edge_pairs
        Numbers (from 0) of the atoms that they share.
    edge_topology
        ``hybrid`` where they share atoms, ``dual`` where both are there as a whole.
    edge_ions
        What keeps the boxes neutral as the net charge changes, in words; None where nothing has to.
    edge_difficulty
        Of that map, between 0 and 1; None where it was not scored.
    edge_smiles
        Canonical SMILES of both; None where an earlier version made the edge.
    """

    written_by: ClassVar[str] = "fe prepare"
    edge_ligands: tuple[str, str]
    edge_pairs: tuple[tuple[int, int], ...]
    edge_topology: Literal["hybrid", "dual"] = "hybrid"
    edge_ions: str | None = None
    edge_difficulty: float | None = None
    edge_smiles: tuple[str, str] | None = None


class AccountFacts(Facts):
    """What came in, what became of it, and the doubts on the way, added to by each phase.

    Attributes
    ----------
    account
        As `gibbsflow.workflow.account.Account.as_dict` makes it.
    """

    account: dict[str, Any] | None = None


class MoleculeParameters(Facts):
    """How one molecule was parametrised.

    Attributes
    ----------
    hash
        Of all that decided its parameters.
    charge_correction_e
        Added to each atom's charge, so that they sum to an integer.
    largest_penalty
        Of the terms that were guessed from similar ones.
    """

    hash: str
    charge_correction_e: float
    largest_penalty: float


class Parametrisation(Facts):
    """Force field of the small molecules.

    Attributes
    ----------
    ligand_ff, charge_method
        As asked for.
    ligand, host
        Each molecule; a protein has its own force field and no `host`.
    charge_source
        ``sdf`` where the ligand's charges are those of its file; None where they were computed.
    """

    ligand_ff: str
    charge_method: str
    ligand: MoleculeParameters
    host: MoleculeParameters | None = None
    charge_source: str | None = None


class ParamFacts(Facts):
    """Force fields.

    Attributes
    ----------
    param
        Of ligand and host.
    protein_ff
        Of a protein.
    """

    written_by: ClassVar[str] = "param ligand"
    param: Parametrisation
    protein_ff: str


class SolvationFacts(Facts):
    """A solute in its box.

    Attributes
    ----------
    waters, cations, anions
        How many were added.
    box_angstrom
        Lengths in Å and angles in degrees, as built.
    """

    waters: int
    cations: int
    anions: int
    box_angstrom: tuple[float, ...]


class RemoteFacts(Facts):
    """What stands in the water of a box, far from its solute, and changes with the ligand.

    Attributes
    ----------
    copy_atoms
        Of a copy of the ligand; none where there is no copy.
    ion_atoms
        Ions whose charge goes with the ligand's.
    centre_atoms
        The solute's heavy atoms, from whose centroid it is kept away.
    least_angstrom
        Distance of centroids that it is kept at, Å.
    gap_angstrom
        Of this, what lies between the atoms that reach out farthest, Å.
    """

    copy_atoms: tuple[int, ...] = ()
    ion_atoms: tuple[int, ...] = ()
    centre_atoms: tuple[int, ...]
    least_angstrom: float
    gap_angstrom: float

    @property
    def molecules(self) -> tuple[tuple[int, ...], ...]:
        """Atoms by molecule.

        Returns
        -------
        tuple of tuple of int
            The copy, and each ion.
        """
        return ((self.copy_atoms,) if self.copy_atoms else ()) + tuple((atom,) for atom in self.ion_atoms)


class TopologyFacts(Facts):
    """Atoms of the complex, by 0-based indices into its topology.

    Attributes
    ----------
    md
        Settings that the topology was made for.
    receptor_atoms, ligand_atoms
        All of each.
    site_atoms
        Heavy atoms of the receptor that line the binding site.
    solvation
        What was added in explicit solvent, by ``complex`` and ``solvent`` (the ligand in a box of its own).
    solvent_ligand_atoms
        The ligand in its own box, where it is not first in it.
    remote
        What changes with the ligand far from it, by box as in `solvation`.
    """

    written_by: ClassVar[str] = "equil prepare"
    md: Md
    receptor_atoms: tuple[int, ...]
    ligand_atoms: tuple[int, ...]
    site_atoms: tuple[int, ...]
    solvation: dict[str, SolvationFacts] | None = None
    solvent_ligand_atoms: tuple[int, ...] | None = None
    remote: dict[str, RemoteFacts] | None = None

    def far_from(self, frames: str) -> RemoteFacts | None:
        """Tell what stands far from the solute in a box.

        Parameters
        ----------
        frames
            As for :meth:`parts`.

        Returns
        -------
        RemoteFacts or None
            None where nothing does.
        """
        return (self.remote or {}).get("complex" if frames == "equil_frames" else "solvent")

    def parts(self, frames: str, atoms: int) -> dict[str, tuple[int, ...]]:
        """Atoms of each part of what was equilibrated.

        Parameters
        ----------
        frames
            Artifact with its frames: ``equil_frames`` of the complex, or ``solvent_equil_frames`` of the ligand alone.
        atoms
            Their number.

        Returns
        -------
        dict
            0-based indices, by ``receptor``, ``ligand``, ``copy`` (of the ligand), ``ions`` (that change with it) and
            ``environment`` (water and other ions).
        """
        receptor, ligand = self.receptor_atoms, self.ligand_atoms
        if frames != "equil_frames":
            receptor, ligand = (), self.solvent_ligand_atoms or tuple(range(len(ligand)))
        remote = self.far_from(frames)
        far = (remote.copy_atoms, remote.ion_atoms) if remote else ((), ())
        others = set(range(atoms)).difference(receptor, ligand, *far)
        return {
            "receptor": receptor,
            "ligand": ligand,
            "copy": far[0],
            "ions": far[1],
            "environment": tuple(sorted(others)),
        }


class RunFacts(Facts):
    """What makes one campaign another than the next.

    Attributes
    ----------
    seed
        All random numbers derive from it.
    replicates
        Independent repeats of each leg; known from ``fe prepare`` on.
    """

    seed: int
    replicates: int | None = None


class SettingsFacts(Facts):
    """Settings of the equilibration, which later phases must not contradict.

    Attributes
    ----------
    md, equil
        Sections of the configuration.
    run
        The seed.
    """

    written_by: ClassVar[str] = "equil prepare"
    md: Md
    equil: Equil
    run: RunFacts


class EquilibratedFacts(Facts):
    """How long the equilibration was, and how it came about.

    Attributes
    ----------
    equil_steps
        MD steps, heating included.
    equil_begun_anew
        Attempt and settings, where an earlier attempt had failed.
    """

    written_by: ClassVar[str] = "equil run"
    equil_steps: int
    equil_begun_anew: Mapping[str, Any] | None = None


class BoundFacts(Facts):
    """Where the ligand was at the end of the equilibration.

    Attributes
    ----------
    bound
        Whether it was in its site.
    ligand_site_distance_angstrom
        Median distance between the centroids of ligand and site, Å.
    ligand_site_largest_angstrom
        The largest, of the frames that were judged; None where an earlier version looked.
    uncorrelated_samples
        That the judged frames amount to; None where an earlier version looked.
    """

    written_by: ClassVar[str] = "equil analyse"
    bound: bool
    ligand_site_distance_angstrom: float
    ligand_site_largest_angstrom: float | None = None
    uncorrelated_samples: float | None = None


class StandardStateFacts(Facts):
    """Free energy of releasing the restrained, decoupled ligand into 1 mol/L.

    Attributes
    ----------
    analytic_kcal_per_mol
        Closed form.
    numeric_kcal_per_mol
        By integration; the one that is used.
    """

    analytic_kcal_per_mol: float
    numeric_kcal_per_mol: float


class LegFacts(Facts):
    """What the free-energy legs were made with.

    Attributes
    ----------
    fe
        Section of the configuration.
    run
        Seed and replicates.
    restraint
        Kind and constants of the restraint, as in ``leg.json``; None where no leg is restrained.
    standard_state
        What the restraint costs; None where there is none.
    restraint_choice
        Why this restraint: candidates with their figures, symmetry number; None where no leg is restrained.
    finite_size
        Analytic correction of a charge by leg, as `FiniteSize.as_dict` has it; None where none is made.
    """

    written_by: ClassVar[str] = "fe prepare"
    fe: Fe
    run: RunFacts
    restraint: Mapping[str, Any] | None = None
    standard_state: StandardStateFacts | None = None
    restraint_choice: Mapping[str, Any] | None = None
    finite_size: Mapping[str, Any] | None = None
