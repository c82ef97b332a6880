"""AmberTools' programs: what is read from their files, and what is told of their failures."""

import pytest

from gibbsflow.binding.forcefield.gaff import parametrise, write_mol2
from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.config.binding import Param
from gibbsflow.engines import ambertools
from gibbsflow.engines.process import Bounds
from gibbsflow.errors import ParametrisationError

MINUTE = Bounds(time_s=60)


def test_types_and_charges_of_a_mol2(tmp_path):
    path = tmp_path / "x.mol2"
    path.write_text(
        "@<TRIPOS>MOLECULE\nx\n2 1 1\n@<TRIPOS>ATOM\n"
        "1 C1 0.0 0.0 0.0 c3 1 LIG -0.125000\n\n2 H1 1.1 0.0 0.0 hc 1 LIG 0.125000\n@<TRIPOS>BOND\n1 1 2 1\n"
    )
    assert ambertools.read_typed_atoms(path) == ambertools.TypedAtoms(["c3", "hc"], [-0.125, 0.125])


def test_terms_without_parameters_are_named():
    text = "c3-s6-zz   0.000   0.000   ATTN, need revision\nc3-c3-oh  67.7  109.4   same as x, penalty score= 42.5\n"
    assert ambertools.missing_terms(text) == ["c3-s6-zz"]
    short = "ha-ha    0.00   0.000       ATTN, need revision\nc -c3    0.00   0.000       ATTN, need revision\n"
    assert ambertools.missing_terms(short) == ["ha-ha", "c -c3"]
    longer = "zz 0.000        0.000  ATTN, need revision\nX -c3-zz-X    1    0.000 ATTN, need revision\n"
    assert ambertools.missing_terms(longer) == ["zz", "X -c3-zz-X"]


def test_terms_come_from_the_force_field_asked_for(tmp_path):
    """By the name "gaff2", parmchk2 took gaff in one run of six; there c6 lacks even its mass."""
    ring, typed = embed(molecules.from_smiles("OC1CCCCC1"), count=1, seed=1), tmp_path / "m.mol2"
    gas = Param(charge_method="gas")
    found = parametrise(ring, gas, name="m", cache=tmp_path / "cache", logs=tmp_path / "logs", rigid=False)
    write_mol2(ring, found, typed, "LIG")
    texts = set()
    for number in range(20):
        frcmod, log = tmp_path / f"{number}.frcmod", tmp_path / f"{number}.log"
        ambertools.parmchk2(typed, frcmod, name="m", force_field="gaff2", log=log, bounds=MINUTE)
        texts.add(frcmod.read_text())
    assert len(texts) == 1 and "c6 12.010" not in texts.pop()


def test_antechamber_tells_why_with_the_words_of_sqm(tmp_path):
    """A charge that leaves an electron alone: sqm knows, antechamber only that sqm failed."""
    molecules.write_sdf(embed(molecules.from_smiles("CCO"), count=1, seed=1), tmp_path / "m.sdf", "m")
    with pytest.raises(ParametrisationError, match=r"^m: .*odd|^m: .*sqm"):
        ambertools.antechamber(
            tmp_path / "m.sdf", name="m", charge=1, atom_types="gaff2", charge_method="bcc", rigid=False,
            log=tmp_path / "log", bounds=MINUTE,
        )  # fmt: skip
    assert (tmp_path / "log").stat().st_size


def test_a_script_that_tleap_cannot_follow_names_system_and_log(tmp_path):
    with pytest.raises(ParametrisationError, match=r"^guest: tleap .*\(log: .*log\)"):
        ambertools.tleap("x = loadmol2 nix.mol2\nquit\n", folder=tmp_path, log=tmp_path / "log", name="guest")
    assert "Could not open file nix.mol2" in (tmp_path / "log").read_text()


def test_tleap_gives_its_output(tmp_path):
    text = ambertools.tleap("set default PBRadii mbondi2\nquit\n", folder=tmp_path, log=tmp_path / "log", name="guest")
    assert "Exiting LEaP: Errors = 0" in text and text in (tmp_path / "log").read_text()


def test_what_tleaps_parser_says(tmp_path):
    with pytest.raises(ParametrisationError, match=r"sys: tleap could not build the topology .*: syntax error"):
        ambertools.tleap("garbage command\nquit\n", folder=tmp_path, log=tmp_path / "leap.log", name="sys")
