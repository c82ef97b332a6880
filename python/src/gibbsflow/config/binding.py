"""Settings of a binding campaign. Every quantity carries its unit in its name; no name occurs in two sections."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from gibbsflow.config.binding_parts import Costs, Placing, Relative
from gibbsflow.config.modes import Mode
from gibbsflow.config.section import Section, nearest, read_section, setting
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.settings_file import read_mapping


class Io(Section):
    """What comes in and where things go."""

    input: Path | None = setting(
        None,
        "Samplesheet (CSV): ligand, structure or smiles; docs/usage.md lists its columns. Or an SDF of all ligands.",
    )
    receptor: Path | None = setting(None, "Host (MOL2, SDF) or protein (PDB, mmCIF).")
    config: Path | None = setting(None, "Settings of a potential (YAML): elements, structure, goal; docs/potential.md.")
    resume_from: Path | None = setting(None, "generation_NN of an earlier potential to go on from.")
    outdir: Path = setting(Path("results"), "Folder of the results.")
    state_dir: Path | None = setting(
        None,
        "Folder of MD and DFT state, kept to go on later; default: state, beside the work directory.",
    )
    campaign: str | None = setting(
        None,
        "Name of the campaign's folder in the state folder; default: name of outdir.",
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$",
    )
    param_cache: Path | None = setting(None, "Content-addressed cache of parameters; default: in the state folder.")


class Run(Section):
    """How a campaign runs and what it does with failures."""

    mode: Mode = setting(
        "abfe",
        "What is computed: absolute binding or solvation free energies, MD of the complex alone, or a potential.",
    )
    on_failure: Literal["raise", "prune", "retry"] = setting(
        "retry",
        "A failed item ends the campaign (raise), is dropped and listed (prune), or is tried once more first (retry).",
    )
    clean_failures: bool = setting(
        False,
        "Remove FAILED sentinels, attempt counters and progress caches before starting.",
    )
    replicates: int = setting(
        2,
        "Independent repeats of each leg; the error is taken from their spread.",
        ge=1,
        le=20,
    )
    seed: int = setting(2026, "Seed from which all others are derived.", ge=0, le=2**31 - 1)


class System(Section):
    """Receptor and pose."""

    receptor_kind: Literal["auto", "host", "protein"] = setting(
        "auto",
        "A small-molecule host (parametrised as the ligand is) or a protein; auto looks at its residues.",
    )
    receptor_charge: int | None = setting(
        None, "Net charge of a host; read from the file where not given.", ge=-20, le=20
    )
    site: str | None = setting(
        None,
        "Residues that line the binding site, as CHAIN:NUMBER,... or residue names; default: all of a host.",
    )
    ph: float = setting(7.0, "pH for protonating proteins, where neither names nor hydrogens decide.", ge=0, le=14)
    protonation: Path | None = setting(
        None,
        "Protonation by residue: CSV with CHAIN:NUMBER,NAME or YAML with CHAIN:NUMBER: NAME; goes before all else.",
    )
    altloc: str | None = setting(
        None, "Alternate locations to take, as CHAIN:NUMBER=LABEL,...; default: the highest occupancy."
    )
    keep: str | None = setting(
        None, "What is kept beside a protein (ions, waters, cofactors), as residue names or CHAIN:NUMBER,..."
    )
    parameters: str | None = setting(
        None, "Files with AMBER parameters of what is kept: mol2, lib or off, and frcmod; separated by commas."
    )
    align_poses: bool = setting(
        False,
        "Ligands without a pose (SMILES, or a structure that lies elsewhere) take that of the most similar ligand.",
    )
    clash_angstrom: float = setting(
        1.2,
        "Heavy atoms of ligand and receptor closer than this are a clash.",
        unit="Å",
        ge=0.5,
        le=3.0,
    )


class Param(Section):
    """Force field."""

    ligand_ff: Literal["gaff2", "gaff"] = setting("gaff2", "Force field of ligands and hosts.")
    charge_method: Literal["bcc", "gas"] = setting("bcc", "Charges: AM1-BCC or Gasteiger.")
    charge_source: Literal["am1bcc", "sdf"] = setting(
        "am1bcc", "Charges of ligands: computed (charge_method), or those that their SDF brings along."
    )
    protein_ff: Literal["ff14SB", "ff19SB"] = setting("ff14SB", "Force field of proteins.")
    param_memory_gb: float = setting(4.0, "Memory bound of one antechamber run.", unit="GB", gt=0, le=512)
    param_time_min: float = setting(30.0, "Time bound of one antechamber run.", unit="min", gt=0, le=10080)


class Md(Section):
    """Molecular dynamics, in equilibration and free-energy windows alike."""

    engine: Literal["auto", "openmm", "gromacs", "amber"] = setting(
        "openmm",
        "What runs MD: OpenMM; GROMACS (windows in explicit solvent); amber (sander, pmemd.cuda); auto (usage).",
    )
    solvent: Literal["obc2", "vacuum", "tip3p", "spce", "opc", "tip4pew", "given"] = setting(
        "obc2",
        "Implicit solvent OBC2 (igb=5, no surface term), a water model (PME), none, or what a system comes in (given).",
    )
    temperature_k: float = setting(298.15, "Temperature.", unit="K", ge=200, le=500)
    timestep_fs: float = setting(
        4.0, "Time step; above 2 fs needs hydrogen mass repartitioning.", unit="fs", gt=0, le=5
    )
    hydrogen_mass_amu: float = setting(3.0, "Mass of hydrogens after repartitioning.", unit="amu", ge=1.008, le=4)
    friction_per_ps: float = setting(1.0, "Langevin friction.", unit="1/ps", gt=0, le=100)
    threads: int = setting(1, "CPU threads of one MD process.", ge=1, le=128)
    platform: Literal["CPU", "Reference", "CUDA", "OpenCL"] = setting("CPU", "OpenMM platform.")
    legs_per_gpu: str = setting(
        "auto",
        "Legs of a ligand that share a GPU, 1 to 48; auto: as many small ones as fill it (docs/cluster.md).",
        pattern=r"^(auto|[1-9]|[1-3]\d|4[0-8])$",
    )
    pressure_bar: float = setting(1.01325, "Pressure in explicit solvent.", unit="bar", gt=0, le=10_000)
    cutoff_angstrom: float = setting(9.0, "Direct-space cutoff in explicit solvent.", unit="Å", ge=7, le=20)
    padding_angstrom: float = setting(
        12.0, "Water between the solute and the faces of the box, at the least.", unit="Å", ge=5, le=50
    )
    box_shape: Literal["octahedron", "box"] = setting(
        "octahedron", "Truncated octahedron, the least water round a solute, or a rectangular box."
    )
    salt_mol_per_l: float | None = setting(
        None,
        "Salt (NaCl) beside the ions that neutralise; default: 0.15 with a receptor, none without.",
        unit="mol/L",
        ge=0,
        le=5,
    )

    trajectory: Literal["none", "solute", "all"] = setting(
        "solute", "Frames kept: none, receptor and ligand with the waters nearest to it, or all atoms."
    )
    trajectory_ps: float = setting(
        10.0, "Time between frames; in free-energy windows whole segments.", unit="ps", gt=0, le=1_000_000
    )

    @property
    def explicit(self) -> bool:
        """Whether the solvent is made of molecules.

        Returns
        -------
        bool
            True for a water model.
        """
        return self.solvent not in ("obc2", "vacuum")

    @property
    def on_gpu(self) -> bool:
        """Whether OpenMM computes on a GPU.

        Returns
        -------
        bool
            By the platform.
        """
        return self.platform in ("CUDA", "OpenCL")


class Equil(Section):
    """Equilibration of the complex."""

    minimise_steps: int = setting(1000, "Steps of minimisation at most.", ge=0, le=1_000_000)
    heat_ps: float = setting(10.0, "Heating from 10 K, ligand and receptor restrained.", unit="ps", ge=0, le=100_000)
    density_ps: float = setting(
        50.0,
        "In explicit solvent: at constant pressure with the solute held, after heating.",
        unit="ps",
        ge=0,
        le=1_000_000,
    )
    equil_ps: float = setting(50.0, "Unrestrained equilibration after heating.", unit="ps", gt=0, le=10_000_000)
    equil_stages: Path | None = setting(
        None,
        "Stages of the equilibration (YAML), in place of heat_ps, density_ps and equil_ps; docs/methods shows one.",
    )
    equil_segment_ps: float = setting(10.0, "Length between two checkpoints.", unit="ps", gt=0, le=100_000)
    unbound_threshold_angstrom: float = setting(
        8.0,
        "A ligand whose centre ends farther than this from its site is unbound.",
        unit="Å",
        gt=0,
        le=100,
    )


class Fe(Placing):
    """Free-energy legs."""

    restraint: Literal["auto", "com", "flat_bottom", "boresch"] = setting(
        "auto",
        "Restraint of the decoupled ligand: centre of mass, flat bottom, or Boresch; auto: com for hosts and where "
        "there are no anchors, Boresch for proteins.",
    )
    com_force_constant_kcal_per_mol_angstrom2: float = setting(
        10.0, "K of the centre-of-mass restraint, U = 1/2 K r^2.", unit="kcal/mol/Å²", gt=0, le=1000
    )
    flat_bottom_radius_angstrom: float | None = setting(
        None,
        "Distance of the centres of ligand and site up to which a flat-bottom restraint is without force; default: the "
        "largest of the equilibration and 1 Å.",
        unit="Å",
        gt=0,
        le=100,
    )
    flat_bottom_force_constant_kcal_per_mol_angstrom2: float = setting(
        10.0,
        "K of the walls of a flat-bottom restraint, U = 1/2 K (r - R)^2 beyond R.",
        unit="kcal/mol/Å²",
        gt=0,
        le=1000,
    )
    boresch_atoms: str | None = setting(
        None,
        "Anchors of a Boresch restraint, P1,P2,P3,L1,L2,L3: receptor as CHAIN:NUMBER:ATOM (of a host: ATOM), ligand as "
        "ATOM; default: the best set of the equilibration.",
    )
    symmetry_number: int = setting(
        1,
        "Equivalent poses of which a Boresch restraint holds one: adds -kT ln of it to the binding free energy.",
        ge=1,
        le=1000,
    )
    boresch_k_r_kcal_per_mol_angstrom2: float = setting(
        10.0,
        "K of the Boresch distance, U = 1/2 K x^2.",
        unit="kcal/mol/Å²",
        gt=0,
        le=1000,
    )
    boresch_k_angle_kcal_per_mol_rad2: float = setting(
        100.0,
        "K of the Boresch angles and dihedrals, U = 1/2 K x^2.",
        unit="kcal/mol/rad²",
        gt=0,
        le=10_000,
    )
    abfe_protocol: Literal["double_decoupling", "sdr"] = setting(
        "double_decoupling",
        "Ligand decoupled in the site and in water, a box each; or (sdr) in the site while a copy couples in the water "
        "of the same box.",
    )
    charge_correction: Literal["counter_ion", "analytic"] | None = setting(
        None,
        "What makes up for a charged ligand decoupled in a periodic box of water, or (counter_ion) for an edge between "
        "ligands of different charge; without one it is refused. Not for sdr, whose box stays neutral.",
    )
    sampler: Literal["exchange", "independent"] = setting(
        "exchange",
        "Hamiltonian replica exchange in one task a leg, or one independent task a window.",
    )
    complex_schedule: str = setting("auto", "λ schedule of the complex leg: a shipped name or a YAML file.")
    solvent_schedule: str = setting("auto", "λ schedule of the solvent leg: a shipped name or a YAML file.")
    vacuum_schedule: str = setting("auto", "λ schedule of the vacuum leg: a shipped name or a YAML file.")
    sdr_schedule: str = setting("auto", "λ schedule of the leg of sdr: a shipped name or a YAML file.")
    soft_core: Literal["beutler", "gapsys"] = setting(
        "beutler", "Soft core of Lennard-Jones in explicit solvent (docs/methods)."
    )
    window_ps: float = setting(1000.0, "Sampling a window and replicate.", unit="ps", gt=0, le=10_000_000)
    window_equil_ps: float = setting(20.0, "Discarded start of each window.", unit="ps", ge=0, le=1_000_000)
    sample_ps: float = setting(1.0, "Interval between samples, and between exchanges.", unit="ps", gt=0, le=10_000)
    segment_ps: float = setting(10.0, "Length between two checkpoints.", unit="ps", gt=0, le=1_000_000)


class Analysis(Section):
    """Estimators and the verdict."""

    decorrelate: Literal["auto", "always", "never"] = setting(
        "auto",
        "Samples of estimators: value from all, own error from uncorrelated ones (auto); both from these (always); all "
        "for both (never). A leg's error is that of blocks of time.",
    )
    overlap_warn: float = setting(0.03, "Least overlap of neighbouring windows that gives no warning.", ge=0, le=0.5)
    error_warn_kcal_per_mol: float = setting(0.5, "Largest error that gives no warning.", unit="kcal/mol", gt=0, le=10)
    entropy: bool = setting(False, "Split free energies into enthalpy and entropy, by mean energies of end states.")
    target_error_kcal_per_mol: float | None = setting(
        None,
        "Standard error to be reached: legs are sampled longer, in rounds, where that lessens it most.",
        unit="kcal/mol",
        gt=0,
        le=10,
    )
    max_window_ps: float | None = setting(
        None,
        "Most of a window for target_error_kcal_per_mol; default: 10 times window_ps.",
        unit="ps",
        gt=0,
        le=10_000_000,
    )


class BindingConfig(Section):
    """Everything that a binding campaign can be told, with defaults that run."""

    run: Run = Run()
    system: System = System()
    param: Param = Param()
    md: Md = Md()
    equil: Equil = Equil()
    fe: Fe = Fe()
    relative: Relative = Relative()
    analysis: Analysis = Analysis()
    costs: Costs = Costs()

    @classmethod
    def sections(cls) -> dict[str, type[Section]]:
        """Name the sections.

        Returns
        -------
        dict
            Class of each section by its name, in their order.
        """
        return {name: field.annotation for name, field in cls.model_fields.items()}  # type: ignore[misc]

    @classmethod
    def from_params(cls, params: Mapping[str, Any], *, where: str = "command line") -> Self:
        """Check flat parameters, as Nextflow has them.

        Parameters
        ----------
        params
            Values by parameter; None means the default.
        where
            File or command line they came from, for messages.

        Returns
        -------
        BindingConfig
            The settings.

        Raises
        ------
        InputError
            With all problems at once.
        """
        home = {key: name for name, section in cls.sections().items() for key in section.model_fields}
        nested: dict[str, dict[str, Any]] = {}
        unknown = []
        for key, value in params.items():
            if key not in home:
                unknown.append(Problem(where, "unknown parameter", nearest(key, (*home, *cls.model_fields)), field=key))
            elif value is not None:
                nested.setdefault(home[key], {})[key] = value
        try:
            config = read_section(cls, nested, where=where)
        except InputError as error:
            raise InputError(unknown + error.problems) from error
        if unknown:
            raise InputError(unknown)
        return config

    def with_system(self, chosen: Mapping[str, Any]) -> Self:
        """Replace settings of the receptor.

        Parameters
        ----------
        chosen
            Values by key of section ``system``; None leaves what is there.

        Returns
        -------
        BindingConfig
            A copy.
        """
        given = {key: value for key, value in chosen.items() if value is not None}
        return self.model_copy(update={"system": self.system.model_copy(update=given)})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read YAML or JSON: sections with their keys, or the keys alone.

        Parameters
        ----------
        path
            The file.

        Returns
        -------
        BindingConfig
            The settings.

        Raises
        ------
        InputError
            Where the file cannot be read, with all problems at once.
        """
        return cls.from_mapping(read_mapping(path), where=str(path))

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any], *, where: str) -> Self:
        """Check a mapping of sections, or of keys alone.

        Parameters
        ----------
        content
            The mapping, as a file holds it.
        where
            File that it came from, for messages.

        Returns
        -------
        BindingConfig
            The settings.

        Raises
        ------
        InputError
            With all problems at once.
        """
        if not any(key in cls.model_fields for key in content):
            return cls.from_params(content, where=where)
        home = {key: name for name, section in cls.sections().items() for key in section.model_fields}
        astray = [
            Problem(where, "stands beside sections", f"in section {home[key]}", field=key)
            for key in content
            if key in home and key not in cls.model_fields
        ]
        if astray:
            raise InputError(astray)
        return read_section(cls, content, where=where)


class Launch(BindingConfig):
    """A whole campaign in one file: the settings and what comes in; for ``gibbsflow run-local``."""

    io: Io = Io()


LATER: frozenset[str] = frozenset(
    {
        "legs_per_gpu", "engine", "pressure_bar", "cutoff_angstrom", "padding_angstrom", "box_shape",
        "salt_mol_per_l", "density_ps", "equil_stages", "vacuum_schedule", "sdr_schedule", "abfe_protocol",
        "charge_correction", "soft_core", "flat_bottom_radius_angstrom",
        "flat_bottom_force_constant_kcal_per_mol_angstrom2", "boresch_atoms", "symmetry_number", "trajectory",
        "trajectory_ps", "charge_source", "schedule", "fe_pilot_ps", "schedule_by", "schedule_spacing",
        "target_error_kcal_per_mol", "max_window_ps", "entropy",
    }
)  # fmt: skip
"""Settings that came after campaigns had been begun. Their defaults must be what was done before there was a choice."""


ONCE: Mapping[str, str] = {"complex_schedule": "complex_16", "solvent_schedule": "solvent_6"}
"""Defaults of settings before they were ``auto``, which means the same where there was a choice of nothing else."""


def hashed(section: Section) -> dict[str, Any]:
    """Give a section as it enters the hash of inputs by which state is known.

    A setting in `LATER` is left out where it has its default: state made before there was such a setting is its own.

    Parameters
    ----------
    section
        Any section.

    Returns
    -------
    dict
        JSON-serialisable values by key.
    """
    defaults = {key: field.get_default() for key, field in type(section).model_fields.items() if key in LATER}
    values = section.model_dump(mode="json")
    values |= {key: once for key, once in ONCE.items() if values.get(key) == "auto"}
    return {key: value for key, value in values.items() if key not in LATER or getattr(section, key) != defaults[key]}


RunConfig = BindingConfig
"""The name that scripts may still import."""
