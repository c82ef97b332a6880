"""Settings of structures and labels: the target, the generators, DFT and how labels are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationInfo, field_validator, model_validator

from gibbsflow.config.label_engines import Engine
from gibbsflow.config.section import Section, setting

Method = Literal[
    "bulk",
    "strain",
    "rattle",
    "sqs",
    "defect",
    "surface",
    "normal_mode",
    "molecules",
    "dimer",
    "isolated_atom",
    "thermal",
]
Crystal = Literal[
    "sc", "fcc", "bcc", "hcp", "diamond", "zincblende", "rocksalt", "cesiumchloride", "fluorite", "wurtzite"
]
Pair = tuple[float, float]
_SHELLS = {
    "1s": "H", "2p": "C N O", "3d": "Sc Ti V Cr Mn Fe Co Ni Cu Zn", "4d": "Y Zr Nb Mo Tc Ru Rh Pd Ag Cd",
    "4f": "Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu", "5d": "Hf Ta W Re Os Ir Pt Au Hg", "5f": "Th Pa U Np Pu",
}  # fmt: skip
HUBBARD_SHELLS = {symbol: shell for shell, symbols in _SHELLS.items() for symbol in symbols.split()}
"""Shell of each element that a Hubbard U acts on: as pw.x takes them by itself up to 7.0 (`set_hubbard_l`), and as its
input names them from 7.1 on."""


def check_element(symbol: str) -> str:
    """Check that a chemical symbol is one.

    Parameters
    ----------
    symbol
        The symbol.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ValueError
        Where it is no element's, naming the nearest that is.
    """
    from ase.data import atomic_numbers

    from gibbsflow.config.section import nearest

    if symbol in ("D", "T"):
        raise ValueError(f"{symbol!r} is an isotope: a potential knows H alone, the mass is of MD")
    if symbol == "X" or symbol not in atomic_numbers:
        raise ValueError(f"{symbol!r} is no element; {nearest(symbol.capitalize(), atomic_numbers.keys() - {'X'})}")
    return symbol


class Target(Section):
    """What the potential is for."""

    elements: tuple[str, ...] = setting((), "Chemical symbols, in the order in which the potential lists them.")
    composition: dict[str, float] = setting(
        {}, "Fraction of each element; default: equal parts.", validate_default=True
    )
    crystal: Crystal | None = setting(
        None, "Crystal structure; default: that of the first element at room temperature."
    )
    lattice_constant_angstrom: float | None = setting(
        None,
        "Lattice constant; default: the elements' own by Vegard's rule, also of metals in cesiumchloride; of other "
        "compounds (zincblende, rocksalt, ..., wurtzite) that at which ions touch, or atoms by covalent radii.",
        unit="Å",
        gt=1,
        le=30,
    )
    structure_file: Path | None = setting(None, "Structures to start from (any format of ASE), instead of a crystal.")
    molecule: str | None = setting(
        None, "Name of a molecule that ASE knows (CH3CH2OH, H2O, ...), instead of a crystal."
    )

    @field_validator("elements")
    @classmethod
    def _known_elements(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise ValueError("each element once")
        return tuple(check_element(symbol) for symbol in value)

    @field_validator("composition")
    @classmethod
    def _whole_composition(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        if "elements" not in info.data:
            return value
        elements = info.data["elements"]
        if not value:
            return {symbol: 1.0 / len(elements) for symbol in elements}
        if set(value) != set(elements):
            raise ValueError(f"one fraction for each of {', '.join(elements)}, and for no other")
        if min(value.values()) < 0 or abs(sum(value.values()) - 1) > 1e-5:
            raise ValueError(f"fractions from 0 to 1 whose sum is 1; here it is {sum(value.values()):g}")
        return {symbol: value[symbol] for symbol in elements}


class Generator(Section):
    """Which structures are made before anything is learnt."""

    methods: tuple[Method, ...] = setting(
        ("bulk", "strain", "rattle"), "Generators, in the order in which they run.", min_length=1
    )
    supercell: tuple[int, int, int] = setting((1, 1, 1), "Repeats of the conventional cell.")
    generator_seed: int = setting(2026, "Seed of all generators.", ge=0, le=2**31 - 1)
    volume_strain_max: float = setting(0.10, "Largest relative change of the volume.", gt=0, le=0.5)
    volume_steps: int = setting(7, "Volumes, from the smallest to the largest.", ge=1, le=100)
    cell_strain_max: float = setting(0.05, "Largest uniaxial and shear strain.", gt=0, le=0.3)
    cell_strain_count: int = setting(4, "Structures of each kind, uniaxial and shear.", ge=0, le=1000)
    rattle_sigma_angstrom: tuple[float, ...] = setting(
        (0.03, 0.1, 0.2), "Standard deviations of displacements.", unit="Å"
    )
    rattle_count: int = setting(4, "Rattled structures for each standard deviation.", ge=0, le=10_000)
    rattle_strain_max: float = setting(0.03, "Largest random strain that goes with a rattle.", ge=0, le=0.2)
    minimum_distance_ratio: float = setting(
        0.75, "Shortest distance after rattling, relative to the nearest neighbours of the parent.", gt=0.2, lt=1
    )
    sqs_atoms_max: int = setting(16, "Most atoms of a special quasirandom structure.", ge=2, le=256)
    sqs_composition_step: float = setting(0.1, "Neighbouring compositions: this far from the target.", gt=0, le=0.5)
    sqs_steps: int = setting(3000, "Monte-Carlo steps of one search.", ge=100, le=10_000_000)
    defect_kinds: tuple[Literal["vacancy", "interstitial", "antisite"], ...] = setting(
        ("vacancy", "interstitial", "antisite"), "Point defects, one of each that symmetry makes different."
    )
    antisites: Literal["auto", "all"] = setting(
        "auto", "In compounds of ions auto puts no cation in the place of an anion, nor the other way round; all does."
    )
    defects_max: int = setting(
        6, "Defects of one kind in one parent; drawn by the seed where symmetry leaves more.", ge=1, le=1000
    )
    interstitial_distance_angstrom: float = setting(1.4, "Least distance of an interstitial.", unit="Å", gt=0.3, le=5)
    surface_indices: tuple[tuple[int, int, int], ...] = setting(((1, 0, 0), (1, 1, 0), (1, 1, 1)), "Miller indices.")
    surface_layers: int = setting(4, "Layers of a slab.", ge=1, le=50)
    surface_vacuum_angstrom: float = setting(10.0, "Vacuum between a slab and its image.", unit="Å", gt=2, le=100)
    mode_temperatures_k: tuple[float, ...] = setting(
        (300.0, 600.0, 1000.0), "Temperatures of normal-mode samples.", unit="K"
    )
    mode_count: int = setting(
        5, "Normal-mode samples at each temperature; every fifth one turned about the single bonds.", ge=1, le=10_000
    )
    molecule_count: int = setting(
        10,
        "Of a liquid: molecules of each kind alone, pairs that meet by each two elements, and boxes.",
        ge=1,
        le=10_000,
    )
    thermal_temperatures_k: tuple[float, ...] = setting(
        (600.0, 1200.0), "Temperatures of spring-network samples.", unit="K"
    )
    thermal_count: int = setting(
        6, "Spring-network samples at each temperature; also the hold-out set.", ge=1, le=10_000
    )
    dimer_range_angstrom: Pair = setting((0.5, 6.0), "Shortest and longest distance of dimers.", unit="Å")
    dimer_count: int = setting(12, "Distances for each pair of elements.", ge=2, le=1000)
    box_angstrom: float = setting(12.0, "Side of the box of molecules, dimers and atoms.", unit="Å", ge=6, le=50)
    duplicate_tolerance_angstrom: float = setting(
        0.01, "Structures that differ less count as one.", unit="Å", gt=0, le=0.5
    )

    @field_validator("supercell")
    @classmethod
    def _positive_repeats(cls, value: tuple[int, int, int]) -> tuple[int, int, int]:
        if min(value) < 1 or max(value) > 10:
            raise ValueError("three whole numbers from 1 to 10")
        return value

    @field_validator("rattle_sigma_angstrom", "mode_temperatures_k", "thermal_temperatures_k")
    @classmethod
    def _positive_all(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or min(value) <= 0:
            raise ValueError("positive numbers")
        return value

    @field_validator("dimer_range_angstrom")
    @classmethod
    def _rising(cls, value: Pair) -> Pair:
        if not 0 < value[0] < value[1] <= 20:
            raise ValueError("two distances, the first the smaller, at most 20 Å")
        return value


class Pseudo(Section):
    """A pseudopotential that the table does not have, or other cutoffs for one that it has."""

    file: str = setting(..., "File name in the pseudopotential folder.", pattern=r"^[\w.+-]+$")
    ecutwfc_ry: float = setting(..., "Cutoff of wavefunctions.", unit="Ry", gt=0, le=400)
    ecutrho_ry: float = setting(
        ...,
        "Cutoff of the density: four times as much for NC, eight and more for US and PAW.",
        unit="Ry",
        gt=0,
        le=4000,
    )


class Dft(Section):
    """What a label is: every key here but the last group changes the settings hash."""

    engine: Engine = setting("quantum_espresso", "Program that makes labels.")
    functional: Literal["pbe", "lda", "pbesol"] = setting(
        "pbe", "Exchange and correlation; all pseudopotentials must be made for it."
    )
    pseudo_library: Literal["debian", "gth"] = setting(
        "debian", "Files of Debian's quantum-espresso-data, or the shipped Goedecker-Teter-Hutter ones (C, Al, Si, Ge)."
    )
    pseudopotentials: dict[str, Pseudo] = setting({}, "By element, in place of the table's.")
    ecutwfc_ry: float | None = setting(
        None, "Cutoff of wavefunctions; default: the largest of the table's.", unit="Ry", gt=0, le=400
    )
    ecutrho_ry: float | None = setting(
        None, "Cutoff of the density; default: the largest of the table's.", unit="Ry", gt=0, le=4000
    )
    kspacing_per_angstrom: float = setting(
        0.25,
        "Spacing of k points: |b_i|/N_i is at most this, 2π in b_i; strained copies keep the mesh of their cell.",
        unit="1/Å",
        gt=0.02,
        le=5,
    )
    smearing: Literal["marzari-vanderbilt", "gaussian", "methfessel-paxton", "fermi-dirac"] = setting(
        "marzari-vanderbilt", "Smearing of occupations."
    )
    degauss_ry: float = setting(0.01, "Width of the smearing.", unit="Ry", gt=0, le=0.2)
    magnetism: Literal["auto", "none"] = setting(
        "auto", "auto: spin-polarised where an element is magnetic (V, Cr, Mn, Fe, Co, Ni, rare earths)."
    )
    moments_ub: dict[str, float] = setting(
        {}, "Starting moments by element in place of the table's: of either sign, 10 at most.", unit="μB"
    )
    dispersion: Literal["none", "d3", "d3-bj"] = setting(
        "none", "Grimme's D3 with zero damping, or with that of Becke and Johnson; its parameters are the functional's."
    )
    dispersion_three_body: bool = setting(True, "The three-body term of D3.")
    hubbard_u_ev: dict[str, float] = setting(
        {},
        "Hubbard U by element (Dudarev's form, atomic projectors), on the shell that goes with the element: "
        + "; ".join(f"{shell} of {symbols.replace(' ', ', ')}" for shell, symbols in _SHELLS.items()) + ".",
        unit="eV",
    )  # fmt: skip
    bands: int | None = setting(None, "Number of bands; default: the program's.", ge=1, le=10_000)
    conv_thr_ry: float = setting(1e-8, "Convergence of the energy in the SCF.", unit="Ry", gt=0, le=1e-2)
    gpaw_cutoff_ev: float = setting(350.0, "Plane-wave cutoff of GPAW.", unit="eV", ge=100, le=2000)
    tblite_method: Literal["GFN1-xTB", "GFN2-xTB"] = setting(
        "GFN1-xTB", "Tight-binding method of tblite; Γ point only."
    )
    engine_because: str = setting("", "Why `engine: auto` stands for this engine; written when settings are expanded.")
    pw_command: str = setting(
        "pw.x",
        "Program name or path of pw.x; pw.x is also looked for in the set-up (make setup-qe).",
        pattern=r"^[\w./+-]+$",
    )
    pseudo_dir: Path | None = setting(
        None, "Folder of pseudopotentials; default: $ESPRESSO_PSEUDO or /usr/share/espresso/pseudo."
    )
    electron_maxstep: int = setting(80, "SCF steps of the first attempt.", ge=1, le=10_000)
    mixing_beta: float = setting(0.7, "Mixing of the first attempt.", gt=0, le=1)
    diagonalization: Literal["david", "cg", "paro", "ppcg"] = setting("david", "Diagonalisation of the first attempt.")

    @field_validator("pseudopotentials", "moments_ub", "hubbard_u_ev")
    @classmethod
    def _known_keys(cls, value: dict[str, Any]) -> dict[str, Any]:
        return {check_element(symbol): item for symbol, item in value.items()}

    @field_validator("moments_ub")
    @classmethod
    def _moments_of_atoms(cls, value: dict[str, float]) -> dict[str, float]:
        for symbol, moment in value.items():
            if abs(moment) > 10:
                raise ValueError(f"moments of atoms in μB, 10 at most; {symbol} has {moment:g}")
        return value

    @field_validator("hubbard_u_ev")
    @classmethod
    def _usable_u(cls, value: dict[str, float]) -> dict[str, float]:
        for symbol, energy in value.items():
            if symbol not in HUBBARD_SHELLS:
                raise ValueError(f"no shell of {symbol} is known to take a U; one of {', '.join(HUBBARD_SHELLS)}")
            if not 0 < energy <= 20:
                raise ValueError(f"a U in eV, above 0 and at most 20; {symbol} has {energy:g}")
        return value

    @model_validator(mode="after")
    def _dispersion_of_functional(self) -> Dft:
        if self.dispersion != "none" and self.functional == "lda":
            raise ValueError("dispersion: D3 has no parameters for lda; right: pbe or pbesol, or none")
        return self


class Labels(Section):
    """How labels are made, and which count."""

    workers: int = setting(1, "Labels at a time; each runs on one core.", ge=1, le=1024)
    label_time_min: float = setting(60.0, "Time bound of one run of the program.", unit="min", gt=0, le=10_080)
    label_memory_gb: float | None = setting(None, "Memory bound of one run; default: none.", unit="GB", gt=0, le=4096)
    corrections_max: int = setting(12, "Corrections of one label before it counts as failed; 0 for none.", ge=0, le=50)
    attempts_max: int = setting(3, "Runs of a label whose worker died or that ran out of memory.", ge=1, le=20)
    ranks: int = setting(1, "MPI ranks of one run of pw.x; a task needs workers times as many cores.", ge=1, le=4096)
    pools: int = setting(1, "Pools of k points of one run of pw.x, at most as many as ranks.", ge=1, le=4096)
    launcher: str = setting(
        "mpirun",
        "Program that starts the ranks, taken from beside pw.x where it lies there; or a path.",
        pattern=r"^[\w./+-]+$",
    )
    force_cap_ev_per_angstrom: float = setting(
        100.0, "Labels with a larger force are refused.", unit="eV/Å", gt=0, le=1e5
    )
    closest_ratio: float = setting(
        0.35,
        "Structures whose closest atoms are nearer than this times the sum of their covalent radii are refused.",
        ge=0,
        lt=1,
    )
    batch_size: int = setting(8, "Structures of one labelling task.", ge=1, le=10_000)

    @model_validator(mode="after")
    def _pools_of_ranks(self) -> Labels:
        if self.pools > self.ranks:
            raise ValueError(f"pools: {self.pools} of {self.ranks} ranks (right: at most as many pools as ranks)")
        return self


class Audit(Section):
    """From when on a label is held and does not count, and what a label made again at tighter settings may differ."""

    net_force_ev_per_angstrom: float = setting(
        0.02, "Sum of the forces over the number of atoms, above which a label is held.", unit="eV/Å", gt=0, le=10
    )
    stress_cap_gpa: float = setting(
        1000.0, "Component of the stress, above which a label is held.", unit="GPa", gt=0, le=1e6
    )
    outlier_factor: float = setting(
        8.0,
        "Robust standard deviations from the others of its composition, from which on a label is held.",
        ge=3,
        le=1e3,
    )
    work_mev_per_atom: float = setting(
        20.0,
        "Energies that differ by more from what forces and stress say, on the way to every like structure, are held.",
        unit="meV/atom", gt=0, le=1e5,
    )  # fmt: skip
    duplicate_mev_per_atom: float = setting(
        2.0, "Energies of one structure that differ by more: the higher is held.", unit="meV/atom", gt=0, le=1e4
    )
    moment_share: float = setting(
        0.25,
        "Share of the median moment an atom, among labels of the same elements, below which a label is held; 0: never.",
        ge=0,
        lt=1,
    )
    tighter: float = setting(1.4, "Factor on cutoffs and on the density of k points of labels made again.", gt=1, le=4)
    relabel_energy_mev_per_atom: float = setting(
        2.0, "Stated error of energies against tighter settings, a constant for each element apart.", unit="meV/atom",
        gt=0, le=1e4,
    )  # fmt: skip
    relabel_force_ev_per_angstrom: float = setting(
        0.02, "Stated error of forces against tighter settings.", unit="eV/Å", gt=0, le=10
    )
    relabel_stress_gpa: float = setting(
        0.5, "Stated error of stresses against tighter settings.", unit="GPa", gt=0, le=100
    )


class StructureSettings(Section):
    """The sections of this half that structures and labels read."""

    target: Target = Target()
    generator: Generator = Generator()
    dft: Dft = Dft()
    labels: Labels = Labels()
    audit: Audit = Audit()
