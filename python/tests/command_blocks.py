"""Blocks of commands in the pages: what the comment before each says of how it is run, and the runs themselves.

    <!-- run: test -->        by the quick tests, in the order of the page, in one folder of the page's own
    <!-- run: slow -->        by the slow tests, after these, in the same folder
    <!-- run: leg NAME -->    what it shows is run by that leg of .ci/run
    <!-- run: by PATH -->     what it shows is run by that file
    <!-- not run: REASON -->
    <!-- file: NAME -->       the block is written into the page's folder under that name

After ``; with`` stand files that a page takes as given: ``NAME=PATH``, a copy of a file of the repository, or a NAME
that :data:`MADE` knows.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from peptides import hetero, peptide
from posed_ligands import laid_on, posed
from rdkit import Chem

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
COMMANDS = ("bash", "console", "python")
"""Languages of blocks that need a mark."""
PROGRAMS = re.compile(r"^\s*(\(?cd |make |uvx |\./nextfloww |sbatch |(bin/)?(%s) )", re.M)
_FENCE = re.compile(r"^(?:<!-- (?P<mark>[^\n]*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
_MARK = re.compile(r"(?P<kind>not run|run|file): (?P<what>.+?)(?:; with (?P<given>.+))?")


@dataclass(frozen=True)
class Block:
    """A fenced block: its page and line, its language and text, and the mark before it, perhaps empty."""

    page: Path
    line: int
    language: str
    text: str
    mark: str

    @property
    def kind(self) -> str:
        """``run``, ``not run``, ``file``, or empty where the mark is none of these."""
        found = _MARK.fullmatch(self.mark)
        return found["kind"] if found else ""

    @property
    def what(self) -> str:
        """What the mark says: ``test``, a leg, a reason, a name."""
        found = _MARK.fullmatch(self.mark)
        return found["what"] if found else ""

    @property
    def given(self) -> Mapping[str, str]:
        """Files that the page takes as given, by name; the path is empty where one is made."""
        found = _MARK.fullmatch(self.mark)
        pairs = (word.partition("=") for word in (found["given"] or "").split()) if found else ()
        return {name: path for name, _, path in pairs}

    def __str__(self) -> str:
        """Page and line, as an editor takes them."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def commands() -> frozenset[str]:
    """Name the project's own commands."""
    return frozenset(path.name for path in (ROOT / "bin").iterdir())


def holds_commands(block: Block) -> bool:
    """Whether a block without a language is one of commands all the same."""
    return not block.language and bool(re.search(PROGRAMS.pattern % "|".join(commands()), block.text, re.M))


def blocks_of(page: Path) -> list[Block]:
    """Read the fenced blocks of a page."""
    text = page.read_text()
    return [
        Block(page, text.count("\n", 0, found.start("text")), found["language"], found["text"], found["mark"] or "")
        for found in _FENCE.finditer(text)
    ]


def _ligands(path: Path) -> None:
    """Three benzenes in one pose, as a project's ligands come."""
    first = posed("Cc1ccccc1", "toluene")
    with Chem.SDWriter(str(path)) as writer:
        for mol in (
            first,
            laid_on("Oc1ccccc1", first, name="phenol"),
            laid_on("CCc1ccccc1", first, name="ethylbenzene"),
        ):
            writer.write(mol)


def _crystal(path: Path) -> None:
    """Write a short peptide with a benzene beside it, as residue BNZ of a file of the PDB, hydrogens left out."""
    ring = posed("c1ccccc1").GetConformer().GetPositions()[:6] + (6, 3, 5)
    atoms = [hetero("BNZ", 400, f"C{k + 1}", "C", *xyz) for k, xyz in enumerate(ring.tolist())]
    path.write_text(peptide("ACE ALA LEU ALA NME") + "TER\n" + "".join(atoms) + "END\n")


MADE: Mapping[str, Callable[[Path], None]] = {"ligands.sdf": _ligands, "181L.pdb": _crystal}
"""Files that pages take as given and the repository does not hold."""


def run_page(page: Path, folder: Path, wanted: tuple[str, ...]) -> list[str]:
    """Run blocks of a page in their order, as somebody would who types them in a checkout; returns what each prints.

    Parameters
    ----------
    page
        The page.
    folder
        Empty; it gets links to the parts of the checkout that commands name, and the files of the page.
    wanted
        What the marks of blocks that are run say (``test``, ``slow``).

    Returns
    -------
    list of str
        Standard output and error of each block.
    """
    for name in ("bin", "assets", "main.nf", "nextfloww"):
        (folder / name).symlink_to(ROOT / name)
    path = f"{ROOT / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "GIBBSFLOW_PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(ROOT / "python" / "src")
    told = []
    for block in blocks_of(page):
        for name, source in block.given.items():
            if source:
                shutil.copyfile(ROOT / source, folder / name)
            else:
                MADE[name](folder / name)
        if block.kind == "file":
            (folder / block.what).write_text(block.text)
        elif block.kind == "run" and block.what in wanted:
            start = [sys.executable, "-c"] if block.language == "python" else ["bash", "-euo", "pipefail", "-c"]
            done = subprocess.run([*start, block.text], cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{block}: exit {done.returncode}\n{block.text}\n{done.stdout}{done.stderr}"
            told.append(done.stdout + done.stderr)
    return told
