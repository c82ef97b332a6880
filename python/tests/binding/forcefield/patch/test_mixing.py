"""Mixtures: packmol-memgen gets its arguments as they are, what it leaves is read; without it they are refused."""

import os

import bilayers
import numpy as np
import pytest
from openmm import app

from gibbsflow.binding.forcefield.patch import mixing
from gibbsflow.binding.forcefield.patch.choice import MembraneChoice
from gibbsflow.binding.forcefield.patch.lipid_names import record
from gibbsflow.errors import InputError, ParametrisationError

MIXED = MembraneChoice("POPC:CHL1", "3:1")


def alanine():
    topology = app.Topology()
    residue = topology.addResidue("ALA", topology.addChain("A"))
    topology.addAtom("CA", app.Element.getBySymbol("C"), residue)
    return topology, np.zeros((1, 3)), 1


def program(folder, body):
    for name in ("packmol", "packmol-memgen"):
        (folder / name).write_text(f"#!/bin/sh\n{body}")
        (folder / name).chmod(0o755)


def call(tmp_path, monkeypatch, body):
    for name in ("tools", "work", "logs"):
        (tmp_path / name).mkdir()
    program(tmp_path / "tools", body)
    monkeypatch.setenv("PATH", f"{tmp_path / 'tools'}{os.pathsep}{os.environ['PATH']}")
    return mixing.mix(*alanine(), MIXED, tmp_path / "work", tmp_path / "logs", where="x")


def test_what_it_leaves_is_read_with_its_box(tmp_path, monkeypatch):
    names, residues, model = bilayers.lipid()
    rows = [record(1, "CA", "ALA", 1, (0, 0, 0))]
    for k in range(8):
        placed = (model + [0, 0, 0.5]) * [1, 1, (-1) ** k] + [9 * k, 0, 0]
        # head and tails have one number, as packmol-memgen leaves them
        rows += [record(1, n, r, k + 1, xyz) for n, r, xyz in zip(names, residues, placed, strict=True)]
    rows += [record(1, n, "WAT", 99, (1.0 * k, 0, 30)) for k, n in enumerate(("O", "H1", "H2"))]
    (tmp_path / "made.pdb").write_text("\n".join([*rows, "END", ""]))
    lengths = "\\n".join(f"{axis}_len = 70.5" for axis in "xyz")
    found = call(
        tmp_path,
        monkeypatch,
        f"printf '%s\\n' \"$@\" > words; printf '{lengths}\\n' > memgen.log; cp {tmp_path}/made.pdb mixture.pdb\n",
    )
    np.testing.assert_allclose(found.surroundings.box_angstrom, 72.5)
    assert found.surroundings.composition() == {"PA-PC-OL": 8} and found.alpha_names == ("ALA",)
    words = (tmp_path / "work" / "words").read_text().split("\n")
    assert words[words.index("--lipids") + 1] == "POPC:CHL1" and words[words.index("--ratio") + 1] == "3:1"
    assert "ALA" in (tmp_path / "work" / "protein.pdb").read_text()
    assert (tmp_path / "logs" / "memgen-details.log").exists()


def test_a_program_that_leaves_nothing_is_told(tmp_path, monkeypatch):
    with pytest.raises(ParametrisationError, match="left no membrane"):
        call(tmp_path, monkeypatch, "exit 0\n")


def test_without_the_program_a_mixture_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="packmol-memgen' is not installed.*membrane_pdb"):
        mixing.mix(*alanine(), MIXED, tmp_path, tmp_path, where="x")
