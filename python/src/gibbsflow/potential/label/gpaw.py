"""Labels by GPAW: plane waves and PAW, run as a program of its own."""

from __future__ import annotations

import importlib.metadata
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.engines.process import Bounds, run_program
from gibbsflow.errors import EngineError
from gibbsflow.potential.data.formats.electrons import Electrons
from gibbsflow.potential.data.labels import (
    BAD_STRUCTURE,
    MISSING_PSEUDO,
    RESOURCE,
    UNCONVERGED,
    LabelResult,
    bad_structure,
    crash,
)
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.label.electronic_state import by_elements, key_of, starting_moments_ub
from gibbsflow.potential.label.hamiltonian import settings_keys
from gibbsflow.potential.label.plane_waves import foreign_mesh, in_cell, k_mesh, reboxed
from gibbsflow.potential.label.pseudopotentials import pseudo_table
from gibbsflow.potential.label.recovery.corrections import Attempt, Case, Correction, Handler
from gibbsflow.potential.label.recovery.scf_outcome import Outcome, ScfError
from gibbsflow.potential.label.recovery.scf_settings import ScfSettings
from gibbsflow.potential.label.recovery.supervision import Recovery
from gibbsflow.units import RYDBERG_EV

if TYPE_CHECKING:
    from ase import Atoms

_XC = {"pbe": "PBE", "lda": "LDA", "pbesol": "PBEsol"}
_RUNS = (
    ScfSettings(200, 0.1, history=5),
    ScfSettings(400, 0.05, history=8),
    ScfSettings(800, 0.02, history=12),
)


def _mix_less(attempt: Attempt) -> Correction | None:
    """Not converged: less of the new density in each step, a longer history, and more steps; from scratch."""
    rung = next((own for own in _RUNS if own.beta < attempt.scf.beta), None)
    if rung is None:
        return None
    action = f"mixing beta {rung.beta:g}, history {rung.history}, up to {rung.steps} steps"
    return attempt.change(action, beta=rung.beta, history=rung.history, steps=rung.steps)


HANDLERS = (Handler("mixing_ladder", frozenset({"UNCONVERGED"}), len(_RUNS), _mix_less),)
"""What mends a run of GPAW; none of it changes the physics."""


class Gpaw:
    """Labels by GPAW.

    Parameters
    ----------
    elements
        All elements of the data set.
    dft, labels
        Settings.

    Raises
    ------
    MissingProgramError
        Where the package, or its PAW data sets, are not installed.
    """

    name = "gpaw"
    periodic = True
    in_process = False

    def __init__(self, elements: Sequence[str], dft: Dft, labels: Labels) -> None:
        settings_keys.require_gpaw("gpaw", settings_keys.GPAW_DATA)
        self.dft, self.labels = dft, labels
        self.moments = pseudo_table.moments_ub(tuple(elements), dft)
        self.settings_hash = settings_keys.gpaw(elements, dft)

    def describe(self) -> dict[str, str]:
        """Say version and cutoff in words.

        Returns
        -------
        dict
            `program`, `version`, `settings_hash`, `cutoff`.
        """
        return {
            "program": "gpaw",
            "version": importlib.metadata.version("gpaw"),
            "settings_hash": self.settings_hash,
            "cutoff": f"{self.dft.gpaw_cutoff_ev:g} eV",
        }

    def electrons(self, atoms: Atoms) -> Electrons:
        """Say with which charge and spin a structure would be computed.

        Parameters
        ----------
        atoms
            The structure.

        Returns
        -------
        Electrons
            The structure's own; else those of `electronic_state.by_elements`.

        Raises
        ------
        ValueError
            Where that contradicts itself, the settings or the number of electrons; in words.
        """
        found = by_elements(atoms, self.dft, self.moments)
        found.require_parity(int(atoms.numbers.sum()))
        return found

    def key(self, atoms: Atoms) -> str:
        """Say what a label depends on that neither the settings' hash nor the structure's id holds.

        Parameters
        ----------
        atoms
            The structure.

        Returns
        -------
        str
            Hexadecimal digits; empty for a neutral structure in its own cell and on its mesh, whose moments are those
            of its elements, which are among the settings.
        """
        try:
            found = self.electrons(atoms)
        except ValueError:
            return ""
        moments = tuple(self.moments.get(symbol, 0.0) for symbol in atoms.get_chemical_symbols())
        plain = found == Electrons(moments_ub=moments)
        mesh = foreign_mesh(atoms, self.dft.kspacing_per_angstrom)
        return key_of(Electrons() if plain else found, changed=reboxed(atoms), mesh=mesh)

    def label(self, atoms: Atoms, folder: Path | None = None) -> LabelResult:
        """Label one structure; each correction mixes less and allows more steps.

        Parameters
        ----------
        atoms
            The structure; it stays as it is.
        folder
            Where GPAW's output is kept if it fails; default: it is not.

        Returns
        -------
        LabelResult
            The label, or the failure with its cause.
        """
        start = time.monotonic()
        result = LabelResult(
            structure_id(atoms), "failed", settings_hash=self.settings_hash, engine=self.name,
            program=f"gpaw {importlib.metadata.version('gpaw')}",
        )  # fmt: skip
        if fault := bad_structure(atoms, self.labels.closest_ratio):
            return result.failed(BAD_STRUCTURE, fault)
        try:
            electrons = self.electrons(atoms)
        except ValueError as error:
            return result.failed(BAD_STRUCTURE, str(error))
        mesh = k_mesh(in_cell(atoms), self.dft.kspacing_per_angstrom)
        result = replace(result, charge_e=electrons.charge, k_mesh=list(mesh))
        recovery, scf = Recovery(Case(_RUNS[0]), self.labels.corrections_max, HANDLERS), _RUNS[0]
        with tempfile.TemporaryDirectory(prefix="gibbsflow-gpaw-") as scratch:
            while True:
                trail = list(recovery.audit)
                result = replace(result, attempts=len(trail) + 1, corrections=recovery.corrections, audit=trail)
                result, lost, code = self._run(atoms, electrons, Path(scratch), scf, result)
                if not lost:
                    break
                following = recovery.next(scf, Outcome(lost, result.message, code))
                if following is None:
                    result = replace(result, error=lost, end=recovery.end)
                    break
                scf = following
            log = Path(scratch) / "run.log"
            if result.status == "failed" and folder is not None and log.exists():
                folder.mkdir(parents=True, exist_ok=True)
                (folder / "gpaw.log").write_bytes(log.read_bytes())
        return replace(result, wall_s=round(time.monotonic() - start, 3))

    def _run(
        self, atoms: Atoms, electrons: Electrons, work: Path, scf: ScfSettings, result: LabelResult
    ) -> tuple[LabelResult, ScfError, int | None]:
        from ase.io.jsonio import write_json

        structure = atoms.copy()
        structure.info, structure.calc = {}, None
        structure = in_cell(structure)
        structure.set_initial_charges(None)
        # without spin, these are zeros
        structure.set_initial_magnetic_moments(starting_moments_ub(electrons, structure.numbers.tolist()))
        write_json(work / "structure.json", structure)
        settings = {
            "cutoff_ev": self.dft.gpaw_cutoff_ev, "xc": _XC[self.dft.functional],
            "kpts": result.k_mesh, "smearing": self.dft.smearing,
            "width_ev": self.dft.degauss_ry * RYDBERG_EV, "beta": scf.beta, "history": scf.history,
            "maxiter": scf.steps,
            "spin": electrons.polarised, "charge": electrons.charge,
            "fixed_moment": electrons.polarised and electrons.multiplicity is not None,
        }  # fmt: skip
        (work / "settings.json").write_text(json.dumps(settings))
        script = str(Path(__file__).with_name("gpaw_label.py"))
        bounds = Bounds(memory_gb=self.labels.label_memory_gb, time_s=self.labels.label_time_min * 60)
        try:
            run_program(
                # -P: the folder of the script holds our gpaw.py, which must not be taken for the package
                [sys.executable, "-P", script, "structure.json", "settings.json", "out.json"],
                folder=work, log=work / "run.log", bounds=bounds,
            )  # fmt: skip
        except EngineError as error:
            if error.code == 2:
                failed = result.failed(UNCONVERGED, f"SCF not converged after {scf.steps} steps")
                return failed, "UNCONVERGED", error.code
            if error.code is None:
                return result.failed(RESOURCE, str(error)), "OUT_OF_TIME", None
            if error.code < 0:
                return result.failed(RESOURCE, str(error)), "KILLED", error.code
            if "MemoryError" in (said := (work / "run.log").read_text(errors="replace")) or "Cannot allocate" in said:
                return result.failed(RESOURCE, f"out of memory: {error}"), "OUT_OF_MEMORY", error.code
            if "Could not find required PAW dataset" in said:
                return result.failed(MISSING_PSEUDO, str(error)), "PSEUDO", error.code
            return result.failed(crash(error.code), str(error)), "CRASH", error.code
        figures = json.loads((work / "out.json").read_text())
        label = replace(
            result, status="labelled", cause="", message="", energy_ev=figures["energy"],
            forces_ev_per_angstrom=figures["forces"], stress_ev_per_angstrom3=figures.get("stress"),
            total_moment_ub=figures.get("total_moment"), absolute_moment_ub=figures.get("absolute_moment"),
        )  # fmt: skip
        return label, "", 0
