"""A leg as it lies in its folder: topology, start, states, restraint and settings (`leg.json`)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from gibbsflow.binding import PHYSICS
from gibbsflow.binding.alchemy.restraint.restraints import Restraint, restraint_as_dict, restraint_from_dict
from gibbsflow.binding.alchemy.sampling_plan import Sampling, sampling
from gibbsflow.binding.alchemy.schedules import LambdaState, check_schedule
from gibbsflow.binding.workload import Workload
from gibbsflow.config.binding import Fe, Md, hashed
from gibbsflow.config.binding_parts import INDIFFERENT_MD
from gibbsflow.config.section import read_section
from gibbsflow.engines.md_engine import Apart
from gibbsflow.errors import InputError, Problem, StateError, one_line, shown
from gibbsflow.units import Floats
from gibbsflow.workflow.files import atomic_open, read_arrays, read_json, write_json
from gibbsflow.workflow.seeds import derive_seed

FILE_NAME = "leg.json"
_LENGTHS = ("window_ps", "window_equil_ps", "sample_ps", "segment_ps", "sampler", "soft_core")
_KINDS = {
    "leg": str, "transformation": str, "topology": str, "start": str, "seed": int, "replicates": int,
    "ligand_atoms": int, "receptor_atoms": int,
}  # fmt: skip
"""What the values in the file are, or the members of its lists, where nothing else looks at them."""


@dataclass(frozen=True)
class AlchemicalLeg:
    """One side of the cycle, ready to be sampled.

    Attributes
    ----------
    folder
        Where `topology` and `start` lie.
    leg
        Its name in the protocol, such as ``complex``.
    transformation
        Name of the transformation.
    states
        λ states; the first is coupled, the last decoupled and restrained.
    topology, start
        File names: AMBER topology; NPZ with ``positions_nm``.
    ligand_atoms, receptor_atoms
        0-based indices into the topology.
    restraint
        Restraint at full strength; None for none.
    md, fe
        Settings.
    seed, replicates
        Campaign's seed; number of independent repeats.
    physics
        Version of the physics that it was made for.
    copy_atoms
        Of a copy of the ligand that is coupled as the ligand is decoupled; none for none.
    ion_atoms
        Ions whose charge goes with the ligand's; none for none.
    apart
        What is kept apart, in all states alike.
    """

    folder: Path
    leg: str
    transformation: str
    states: tuple[LambdaState, ...]
    topology: str
    start: str
    ligand_atoms: tuple[int, ...]
    receptor_atoms: tuple[int, ...]
    restraint: Restraint | None
    md: Md
    fe: Fe
    seed: int
    replicates: int
    physics: int = PHYSICS
    copy_atoms: tuple[int, ...] = ()
    ion_atoms: tuple[int, ...] = ()
    apart: tuple[Apart, ...] = ()

    @property
    def start_nm(self) -> Floats:
        """Structures to start from.

        Returns
        -------
        ndarray
            One, shape (N, 3), or thermal frames, shape (F, N, 3), nm.
        """
        return np.asarray(read_arrays(self.folder / self.start, "positions_nm")["positions_nm"], dtype=np.float64)

    @property
    def thermal_starts(self) -> bool:
        """Whether the starts are frames of an equilibration, to be taken as they are.

        Returns
        -------
        bool
            False for one structure, which is to be minimised.
        """
        return self.start_nm.ndim == 3

    @property
    def periodic(self) -> bool:
        """Whether the leg is in explicit solvent, with a box to each start.

        Returns
        -------
        bool
            False without a box.
        """
        return "box_nm" in read_arrays(self.folder / self.start, optional=("box_nm",))

    def starts_boxes_nm(self, replicate: int) -> Floats:
        """Deal the boxes of the starts, as :meth:`starts_nm` does the starts.

        Parameters
        ----------
        replicate
            Its number, from 0.

        Returns
        -------
        ndarray
            Box of each of the K windows, vectors as rows, shape (K, 3, 3), nm.
        """
        boxes = np.asarray(read_arrays(self.folder / self.start, "box_nm")["box_nm"], dtype=np.float64)
        return boxes[self._dealt(replicate, len(boxes))]

    def starts_nm(self, replicate: int) -> Floats:
        """Deal the starts to the windows of a replicate.

        Frames are dealt out at random, by the seed, none twice before all were used: replicates that shared one
        start would agree with each other better than with the truth.

        Parameters
        ----------
        replicate
            Its number, from 0.

        Returns
        -------
        ndarray
            Start of each of the K windows, shape (K, N, 3), nm.
        """
        starts = self.start_nm
        frames = starts[None] if starts.ndim == 2 else starts
        return frames[self._dealt(replicate, len(frames))]

    def _dealt(self, replicate: int, frames: int) -> npt.NDArray[np.intp]:
        random = np.random.default_rng(derive_seed(self.seed, self.transformation, replicate, "starts"))
        rounds = -(-len(self.states) // frames)
        order = np.concatenate([random.permutation(frames) for _ in range(rounds)])
        return order[: len(self.states)]

    @property
    def sampling(self) -> Sampling:
        """Lengths in whole numbers.

        Returns
        -------
        Sampling
            By the leg's own settings.

        Raises
        ------
        InputError
            Where the sample interval is no whole number of time steps.
        """
        return sampling(self.md, self.fe)

    @property
    def planned_ns(self) -> list[float]:
        """How much MD there will be.

        Returns
        -------
        list of float
            Of each window, ns.
        """
        plan = self.sampling
        return [plan.samples * plan.sample_ps / 1000] * len(self.states)

    @property
    def workload(self) -> Workload:
        """What a replicate of all windows asks of a machine.

        Returns
        -------
        Workload
            Whose walkers are those that run at the same time.
        """
        at_once = len(self.states) if self.periodic and self.fe.sampler == "exchange" else 1
        ns = len(self.states) * (self.fe.window_ps + self.fe.window_equil_ps) / 1000
        return Workload(self.start_nm.shape[-2], at_once, ns)

    def files(self) -> dict[str, Path]:
        """Name the input files.

        Returns
        -------
        dict
            Paths by role: ``topology`` and ``start``.
        """
        return {"topology": self.folder / self.topology, "start": self.folder / self.start}

    def hashed_settings(self, replicate: int, window: int | None) -> dict[str, Any]:
        """Give all that decides the samples beside the files; platform and threads, which do not, are left out.

        Parameters
        ----------
        replicate
            Its number, from 0.
        window
            A window that is sampled on its own; None for all together.

        Returns
        -------
        dict
            JSON-serialisable, to be hashed.
        """
        restraint = None if self.restraint is None else restraint_as_dict(self.restraint)
        if restraint is not None:
            restraint.pop("why")
        md, fe = hashed(self.md), hashed(self.fe)
        return {
            "transformation": self.transformation,
            "leg": self.leg,
            "states": [s.as_dict() for s in self.states],
            "ligand_atoms": list(self.ligand_atoms),
            "restraint": restraint,
            **self._beside_the_ligand(),
            **{key: value for key, value in md.items() if key not in INDIFFERENT_MD},
            **{key: fe[key] for key in _LENGTHS if key in fe},
            "seed": self.seed,
            "replicate": replicate,
            "window": window,
        }

    def _beside_the_ligand(self) -> dict[str, Any]:
        """What else changes, and what is kept apart; a leg without has no such keys."""
        found = {
            "copy_atoms": list(self.copy_atoms),
            "ion_atoms": list(self.ion_atoms),
            "apart": [asdict(pair) for pair in self.apart],
        }
        return {key: value for key, value in found.items() if value}

    def write(self) -> Path:
        """Write ``leg.json`` into the leg's folder.

        Returns
        -------
        Path
            The file.
        """
        path = self.folder / FILE_NAME
        write_json(
            path,
            {
                "name": f"{self.transformation}.{self.leg}",
                "leg": self.leg,
                "transformation": self.transformation,
                "states": [s.as_dict() for s in self.states],
                "topology": self.topology,
                "start": self.start,
                "ligand_atoms": list(self.ligand_atoms),
                "receptor_atoms": list(self.receptor_atoms),
                "restraint": None if self.restraint is None else restraint_as_dict(self.restraint),
                "md": self.md.model_dump(mode="json"),
                "fe": self.fe.model_dump(mode="json"),
                "seed": self.seed,
                "replicates": self.replicates,
                "physics": self.physics,
                **self._beside_the_ligand(),
                "work": self.workload.asks(self.md, pmemd=self.periodic and self.md.engine == "amber"),
            },
        )
        return path

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a leg's folder.

        Parameters
        ----------
        folder
            With ``leg.json`` and the files that it names.

        Returns
        -------
        Self
            As it was written.

        Raises
        ------
        InputError
            For a folder without ``leg.json``, missing files, or content that cannot be used.
        """
        path = Path(folder) / FILE_NAME
        if not path.exists():
            raise InputError(Problem(str(folder), f"holds no {FILE_NAME}", "a leg folder of fe prepare", field="--leg"))
        content = read_json(path)
        try:
            for key, kind in _KINDS.items():
                values = content[key] if key.endswith("_atoms") else [content[key]]
                if any(type(value) is not kind for value in values):
                    raise InputError(Problem(str(path), shown(content[key]), "as fe prepare writes it", field=key))
            leg = cls._from_mapping(Path(folder), path, content)
        except KeyError as error:
            raise InputError(
                Problem(str(path), "missing", "as fe prepare writes it", field=str(error.args[0]))
            ) from error
        except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError) as error:
            what = f"damaged ({type(error).__name__}: {one_line(str(error), 200)})"
            raise InputError(Problem(str(path), what, "as fe prepare writes it")) from error
        for file in leg.files().values():
            if not file.exists():
                raise InputError(Problem(str(path), f"names {file.name}, which is missing", "the file beside leg.json"))
        if leg.physics != PHYSICS:
            right = f"prepare the leg again (fe prepare); this version has physics {PHYSICS}"
            raise InputError(Problem(str(path), f"made for physics {leg.physics}", right, field="physics"))
        return leg

    @classmethod
    def _from_mapping(cls, folder: Path, path: Path, content: Mapping[str, Any]) -> Self:
        restraint = content["restraint"]
        return cls(
            folder=folder,
            leg=content["leg"],
            transformation=content["transformation"],
            states=check_schedule(content["states"], where=str(path)),
            topology=content["topology"],
            start=content["start"],
            ligand_atoms=tuple(content["ligand_atoms"]),
            receptor_atoms=tuple(content["receptor_atoms"]),
            restraint=None if restraint is None else restraint_from_dict(restraint, where=str(path)),
            md=read_section(Md, content["md"], where=f"{path}, md"),
            fe=read_section(Fe, content["fe"], where=f"{path}, fe"),
            seed=content["seed"],
            replicates=content["replicates"],
            physics=content["physics"],
            copy_atoms=tuple(content.get("copy_atoms", ())),
            ion_atoms=tuple(content.get("ion_atoms", ())),
            apart=tuple(
                Apart(
                    tuple(pair["centre"]),
                    tuple(pair["away"]),
                    pair["least_angstrom"],
                    pair["k_kcal_per_mol_angstrom2"],
                )
                for pair in content.get("apart", ())
            ),
        )


def place_leg(
    folder: Path, topology: Path, positions_nm: Floats, atoms: Sequence[int], boxes_nm: Floats | None = None
) -> tuple[str, str]:
    """Put a leg's topology and start into its folder.

    Parameters
    ----------
    folder
        Of the leg; made where it is not there.
    topology
        AMBER topology, copied.
    positions_nm
        Structures to start from, shape (N, 3) or (F, N, 3), nm.
    atoms
        Atoms of the topology.
    boxes_nm
        Periodic box of each, shape (F, 3, 3), nm; None without boxes.

    Returns
    -------
    topology
        File name.
    start
        File name.

    Raises
    ------
    StateError
        Where positions and atoms do not fit.
    """
    if positions_nm.shape[-2] != len(atoms):
        raise StateError(f"{topology}: {positions_nm.shape[-2]} positions for {len(atoms)} atoms")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "topology.prmtop"
    shutil.copyfile(topology, target)
    with atomic_open(folder / "start.npz") as file:
        np.savez(file, positions_nm=positions_nm, **({} if boxes_nm is None else {"box_nm": boxes_nm}))  # type: ignore[arg-type]
    return target.name, "start.npz"
