"""Settings of `train validate`: which properties of a potential are measured, how, and what counts as good."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import field_validator, model_validator

from gibbsflow.config.potential_training import usual_timestep_fs
from gibbsflow.config.section import Section, setting

PropertyName = Literal[
    "cell", "eos", "elastic", "phonons", "vacancy", "surface", "interstitial", "thermal_expansion", "repulsion", "md",
    "modes", "npt_expansion", "rdf", "melting",
]  # fmt: skip
Tolerance = tuple[float, float]
"""PASS up to the first, WARN up to the second, FAIL beyond it."""


class ReferenceValue(Section):
    """One value to compare with."""

    property: str = setting(..., "Quantity, as `train validate` names it: c11, bulk_modulus, surface_energy_111, ...")
    value: float = setting(..., "Its value, in the unit that is named.")
    unit: str = setting("", "Its unit, such as GPa, eV, J/m^2; empty for a number without one.")
    source: str = setting(..., "Where it comes from.", min_length=1)


class RadialReference(Section):
    """A radial distribution to compare with."""

    temperature_k: float = setting(..., "Its temperature.", unit="K", gt=0, le=20_000)
    radius_angstrom: tuple[float, ...] = setting(..., "Distances, rising.", unit="Å", min_length=20)
    density: tuple[float, ...] = setting(..., "g(r) at each of them, which goes to 1.", min_length=20)
    source: str = setting(..., "Where it comes from.", min_length=1)

    @model_validator(mode="after")
    def _a_distribution(self) -> RadialReference:
        if len(self.radius_angstrom) != len(self.density):
            raise ValueError(f"{len(self.radius_angstrom)} distances and {len(self.density)} densities")
        pairs = zip(self.radius_angstrom, self.radius_angstrom[1:], strict=False)
        if not all(0 <= one < other for one, other in pairs):
            raise ValueError("distances that rise, none below 0")
        if min(self.density) < 0 or max(self.density) < 1:
            raise ValueError("densities of g(r), none below 0 and some above 1")
        return self


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
        "Properties that are measured, of those that apply to the structure; npt_expansion, rdf and melting, which "
        "take MD of many atoms, only where they are named.", min_length=1,
    )  # fmt: skip
    against_engine: bool = setting(
        False, "Measure the same by the engine of section dft, with the same settings; its labels are kept."
    )
    engine_properties: tuple[PropertyName, ...] = setting(
        ("cell", "eos", "elastic", "phonons", "vacancy", "surface", "interstitial", "modes"),
        "Properties that the engine measures too; repulsion, md, npt_expansion and melting are the potential's alone.",
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
    sample_ps: float = setting(
        20.0, "Length of each MD of npt_expansion and rdf, of which three quarters count.", unit="ps", ge=0.1,
        le=100_000,
    )  # fmt: skip
    sample_atoms_min: int = setting(200, "Atoms of its supercell at least.", ge=8, le=1_000_000)
    expansion_span_k: float = setting(
        200.0, "Between the lowest and the highest temperature of npt_expansion.", unit="K", gt=0, le=5000
    )
    rdf_temperatures_k: tuple[float, ...] = setting(
        (), "Temperatures of radial distributions; default: those of their references, else temperature_k.", unit="K"
    )
    rdf_references: tuple[RadialReference, ...] = setting((), "Radial distributions to compare with.")
    rdf_engine_steps: int = setting(
        400, "MD steps by which the engine measures a radial distribution, where engine_properties names rdf.", ge=50,
        le=1_000_000,
    )  # fmt: skip
    melting_range_k: tuple[float, float] | None = setting(
        None, "Where the melting temperature is looked for; needed by melting.", unit="K"
    )
    melting_atoms_min: int = setting(1000, "Atoms of the box of crystal and melt at least.", ge=100, le=10_000_000)
    melting_ps: float = setting(50.0, "Length of each run of crystal and melt.", unit="ps", ge=1, le=100_000)
    melting_runs_max: int = setting(6, "Runs of crystal and melt at most.", ge=2, le=50)
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
    melting_tolerance: Tolerance = setting((0.05, 0.15), "Relative, of the melting temperature.")
    rdf_tolerance: Tolerance = setting((0.1, 0.25), "Distance of radial distributions, ∫|g - g'| dr over ∫ g' dr.")

    @field_validator("engine_properties")
    @classmethod
    def _of_the_engine(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if alone := {"repulsion", "md", "npt_expansion", "melting"} & set(value):
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

    @field_validator("rdf_temperatures_k")
    @classmethod
    def _warm(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < temperature <= 20_000 for temperature in value):
            raise ValueError("temperatures > 0 and <= 20000")
        return value

    @model_validator(mode="after")
    def _what_md_needs(self) -> Validation:
        if self.melting_range_k is not None and not 0 < self.melting_range_k[0] < self.melting_range_k[1] <= 20_000:
            raise ValueError("melting_range_k: two temperatures > 0 and <= 20000, the second above the first")
        if "melting" in self.properties and self.melting_range_k is None:
            raise ValueError("melting_range_k: two temperatures to look for melting between, such as [1000, 2000]")
        if "npt_expansion" in self.properties and self.expansion_span_k >= 2 * self.temperature_k:
            raise ValueError("expansion_span_k: less than twice temperature_k, so that the lowest is above 0 K")
        return self

    def timestep_fs(self, symbols: Iterable[str]) -> float:
        """Choose the time step of MD.

        Parameters
        ----------
        symbols
            Chemical symbols of what moves.

        Returns
        -------
        float
            That of the settings, else the usual one.
        """
        return self.md_timestep_fs or usual_timestep_fs(symbols)

    @model_validator(mode="after")
    def _in_order(self) -> Validation:
        for name, value in self:
            if (name.endswith("_tolerance") or name == "energy_drift_mev_per_atom_ps") and not 0 < value[0] <= value[1]:
                raise ValueError(f"{name}: two numbers > 0, the second not below the first")
        return self
