"""Settings of training, exploration, selection and embedding. Every quantity carries its unit in its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from gibbsflow.config.potential import check_element
from gibbsflow.config.section import Section, setting
from gibbsflow.errors import InputError, Problem

Backend = Literal["pod", "pace", "chgnet"]
BACKENDS: Mapping[Backend, str] = {
    "pod": "LAMMPS ML-POD",
    "pace": "python-ace: academic licence, not bundled",
    "chgnet": "a foundation model, tuned; `make setup-foundation`",
}
"""All trainers and what is behind each; `potential/train/fit.py` says where each is made."""
BACKEND_WORDS = ", or ".join(f"{name} ({program})" for name, program in BACKENDS.items())
DEFAULT_BACKEND: Backend = "pod"
Goal = Literal["accuracy", "balanced", "speed"]
"""What a search for a potential makes small: its errors, or these with a lower or higher price on its cost in MD."""
DEFAULT_GOAL: Goal = "accuracy"
_MOST_ENVIRONMENTS = 8
Weights = Literal["0.3.0", "0.2.0", "r2scan"]
"""Weights in CHGNet's wheel: of PBE and PBE+U (MPtrj), an earlier version of these, and of r2SCAN."""
DEFAULT_WEIGHTS: Weights = "0.3.0"


class Tuning(Section):
    """How a foundation model is tuned. Nothing is replayed: the data that it was made from are not in its wheel."""

    weights: Weights = setting(DEFAULT_WEIGHTS, "Weights in CHGNet's wheel that the fit begins from.")
    frozen: Literal["none", "embeddings", "interactions"] = setting(
        "none",
        "What stays as it is: nothing, the embeddings of atoms, bonds and angles, or these and all interactions but "
        "the last.",
    )
    learning_rate: float = setting(1e-3, "Of AdamW at the start; it falls to a hundredth as a cosine.", gt=0, le=0.1)
    epochs: int = setting(30, "Passes over the training frames, at most as many as the time holds.", ge=1, le=100_000)
    batch: int = setting(4, "Frames of one step.", ge=1, le=1024)
    energy_weight: float = setting(1.0, "Weight of squared errors of energies, in 10 meV/atom.", ge=0, le=1e4)
    force_weight: float = setting(1.0, "Weight of squared errors of forces, in 0.1 eV/Å.", ge=0, le=1e4)
    stress_weight: float = setting(0.1, "Weight of squared errors of stresses, in 1 GPa.", ge=0, le=1e4)

    @model_validator(mode="after")
    def _learns(self) -> Tuning:
        if self.energy_weight == self.force_weight == self.stress_weight == 0:
            raise ValueError("energy_weight, force_weight and stress_weight must not all be 0")
        return self


class Training(Section):
    """How a potential is fitted."""

    backend: Backend = setting(DEFAULT_BACKEND, "Trainer; in the loop one whose potentials have a grade.")
    time_budget_min: float = setting(
        15.0, "Wall-clock time of one fit; a longer one tries larger bases.", unit="min", gt=0, le=10_080
    )
    processes: int | None = setting(
        None, "LAMMPS processes side by side; default: the cores this process may use.", ge=1, le=256
    )
    memory_gb: float = setting(
        4.0, "Memory of the design matrix; bounds the size of the basis.", unit="GB", gt=0, le=1024
    )
    cutoff_angstrom: float | None = setting(
        None, "Cutoff of the potential; default: chosen by validation.", unit="Å", ge=2.0, le=20.0
    )
    goal: Goal = setting(
        DEFAULT_GOAL,
        "What validation chooses by: errors alone, or errors against the cost of MD (halving it is worth 10 % of the "
        "errors if balanced, 29 % for speed).",
    )
    max_environments: int = setting(
        _MOST_ENVIRONMENTS, "Kinds of surroundings with coefficients of their own at most (POD); 1: none.", ge=1, le=8
    )
    max_coefficients: int = setting(2000, "Largest number of coefficients; fewer make MD faster.", ge=10, le=20_000)
    folds: int = setting(5, "Folds of the inner validation.", ge=2, le=20)
    energy_weight: float | None = setting(
        None, "Weight of energies an atom against forces, where 1 balances their counts; default: by validation.",
        gt=0, le=1e4,
    )  # fmt: skip
    stress_weight: float = setting(
        1.0,
        "Weight of virials an atom against energies an atom of energy_weight 1, whatever that is; 0 leaves stress out.",
        ge=0, le=1e3,
    )  # fmt: skip
    ridge: float | None = setting(None, "L2 penalty on scaled coefficients; default: by validation.", gt=0, le=1.0)
    target_force_rmse_ev_per_angstrom: float = setting(
        0.001, "No larger basis is tried once validation is below this, and the energy's too.", unit="eV/Å", ge=0, le=10
    )
    target_energy_rmse_mev_per_atom: float = setting(
        0.1,
        "No larger basis is tried once validation is below this, and the force's too.",
        unit="meV/atom",
        ge=0,
        le=1000,
    )
    zbl: bool = setting(True, "Ziegler-Biersack-Littmark core, in training and in MD alike.")
    target_atom_error_ev_per_angstrom: float | None = setting(
        None,
        "Force error of an atom (length of the vector) that MD may have: the thresholds of the grade lie where the "
        "hold-out's expected error reaches it, and four times it; default: by frames left out of training.",
        unit="eV/Å", gt=0, le=100,
    )  # fmt: skip
    wanted_force_mae_ev_per_angstrom: float | None = setting(
        None,
        "Mean force error that is good enough: without a target_atom_error_ev_per_angstrom, the lower threshold is no "
        "higher than where the hold-out's expected error reaches it; default: convergence's of the same settings.",
        unit="eV/Å", gt=0, le=100,
    )  # fmt: skip
    chgnet: Tuning = setting(Tuning(), "How the foundation model is tuned (backend chgnet).")
    committee: bool = setting(
        False, "Write the fits that leave out one fold each, whose spread is another measure of what is not known."
    )

    def aimed_at(self, goal: str | None) -> Training:
        """Give the same settings with another goal.

        Parameters
        ----------
        goal
            One of :data:`Goal`; None keeps what is there.

        Returns
        -------
        Training
            A copy.

        Raises
        ------
        InputError
            Where it is none of them.
        """
        if goal is None:
            return self
        if goal not in get_args(Goal):
            raise InputError(Problem("--goal", repr(goal), " or ".join(get_args(Goal))))
        return self.model_copy(update={"goal": goal})

    def wanting(self, force_mae_ev_per_angstrom: float | None) -> Training:
        """Give the same settings with a force error that is good enough, unless they name one.

        Parameters
        ----------
        force_mae_ev_per_angstrom
            Mean over components, eV/Å; None for nothing that is wanted.

        Returns
        -------
        Training
            A copy.
        """
        own = self.wanted_force_mae_ev_per_angstrom
        wanted = force_mae_ev_per_angstrom if own is None else own
        return self.model_copy(update={"wanted_force_mae_ev_per_angstrom": wanted})

    @model_serializer(mode="wrap")
    def _told(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Name later settings only where they are not the default: what was written before them stays equal."""
        told: dict[str, Any] = handler(self)
        later = {
            "wanted_force_mae_ev_per_angstrom": None,
            "backend": DEFAULT_BACKEND,
            "goal": DEFAULT_GOAL,
            "max_environments": _MOST_ENVIRONMENTS,
            "target_atom_error_ev_per_angstrom": None,
            "committee": False,
            "chgnet": Tuning().model_dump(),
        }
        return {key: value for key, value in told.items() if key not in later or value != later[key]}


def usual_timestep_fs(symbols: Iterable[str]) -> float:
    """Choose the time step of MD by the lightest element: hydrogen's vibrations have periods of about 10 fs.

    Parameters
    ----------
    symbols
        Chemical symbols of what moves.

    Returns
    -------
    float
        1 fs, with hydrogen 0.5 fs.
    """
    return 0.5 if "H" in set(symbols) else 1.0


class Exploration(Section):
    """MD that watches the extrapolation grade."""

    ensemble: Literal["nvt", "npt"] = setting("nvt", "Constant volume or constant pressure.")
    temperature_k: float = setting(300.0, "Temperature at the start.", unit="K", gt=0, le=20_000)
    temperature_end_k: float | None = setting(
        None, "Temperature at the end of a ramp; default: none.", unit="K", gt=0, le=20_000
    )
    pressure_bar: float = setting(0.0, "Pressure at the start (npt).", unit="bar", ge=-1e7, le=1e7)
    pressure_end_bar: float | None = setting(None, "Pressure at the end of a ramp (npt).", unit="bar", ge=-1e7, le=1e7)
    timestep_fs: float = setting(1.0, "Time step; default of what holds hydrogen: 0.5 fs.", unit="fs", gt=0, le=10)
    steps: int = setting(10_000, "Steps of one trajectory.", ge=1, le=10**9)
    grade_interval: int = setting(10, "Steps between two looks at the grade.", ge=1, le=10**6)
    segment_steps: int = setting(1000, "Steps between two checkpoints.", ge=1, le=10**8)
    lower_grade: float | None = setting(
        None, "Frames from here on are collected; default: the threshold calibrated with the potential.", gt=0
    )
    upper_grade: float | None = setting(None, "MD stops from here on; default: as calibrated.", gt=0)
    uncertainty: Literal["grade", "committee"] = setting(
        "grade", "What tells the unknown: the extrapolation grade, or the spread of the committee (training.committee)."
    )
    lower_error_ev_per_angstrom: float | None = setting(
        None, "The same threshold of a committee's spread; default: as calibrated.", unit="eV/Å", gt=0, le=1000
    )
    upper_error_ev_per_angstrom: float | None = setting(
        None, "MD stops from here on, by a committee; default: as calibrated.", unit="eV/Å", gt=0, le=1000
    )
    max_frames: int = setting(200, "Frames collected at most a trajectory.", ge=1, le=10**6)
    supercell: tuple[int, int, int] = setting((1, 1, 1), "Repeats of the structure along its cell vectors before MD.")

    @model_validator(mode="after")
    def _consistent(self) -> Exploration:
        if min(self.supercell) < 1:
            raise ValueError("supercell: repeats must be at least 1")
        if self.segment_steps % self.grade_interval:
            raise ValueError("segment_steps must be a multiple of grade_interval")
        if self.lower_grade is not None and self.upper_grade is not None and self.lower_grade > self.upper_grade:
            raise ValueError("lower_grade must not be above upper_grade")
        low, high = self.lower_error_ev_per_angstrom, self.upper_error_ev_per_angstrom
        if low is not None and high is not None and low > high:
            raise ValueError("lower_error_ev_per_angstrom must not be above upper_error_ev_per_angstrom")
        return self

    def of_symbols(self, symbols: Iterable[str]) -> Exploration:
        """Give the same for what moves: with its usual time step, where none was given.

        Parameters
        ----------
        symbols
            Chemical symbols of what moves.

        Returns
        -------
        Exploration
            Itself where the time step was given.
        """
        if "timestep_fs" in self.model_fields_set:
            return self
        return self.model_copy(update={"timestep_fs": usual_timestep_fs(symbols)})

    @model_serializer(mode="wrap")
    def _told(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Name later settings only where they are not the default: state that was begun before them goes on."""
        told: dict[str, Any] = handler(self)
        later = {"uncertainty": "grade", "lower_error_ev_per_angstrom": None, "upper_error_ev_per_angstrom": None}
        return {key: value for key, value in told.items() if key not in later or value != later[key]}


class Selection(Section):
    """Which candidates are labelled."""

    budget: int = setting(20, "Structures a generation at most.", ge=1, le=10**6)
    method: Literal["auto", "medoids", "maxvol", "fps", "variance"] = setting(
        "auto",
        "medoids: structures that all others are near to; maxvol: D-optimality of the worst local environments; fps: "
        "farthest points of structures; variance: V-optimality, the least mean variance of predicted forces over all "
        "that are labelled or offered; auto: medoids by `infer select` (maxvol where forces vanish), maxvol in the "
        "learning loop, whose candidates are what MD found unknown.",
    )
    min_distance_factor: float = setting(
        0.6, "Shortest distance allowed, as a fraction of the sum of covalent radii.", ge=0.1, le=1.5
    )
    max_force_ev_per_angstrom: float = setting(
        100.0, "Largest force of the surrogate potential.", unit="eV/Å", gt=0, le=1e5
    )
    duplicate_tolerance: float = setting(
        1e-3, "Structures whose descriptors differ by less than this share of their spread are one.", gt=0, le=1
    )

    def in_loop(self) -> Selection:
        """Say what ``auto`` is in a learning loop.

        Returns
        -------
        Selection
            With ``maxvol`` in its place, by which loops selected before there was ``auto``; itself where a method is
            chosen.
        """
        return self.model_copy(update={"method": "maxvol"}) if self.method == "auto" else self


class Embedding(Section):
    """Periodic boxes around uncertain atoms, labelled in place of the cell that they are cut from."""

    largest_cell_atoms: int | None = setting(
        None, "Selected structures with more atoms are labelled by boxes cut from them; default: always whole.", ge=8,
        le=10**6,
    )  # fmt: skip
    core_radius_angstrom: float = setting(
        4.0, "Atoms this near to the uncertain one are what is learnt: their forces count.", unit="Å", ge=1, le=30
    )
    buffer_angstrom: float = setting(
        3.0, "Around the core, at least: atoms whose forces do not count. From the potential's cutoff on, the core has "
        "all of its surroundings.", unit="Å", ge=0.5, le=30,
    )  # fmt: skip
    boxes: int = setting(
        1, "Boxes from one structure at most, one a region of unknown atoms, the worst first.", ge=1, le=100
    )
    seam_distance_factor: float = setting(
        0.75, "Atoms that meet nearer at a seam than this fraction of the sum of covalent radii lose the outer one.",
        ge=0.2, le=1.2,
    )  # fmt: skip
    stoichiometry: Literal["auto", "free", "neutral"] = setting(
        "auto", "neutral: formal charges sum to zero, by leaving out ions of the buffer; free: atoms as they are cut; "
        "auto: neutral where metals meet F, Cl, Br, I, O, S, Se or N and nothing else, and charges can be guessed.",
    )  # fmt: skip
    formal_charges: dict[str, float] = setting(
        {}, "Formal charges by element; default: guessed from the composition.", unit="e"
    )
    energy_weight: float = setting(0.0, "Weight of a box's energy, which its seams are part of.", ge=0, le=1e4)
    stress_weight: float = setting(0.0, "Weight of a box's stress.", ge=0, le=1e4)

    @field_validator("formal_charges")
    @classmethod
    def _known_keys(cls, value: dict[str, float]) -> dict[str, float]:
        return {check_element(symbol): charge for symbol, charge in value.items()}


class Surrogate(Section):
    """A cheap model before DFT: what it is, and what it does with structures that it finds out of all measure."""

    model: Literal["none", "tblite", "classical", "potential", "last_generation", "foundation"] = setting(
        "none",
        "Model that looks at structures before they are labelled: tblite, a classical potential of LAMMPS, one that "
        "was trained, in the loop the potential of the generation before, or the foundation model CHGNet as it is "
        "(`make setup-foundation`).",
    )
    action: Literal["screen", "relax"] = setting(
        "screen", "What is above the limits is left out, or first relaxed until it is below them."
    )
    max_force_ev_per_angstrom: float = setting(
        30.0, "Largest force on an atom by the surrogate.", unit="eV/Å", gt=0, le=1e5
    )
    energy_window_ev_per_atom: float | None = setting(
        None, "Energy above the lowest of the same composition, at most; default: any.", unit="eV/atom", gt=0, le=1e3
    )
    steps: int = setting(20, "Steps of a relaxation at most.", ge=1, le=10_000)
    tblite_method: Literal["GFN1-xTB", "GFN2-xTB"] = setting("GFN1-xTB", "Method of tblite as surrogate.")
    pair_style: Literal["sw", "tersoff", "eam/alloy", "eam/fs"] | None = setting(
        None, "Pair style of LAMMPS of the classical potential."
    )
    pair_file: Path | None = setting(None, "File of the classical potential, beside the settings.")
    potential: Path | None = setting(
        None, "Folder of the trained potential, beside the settings (`train fit`: DIR/potential)."
    )
    foundation_weights: Weights = setting(DEFAULT_WEIGHTS, "Weights of the foundation model.")

    @model_validator(mode="after")
    def _whole(self) -> Surrogate:
        of = {"pair_style": "classical", "pair_file": "classical", "potential": "potential"}
        if idle := [name for name, model in of.items() if getattr(self, name) is not None and self.model != model]:
            right = f"model {of[idle[0]]}, or without it"
            raise ValueError(f"{idle[0]} has no effect with model {self.model}; right: {right}")
        if self.model == "classical" and (self.pair_style is None or self.pair_file is None):
            raise ValueError("model classical needs pair_style (sw, tersoff, eam/alloy or eam/fs) and pair_file")
        return self

    @property
    def file(self) -> Path | None:
        """What the model is read from.

        Returns
        -------
        Path or None
            File or folder; None where it needs none that settings name.
        """
        return self.pair_file or self.potential

    @model_serializer(mode="wrap")
    def _told(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Name a potential only where there is one: what was written before there could be any stays equal."""
        told: dict[str, Any] = handler(self)
        return {key: value for key, value in told.items() if key != "potential" or value is not None}


class PotentialSettings(Section):
    """The sections of this half that training, exploration and selection read."""

    training: Training = Training()
    exploration: Exploration = Exploration()
    selection: Selection = Selection()
    embedding: Embedding = Embedding()
