"""Settings of `train validate`: which properties of a potential are measured, how, and what counts as good."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator, model_validator

from gibbsflow.config.section import Section, setting

PropertyName = Literal[
    "cell", "eos", "elastic", "phonons", "vacancy", "surface", "interstitial", "thermal_expansion", "repulsion", "md",
    "modes",
]  # fmt: skip
Tolerance = tuple[float, float]
"""PASS up to the first, WARN up to the second, FAIL beyond it."""


class ReferenceValue(Section):
    """One value to compare with."""

    property: str = setting(..., "Quantity, as `train validate` names it: c11, bulk_modulus, surface_energy_111, ...")
    value: float = setting(..., "Its value, in the unit that is named.")
    unit: str = setting("", "Its unit, such as GPa, eV, J/m^2; empty for a number without one.")
    source: str = setting(..., "Where it comes from.", min_length=1)


class Validation(Section):
    """What is measured of a trained potential, and when it is good enough."""

    subject: Literal["ground_state", "target"] = setting(
        "ground_state",
        "What is measured: the labelled structure of least energy an atom, or the crystal that section target names, "
        "of an alloy of two elements in equal parts on diamond, bcc or fcc the ordered compound.",
    )
    properties: tuple[PropertyName, ...] = setting(
        ("cell", "eos", "elastic", "phonons", "vacancy", "surface", "interstitial", "thermal_expansion", "repulsion",
         "md", "modes"),
        "Properties that are measured, of those that apply to the structure.", min_length=1,
    )  # fmt: skip
    against_engine: bool = setting(
        False, "Measure the same by the engine of section dft, with the same settings; its labels are kept."
    )
    engine_properties: tuple[PropertyName, ...] = setting(
        ("cell", "eos", "elastic", "phonons", "vacancy", "surface", "interstitial", "modes"),
        "Properties that the engine measures too; repulsion and md are the potential's alone.",
    )
    references: tuple[ReferenceValue, ...] = setting((), "Values to compare with, each with unit and source.")
    symmetry_angstrom: float = setting(
        0.01, "How far atoms may be off their places for a symmetry to hold.", unit="Å", gt=0, le=0.5
    )
    relax_force_ev_per_angstrom: float = setting(
        0.005, "Largest force on an atom, and on the cell an atom, where a relaxation ends.", unit="eV/Å", gt=0, le=0.1
    )
    relax_steps: int = setting(200, "Steps of a relaxation at most.", ge=5, le=10_000)
    eos_strain_max: float = setting(
        0.06, "Largest relative change of the volume of the equation of state.", gt=0, le=0.3
    )
    eos_volumes: int = setting(7, "Volumes of the equation of state.", ge=5, le=51)
    elastic_strains: tuple[float, ...] = setting(
        (0.005, 0.01), "Sizes of the strains of elastic constants, each taken with both signs.", min_length=1
    )
    supercell_angstrom: float = setting(
        8.0, "Least distance between opposite faces of the supercells of phonons and point defects.", unit="Å", ge=3,
        le=50,
    )  # fmt: skip
    phonon_displacement_angstrom: float = setting(0.01, "Displacement of atoms.", unit="Å", gt=0, le=0.1)
    phonon_mesh_angstrom: float = setting(
        40.0, "Mesh of q points of the density of states, as a length (phonopy's).", unit="Å", ge=5, le=500
    )
    surface_indices: tuple[tuple[int, int, int], ...] = setting(
        ((1, 0, 0), (1, 1, 0), (1, 1, 1)), "Miller indices of surfaces, of the conventional cell."
    )
    surface_thickness_angstrom: float = setting(10.0, "Least thickness of a slab.", unit="Å", ge=3, le=100)
    surface_vacuum_angstrom: float = setting(12.0, "Vacuum beside a slab.", unit="Å", ge=5, le=100)
    defects_max: int = setting(4, "Sites of one kind of point defect that are tried, at most.", ge=1, le=100)
    expansion_volumes: int = setting(5, "Volumes of the quasi-harmonic approximation.", ge=5, le=21)
    expansion_strain_max: float = setting(0.04, "Largest relative change of its volume.", gt=0, le=0.2)
    temperature_k: float = setting(300.0, "Temperature of MD and of the thermal expansion.", unit="K", gt=0, le=20_000)
    md_steps: int = setting(1000, "Steps of MD at constant energy.", ge=50, le=10**7)
    md_timestep_fs: float | None = setting(
        None, "Its time step; default: 1 fs, with hydrogen 0.5 fs.", unit="fs", gt=0, le=10
    )
    md_atoms_min: int = setting(50, "Atoms of its supercell at least.", ge=2, le=100_000)
    seed: int = setting(2026, "Seed of its velocities.", ge=0, le=2**31 - 1)
    imaginary_thz: float = setting(
        0.1, "Frequencies below minus this are imaginary modes, and no noise near the centre of the zone.", unit="THz",
        ge=0, le=5,
    )  # fmt: skip
    eos_residual_mev_per_atom: float = setting(
        1.0, "What the equation of state may leave of the energies; beyond it a warning.", unit="meV/atom", gt=0, le=100
    )
    energy_drift_mev_per_atom_ps: Tolerance = setting(
        (0.5, 5.0), "Drift of the energy in MD at constant energy.", unit="meV/atom/ps"
    )
    lattice_tolerance: Tolerance = setting(
        (0.01, 0.03), "Relative, of lattice constants; of volumes three times as much."
    )
    modulus_tolerance: Tolerance = setting((0.1, 0.2), "Relative, of bulk, shear and elastic constants.")
    modulus_floor_gpa: float = setting(
        5.0, "Elastic constants that differ by less are equal.", unit="GPa", ge=0, le=100
    )
    frequency_tolerance: Tolerance = setting((0.05, 0.15), "Relative, of vibrational frequencies.")
    frequency_floor_thz: float = setting(0.1, "Frequencies that differ by less are equal.", unit="THz", ge=0, le=10)
    defect_tolerance: Tolerance = setting((0.1, 0.3), "Relative, of energies of point defects.")
    defect_floor_ev: float = setting(
        0.1, "Energies of point defects that differ by less are equal.", unit="eV", ge=0, le=5
    )
    surface_tolerance: Tolerance = setting((0.1, 0.25), "Relative, of surface energies.")
    surface_floor_j_per_m2: float = setting(
        0.05, "Surface energies that differ by less are equal.", unit="J/m²", ge=0, le=2
    )
    expansion_tolerance: Tolerance = setting((0.2, 0.5), "Relative, of the thermal expansion.")

    @field_validator("engine_properties")
    @classmethod
    def _of_the_engine(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if alone := {"repulsion", "md"} & set(value):
            raise ValueError(f"not {', '.join(sorted(alone))}, which are the potential's alone")
        return value

    @field_validator("elastic_strains")
    @classmethod
    def _small_strains(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < strain <= 0.05 for strain in value):
            raise ValueError("numbers > 0 and <= 0.05")
        return value

    @field_validator("surface_indices")
    @classmethod
    def _a_plane(cls, value: tuple[tuple[int, int, int], ...]) -> tuple[tuple[int, int, int], ...]:
        if not all(any(indices) and max(map(abs, indices)) <= 9 for indices in value):
            raise ValueError("three whole numbers from -9 to 9, not all of them 0")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Validation:
        for name, value in self:
            if (name.endswith("_tolerance") or name == "energy_drift_mev_per_atom_ps") and not 0 < value[0] <= value[1]:
                raise ValueError(f"{name}: two numbers > 0, the second not below the first")
        return self
