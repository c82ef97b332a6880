#!/usr/bin/env python3
"""GAFF types and AM1-BCC charges from SMILES beside FreeSolv's own, atom by atom.

    python benchmarks/freesolv/parameters.py FREESOLV [mobley_1636752 ...] --cache /tmp/freesolv-cache

FREESOLV is a clone of github.com/MobleyLab/FreeSolv; without names, the molecules of molecules.csv. Exits 1 where a
type differs.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
from rdkit import Chem

from gibbsflow.binding.forcefield.gaff import parametrise
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.molecules import from_smiles
from gibbsflow.config.binding import Param

HERE = Path(__file__).resolve().parent


def texts(archive: Path) -> dict[str, str]:
    """Files of an archive by their stems."""
    with tarfile.open(archive) as tar:
        members = [(Path(member.name).stem, tar.extractfile(member)) for member in tar.getmembers() if member.isfile()]
        return {stem: file.read().decode() for stem, file in members if file is not None}


def main() -> int:
    """Compare, and print a row a molecule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("freesolv", type=Path)
    parser.add_argument("molecule", nargs="*")
    parser.add_argument("--cache", type=Path, required=True)
    options = parser.parse_args()
    with open(HERE / "molecules.csv") as file:
        names = options.molecule or [row["freesolv_id"] for row in csv.DictReader(file)]
    drawn, typed = texts(options.freesolv / "sdffiles.tar.gz"), texts(options.freesolv / "mol2files_gaff.tar.gz")
    table = json.loads((options.freesolv / "database.json").read_text())
    generic = Chem.AdjustQueryParameters.NoAdjustments()
    generic.makeBondsGeneric = True  # which oxygen of a nitro group has the charge is a matter of drawing
    same = True
    for name in names:
        theirs = Chem.MolFromMolBlock(drawn[name], removeHs=False)
        for atom in theirs.GetAtoms():
            atom.SetFormalCharge(0)
        rows = typed[name].partition("@<TRIPOS>ATOM")[2].partition("@<TRIPOS>BOND")[0].strip().splitlines()
        types, charges = zip(*((row.split()[5], float(row.split()[8])) for row in rows), strict=True)
        molecule = embed(from_smiles(table[name]["smiles"]), count=1, seed=1)
        settings = Param(ligand_ff="gaff")
        found = parametrise(
            molecule, settings, name=name, cache=options.cache, logs=options.cache / "logs", rigid=False
        )
        order = molecule.mol.GetSubstructMatch(Chem.AdjustQueryProperties(theirs, generic))
        differences = np.array([found.charges[i] for i in order]) - np.array(charges)
        others = [f"{a} for {b}" for a, b in zip((found.types[i] for i in order), types, strict=True) if a != b]
        same &= not others
        worst = int(np.abs(differences).argmax())
        said = f"largest difference {differences[worst]:+.4f} e at {types[worst]}"
        print(f"{name:16s} {table[name]['smiles']:20s} {said}; types {', '.join(others) or 'the same'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
