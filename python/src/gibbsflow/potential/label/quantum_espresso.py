"""Labels by Quantum ESPRESSO: pw.x as a program, one serial SCF with forces and stress a structure."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import tempfile
import time
import warnings
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
    BAD_STRUCTURE,
    MISSING_PSEUDO,
    LabelResult,
    bad_structure,
    hash_settings,
)
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.label.electronic_state import by_elements, key_of, starting_moments_ub
from gibbsflow.potential.label.hamiltonian import beyond_functional
from gibbsflow.potential.label.plane_waves import in_cell, k_mesh, reboxed, without_images
from gibbsflow.potential.label.pseudopotentials import gth, pseudo_table
from gibbsflow.potential.label.quantum_espresso_recovery import Outcome, ScfSettings, diagnose, next_settings

if TYPE_CHECKING:
    from ase import Atoms

log = logging.getLogger(__name__)
_HOW_TO_GET_PW = (
    "Install Quantum ESPRESSO (Debian: quantum-espresso), or run `make setup-qe`, which needs no root; "
    "or choose another dft.engine."
)
_KINDS = 10  # ntypx of pw.x
_FRACTION = 0.9999


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
        Where pw.x is not installed, or does not start where its version matters.
    InputError
        Where no element is named, or a pseudopotential is missing or is not the table's.
    """

    name = "quantum_espresso"
    periodic = True

    def __init__(self, elements: Sequence[str], dft: Dft, labels: Labels) -> None:
        self.dft, self.labels = dft, labels
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
        self.ecutwfc_ry, self.ecutrho_ry = pseudo_table.cutoffs_ry(self.pseudos, dft)
        self.moments = pseudo_table.moments_ub(tuple(self.pseudos), dft)
        self.settings_hash = hash_settings(
            self.name,
            {
                "functional": dft.functional,
                "pseudopotentials": {element: pseudo.sha256 for element, pseudo in sorted(self.pseudos.items())},
                "ecutwfc_ry": self.ecutwfc_ry,
                "ecutrho_ry": self.ecutrho_ry,
                "kspacing_per_angstrom": dft.kspacing_per_angstrom,
                "smearing": dft.smearing,
                "degauss_ry": dft.degauss_ry,
                "moments_ub": dict(sorted(self.moments.items())),
                "bands": dft.bands,
                "conv_thr_ry": dft.conv_thr_ry,
                **beyond_functional.part_of_key(dft, tuple(self.pseudos)),
            },
        )
        self._named_shells = bool(dft.hubbard_u_ev) and beyond_functional.names_shells(_version(self._without_input()))

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
            "cutoffs": f"{self.ecutwfc_ry:g} / {self.ecutrho_ry:g} Ry",
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
            Hexadecimal digits; empty for a neutral structure without spin in its own cell.
        """
        try:
            found = self.electrons(atoms)
            return key_of(found, changed=reboxed(atoms) or _ion(atoms, found))
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
        result = replace(result, charge_e=electrons.charge)
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
        scf = ScfSettings(
            self.dft.electron_maxstep,
            self.dft.mixing_beta,
            diagonalization=self.dft.diagonalization,
            bands=self.dft.bands,
        )
        corrections: list[str] = []
        steps = 0
        while True:
            run = len(corrections) + 1
            outcome, text = self._run(atoms, electrons, work, scf, run)
            steps += len(outcome.accuracies_ry)
            result = replace(
                result, attempts=run, scf_steps=steps, corrections=list(corrections), program=f"pw.x {_version(text)}",
            )  # fmt: skip
            if outcome.kind == "converged":
                return self._accept(atoms, work / f"run{run}.pwo", result)
            step = next_settings(scf, outcome) if run <= self.labels.corrections_max else None
            if step is None:
                return result.failed(outcome.cause, outcome.message)
            scf, what = step
            log.info("%s: %s; trying %s", result.gibbsflow_id, outcome.message, what)
            corrections.append(what)

    def _run(
        self, atoms: Atoms, electrons: Electrons, work: Path, scf: ScfSettings, number: int
    ) -> tuple[Outcome, str]:
        from ase.io.espresso import write_espresso_in

        structure = atoms.copy()
        structure.set_constraint()
        # ASE makes a kind of atoms for each element and moment, and writes the moment as the kind's magnetisation
        structure.set_initial_magnetic_moments(self._fractions(atoms, electrons) if electrons.polarised else None)
        structure = without_images(structure) if _ion(atoms, electrons) else in_cell(structure)
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
        output = work / f"run{number}.pwo"
        bounds = Bounds(memory_gb=self.labels.label_memory_gb, time_s=self.labels.label_time_min * 60)
        code: int | None = 0
        try:
            run_program([self.program, "-in", f"run{number}.pwi"], folder=work, log=output, bounds=bounds)
        except EngineError as error:
            code = error.code
        text = output.read_text(errors="replace")
        density = any((work / "out").glob("pwscf.save/charge-density.*"))
        return diagnose(text, code, density=density), text

    def _input(self, scf: ScfSettings, state: Electrons, *, alone: bool) -> dict[str, dict[str, Any]]:
        system: dict[str, Any] = {
            "ecutwfc": self.ecutwfc_ry,
            "ecutrho": self.ecutrho_ry,
            "occupations": "smearing",
            "smearing": self.dft.smearing,
            "degauss": self.dft.degauss_ry,
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
        control = {
            "calculation": "scf", "tprnfor": True, "tstress": True, "pseudo_dir": ".", "outdir": "out",
            # the density is what a recovery starts from; wavefunctions stay in memory until the end
            "disk_io": "low",
        }  # fmt: skip
        return {"control": control, "system": system, "electrons": electrons}

    def _accept(self, atoms: Atoms, output: Path, result: LabelResult) -> LabelResult:
        from ase.calculators.espresso import EspressoTemplate

        # ASE stops at the occupations of a Hubbard U that stand before the bands, which nobody asks for
        text = output.read_text(errors="replace")
        read = output.with_suffix(".without_bands")
        read.write_text(text.replace("End of self-consistent calculation", ""))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            template = EspressoTemplate()
            template.outputname = read.name
            results = template.read_results(read.parent)
        stress = results.get("stress") if atoms.pbc.all() else None
        total, absolute = _moments_ub(text)
        return replace(
            result, status="labelled", cause="", message="",
            energy_ev=float(results["energy"]),
            forces_ev_per_angstrom=np.asarray(results.get("forces", [])).tolist(),
            stress_ev_per_angstrom3=None if stress is None else np.asarray(stress).tolist(),
            total_moment_ub=total, absolute_moment_ub=absolute,
        )  # fmt: skip


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
