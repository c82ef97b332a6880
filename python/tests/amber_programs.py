"""Stand-ins for AMBER's programs: they note what they are called with, and write what those would."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import host_guest as hg

from gibbsflow.binding.equilibrate.written.equil_files import write_equil_files
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil
from gibbsflow.engines.process import find_program

PROGRAM = """#!/usr/bin/env bash
# for pmemd.cuda, which needs a card and a licence
while (($#)); do case $1 in -i) in=$2;; -c) start=$2;; -o) out=$2;; -r) restart=$2;; esac; shift; done
echo "$in" >>called.txt
[[ -s $start ]] || exit 1
[[ $in == "${CUT:-}" ]] && { echo half >"$out"; kill -9 $$; }
[[ " ${WRONG:-} " == *" $in "* ]] && { echo 'vlimit exceeded for step 3' >"$out"; exit 1; }
steps=$(awk '$1 == "nstlim" { print $3 + 0 }' "$in")
[[ " ${SHORT:-} " == *" $in "* ]] && steps=$((steps - 1))
printf ' NSTEP = %8d   TIME(PS) = 1.0\\n   5.  TIMINGS\\n' "${steps:-0}" >"$out"; printf '%-32s\\n' "$in" >"$restart"
"""
SANDER = '#!/bin/sh\nexec "$SANDER" "$@"\n'
MPI = """#!/usr/bin/env bash
while [[ $1 != -groupfile ]]; do shift; done
while read -r -a words; do "$AMBER_PROGRAM" "${words[@]}" || exit 1; done <"$2"
"""


def pmemd(folder: Path, dg_kt: float = 3.0) -> Path:
    """Put a pmemd.cuda into a folder, which is for PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pmemd.cuda"
    program = f"{sys.executable} -IS {Path(__file__).with_name('stand_in_pmemd.py')}"
    path.write_text(f'#!/usr/bin/env bash\nDG_KT={dg_kt} exec {program} "$@"\n')
    path.chmod(0o755)
    return folder


def _placed(folder: Path, name: str, text: str) -> str:
    path = folder.parent / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def mpi(folder: Path) -> str:
    """Put an mpirun beside a folder."""
    return _placed(folder, "mpi", MPI)


def run(folder: Path, *words: str, program: str = PROGRAM, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run a script of a folder with a stand-in."""
    environment = os.environ | {"AMBER_PROGRAM": _placed(folder, "program", program)} | changed
    return subprocess.run(["bash", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def prepared(folder: Path, equil: Equil) -> Path:
    """Write what `equil prepare` leaves of CB7·B2 with the engine amber."""
    made = hg.prepare_equil(folder / "prepare", equil)
    record = made / "system.json"
    record.write_text(record.read_text().replace('"engine": "openmm"', '"engine": "amber"'))
    return made


def equilibrated(prepared: Path, out: Path, program: str = SANDER) -> Path:
    """Write an equilibration, and have its scripts run it by sander, or a program that calls it."""
    write_equil_files(SimSystem.read(prepared), out)
    run(out, "run-local.bash", program=program, SANDER=find_program("sander"))
    return out


def called(folder: Path, name: str = "window_03") -> list[str]:
    """Inputs that the program was called with in a folder of runs."""
    return (folder / name / "called.txt").read_text().split()


def safer(folder: Path, name: str, attempt: int) -> str:
    """What the scripts make of an input for an attempt."""
    steps = resources.files("gibbsflow.engines.amber.scripts") / "steps.bash"
    words = ["bash", "-c", '. "$0"; attempt=$1; safer "$2"', str(steps), str(attempt), name]
    return subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout
