"""Peptides as PDB text, small enough to be read in a test: extended backbones with all heavy atoms, built by tleap."""

from __future__ import annotations

import functools
import re
import subprocess
import tempfile
from pathlib import Path

from gibbsflow.engines.process import find_program


@functools.cache
def peptide(sequence: str, *, hydrogens: bool = False) -> str:
    """PDB records of a peptide, AMBER's names, chain A, without TER or END.

    Ends carry their names as AMBER's libraries have them (NALA, CALA) or are caps.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = f"source leaprc.protein.ff14SB\nm = sequence {{ {sequence} }}\nsavepdb m m.pdb\nquit\n"
        (Path(folder) / "leap.in").write_text(script)
        command = [find_program("tleap"), "-f", "leap.in"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        lines = (Path(folder) / "m.pdb").read_text().splitlines()
    atoms = [line for line in lines if line.startswith("ATOM")]
    kept = [f"{line[:21]}A{line[22:]}" for line in atoms if hydrogens or line[76:78].strip() != "H"]
    return "\n".join(kept) + "\n"


def moved(text: str, *, by: float = 0.0, chain: str = "A", numbers: int = 0) -> str:
    """The same atoms along x by some Å, in another chain, with other numbers."""
    lines = [
        f"{line[:21]}{chain}{int(line[22:26]) + numbers:4d}{line[26:30]}{float(line[30:38]) + by:8.3f}{line[38:]}"
        for line in text.splitlines()
    ]
    return "\n".join(lines) + "\n"


def without(text: str, pattern: str) -> str:
    """The same without the lines that match."""
    return "".join(f"{line}\n" for line in text.splitlines() if not re.search(pattern, line))


def hetero(name: str, number: int, atom: str, element: str, x: float, y: float = 0.0, z: float = 0.0) -> str:
    """One HETATM record."""
    padded = f"{atom:<4s}" if len(element) == 2 else f" {atom:<3s}"
    place = f"{x:8.3f}{y:8.3f}{z:8.3f}"
    return f"HETATM 9000 {padded} {name:>3s} A{number:4d}    {place}  1.00  0.00          {element:>2s}\n"
