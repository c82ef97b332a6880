"""What GROMACS is given of a leg: one topology, and for each window a folder with its run input."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.gromacs_states import gromacs_lambdas, pulls, softens_charges
from gibbsflow.binding.alchemy.gromacs_topology import GromacsTopology, decoupling_topology
from gibbsflow.binding.alchemy.hybrid.gromacs_edge import edge_topology
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg
from gibbsflow.binding.forcefield.membrane.lipids import is_membrane
from gibbsflow.config.binding import Md
from gibbsflow.engines.gromacs import parameters
from gibbsflow.engines.gromacs.mdrun_segments import NAME
from gibbsflow.engines.gromacs.programs import GMX, Start, make_run_input, run_all
from gibbsflow.engines.gromacs.topology import coulomb_table
from gibbsflow.engines.md_engines import engine_for
from gibbsflow.units import Floats
from gibbsflow.workflow.files import atomic_open, disk_blamed_first
from gibbsflow.workflow.seeds import derive_seed

MINIMISE_STEPS = 200
TABLE = "table_b0.xvg"
QUIET = ("-quiet", "-nobackup")


def leg_pulls(leg: AlchemicalLeg, atoms: GromacsTopology) -> list[parameters.Pull]:
    """Say what holds a ligand to its receptor, or two whole ligands to each other.

    Parameters
    ----------
    leg
        The leg.
    atoms
        Of its topology.

    Returns
    -------
    list of Pull
        Coordinates, atoms counted as in the topology; none where nothing is held.

    Raises
    ------
    InputError
        As :func:`~gibbsflow.binding.alchemy.gromacs_states.pulls`.
    """
    tether = leg.tether if isinstance(leg, HybridLeg) else None
    start, box = leg.starts_nm(0)[0], leg.starts_boxes_nm(0)[0]
    found = pulls(tether or leg.restraint, start, box, atoms.masses_amu, always=tether is not None)
    return atoms.placed(found)


class LegInputs:
    """Run inputs of the windows of a leg.

    Parameters
    ----------
    leg
        The leg.
    md
        Settings of this attempt.
    folder
        Where GROMACS works; what is in it can be made again.
    windows
        The states to sample.
    """

    def __init__(self, leg: AlchemicalLeg, md: Md, folder: Path, windows: Sequence[int]) -> None:
        self._leg, self._md, self._folder, self._windows = leg, md, folder.absolute(), tuple(windows)
        self.atoms: GromacsTopology = (
            edge_topology(leg, engine_for(md)) if isinstance(leg, HybridLeg) else decoupling_topology(leg, md)
        )
        """The leg's atoms, and where GROMACS has them."""
        self._topology = self.atoms.text
        # grids by the first window's box: all windows have one Hamiltonian
        self._box_nm = leg.starts_boxes_nm(0)[0]
        self._membrane = is_membrane(leg.folder / leg.topology)
        self._pulls = leg_pulls(leg, self.atoms)
        self._places: list[Path] = []

    def minimised(self, positions_nm: Floats, boxes_nm: Floats, check: Callable[[], None]) -> Floats:
        """Take the windows downhill by steepest descent, each in its own state.

        Parameters
        ----------
        positions_nm
            In the windows' order, shape (W, N, 3), nm.
        boxes_nm
            Periodic box of each, shape (W, 3, 3), nm.
        check
            Called often; may raise StoppedEarly.

        Returns
        -------
        ndarray
            Shape (W, N, 3), nm.
        """
        home = self._home("minimised")
        starts = []
        for w, window in enumerate(self._windows):
            place = self._place(home, window)
            chosen = self._parameters(window, 1, 1)
            chosen |= {"integrator": "steep", "nsteps": str(MINIMISE_STEPS), "emtol": "100", "pcoupl": "no"}
            self._write_input(home, place, "min", chosen, self.atoms.frame(positions_nm[w], boxes_nm[w]))
            words = (GMX, "mdrun", *QUIET, "-s", "min.tpr", "-deffnm", "min", "-reprod", "-tableb", TABLE)
            starts.append(
                Start((*words, "-c", "min.out.g96", "-ntmpi", "1", "-ntomp", "1"), place, f"start of window {window}")
            )
        with disk_blamed_first(home):
            run_all(starts, min(self._md.threads, len(starts)), check)
            texts = [(start.folder / "min.out.g96").read_text() for start in starts]
            return np.array([self.atoms.read(text)["positions_nm"] for text in texts])

    def places(
        self, frame: Callable[[int], str], begun: Sequence[bool], steps_per_sample: int, seed: int
    ) -> list[Path]:
        """Make the run inputs, or find them: named by what is in them but the seed, which is that of the first.

        Parameters
        ----------
        frame
            Tells where a window starts, by its place in their order, as a ``.g96``.
        begun
            Whether there is a checkpoint of each.
        steps_per_sample
            MD steps between samples.
        seed
            Of the noise.

        Returns
        -------
        list of Path
            Folder of each window, side by side.
        """
        if self._places:
            return self._places
        count = len(self._leg.states)
        texts = [parameters.mdp_text(self._parameters(k, steps_per_sample, 0)) for k in range(count)]
        home = self._home(hashlib.sha256("".join([self._topology, *texts]).encode()).hexdigest()[:16])
        self._places = [self._place(home, window) for window in self._windows]
        for w, place in enumerate(self._places):
            if begun[w] and (place / f"{NAME}.tpr").exists() and (place / TABLE).exists():
                continue
            own = derive_seed(seed, "noise", self._windows[w]) % 2**31
            self._write_input(home, place, NAME, self._parameters(self._windows[w], steps_per_sample, own), frame(w))
        return self._places

    def _parameters(self, own: int, steps_per_sample: int, seed: int) -> dict[str, str]:
        alpha, grid = parameters.pme(self._md.cutoff_angstrom / 10, self._box_nm)
        found = parameters.common(self._md, alpha, grid)
        found |= parameters.dynamics(self._md, seed, steps_per_sample, membrane=self._membrane)
        states = self._leg.states
        found |= parameters.lambdas(gromacs_lambdas(states), own, soft_charges=softens_charges(states))
        return found | (parameters.pulling(self._pulls, len(self.atoms.order))[0] if self._pulls else {})

    def _home(self, name: str) -> Path:
        home = self._folder / name
        home.mkdir(parents=True, exist_ok=True)
        _write(home / "topol.top", self._topology)
        if self._pulls:
            _write(home / "index.ndx", parameters.pulling(self._pulls, len(self.atoms.order))[1])
        return home

    def _write_input(self, home: Path, place: Path, name: str, chosen: dict[str, str], frame: str) -> None:
        place.mkdir(exist_ok=True)
        _write(place / TABLE, coulomb_table(2 * float(np.abs(self._box_nm).max())))
        index = home / "index.ndx" if self._pulls else None
        make_run_input(place, name, parameters.mdp_text(chosen), frame, home / "topol.top", index)

    @staticmethod
    def _place(home: Path, window: int) -> Path:
        return home / f"window_{window:02d}"


def _write(path: Path, text: str) -> None:
    with atomic_open(path, "w") as file:
        file.write(text)
