"""Outputs of programs whose densities did not converge: found in the text, since readers take their energies."""

from __future__ import annotations

import lzma
import re
import zlib
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.input_files import DATA_BYTES, MB, open_input, unpacked_stream

# as Quantum ESPRESSO, CP2K, ORCA, FHI-aims, ABINIT, SIESTA, Gaussian and VASP have it
_SAID = re.compile(
    rb"convergence NOT achieved|SCF run NOT converged|SCF NOT CONVERGED|wavefunction IS NOT YET CONVERGED"
    rb"|Self-consistency cycle not (?:yet )?converged|SCF cycle not converged|not enough SCF cycles to converge"
    rb"|SCF_NOT_CONV|electronic self-consistency was not achieved|EDIFF was not reached"
    rb"|Convergence criterion not met|Convergence failure -- run terminated", re.IGNORECASE,
)  # fmt: skip
_NUMBER = rb"\s*[=<]\s*([\d.+\-EeDd]+)"
_PW_THRESHOLD = re.compile(rb"^\s*scf convergence threshold" + _NUMBER)
_PW_ACCURACY = re.compile(rb"^\s*estimated scf accuracy\s+" + _NUMBER)
_PW_ENDED = b"convergence has been achieved in"
_PW_HYBRID = b"EXX"  # their loops have thresholds of their own
_OUTCAR_MOST = re.compile(rb"^\s*NELM\s*=\s*(\d+);")
_OUTCAR_STEP = re.compile(rb"^-+\s*Iteration\s*(\d+)\(\s*(\d+)\)")
_OUTCAR_REACHED = b"aborting loop because EDIFF is reached"
_XML_SETTING = re.compile(rb'<i(?: type="\w+")? name="(NELM|EDIFF)">\s*([\d.+\-EeDd]+)\s*</i>')
_XML_ENERGY = re.compile(rb'<i name="e_wo_entrp">\s*([\d.+\-EeDd]+)\s*</i>')


def refuse_unconverged(path: Path) -> None:
    """Refuse an output that holds an energy of a density that did not converge.

    Parameters
    ----------
    path
        Text, which may be packed; databases and trajectories of ASE are passed by.

    Raises
    ------
    InputError
        At the first such energy, with its line.
    """
    if path.suffix.lower() in (".db", ".traj", ".json") or not path.is_file():
        return
    with open_input(path, "a file of labelled frames", DATA_BYTES) as file:
        text = unpacked_stream(path, file)
        try:
            found = next(_faults(enumerate(iter(partial(text.readline, MB), b""), 1)), None)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            raise InputError(Problem(str(path), f"not unpacked: {error}", "a whole file")) from error
    if found is not None:
        line, what = found
        right = "energies of a converged density: leave such steps out, or compute them again"
        raise InputError(Problem(str(path), f"line {line}: {what}", right, field="energy"))


def _faults(lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, str]]:
    """Line and words of each energy that did not converge."""
    plane_waves, outcar, xml = _PlaneWaves(), _Outcar(), _VaspXml()
    last = 0
    for number, line in lines:
        last = number
        if _SAID.search(line):
            yield number, line.decode(errors="replace").strip()[:200]
        for looked in (plane_waves.read(line), outcar.read(line), xml.read(line)):
            if looked:
                yield number, looked
    if looked := outcar.ended():
        yield last, looked


class _PlaneWaves:
    """pw.x says of an `scf_must_converge=.false.` that convergence has been achieved."""

    def __init__(self) -> None:
        self.threshold = float("inf")
        self.accuracy = 0.0

    def read(self, line: bytes) -> str:
        if _PW_HYBRID in line:
            self.threshold = float("inf")
        elif found := _PW_THRESHOLD.match(line):
            self.threshold = _float(found[1])
        elif found := _PW_ACCURACY.match(line):
            self.accuracy = _float(found[1])
        elif _PW_ENDED in line and self.accuracy > 1.01 * self.threshold:
            return f"ended at an scf accuracy of {self.accuracy:g} Ry, and the threshold is {self.threshold:g} Ry"
        return ""


class _Outcar:
    """An OUTCAR says of an ionic step that ended at NELM nothing but what it says of none."""

    def __init__(self) -> None:
        self.most = 0
        self.step = self.count = 0
        self.reached = True

    def read(self, line: bytes) -> str:
        if found := _OUTCAR_MOST.match(line):
            self.most = self.most or int(found[1])
        elif found := _OUTCAR_STEP.match(line):
            before = self.ended() if int(found[1]) != self.step else ""
            self.step, self.count, self.reached = int(found[1]), int(found[2]), False
            return before
        elif _OUTCAR_REACHED in line:
            self.reached = True
        return ""

    def ended(self) -> str:
        if self.reached or not 1 < self.most <= self.count:
            return ""
        return f"ionic step {self.step} ended after NELM = {self.most} electronic steps, and EDIFF was not reached"


class _VaspXml:
    """A vasprun.xml has the energies of the electronic steps of each ionic one."""

    def __init__(self) -> None:
        self.settings: dict[bytes, float] = {}
        self.step = self.count = 0
        self.energies: list[float] = []

    def read(self, line: bytes) -> str:
        if found := _XML_SETTING.search(line):
            self.settings.setdefault(found[1], _float(found[2]))  # the first of a name is that of the density
        elif b"<calculation>" in line:
            self.step, self.count, self.energies = self.step + 1, 0, []
        elif b"<scstep>" in line:
            self.count += 1
        elif self.count and len(self.energies) < self.count and (found := _XML_ENERGY.search(line)):
            self.energies.append(_float(found[1]))
        elif b"</calculation>" in line:
            most, wanted = self.settings.get(b"NELM", 0), self.settings.get(b"EDIFF", float("inf"))
            last = self.energies[-2:]
            if 1 < most <= self.count == len(self.energies) and abs(last[-1] - last[0]) > wanted:
                told = f"still changed by {abs(last[-1] - last[0]):.2g} eV (EDIFF {wanted:g})"
                return f"ionic step {self.step} ended after NELM = {most:g} electronic steps, and {told}"
        return ""


def _float(text: bytes) -> float:
    return float(re.sub(rb"[dD]", b"e", text))
