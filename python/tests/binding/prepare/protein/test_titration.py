"""Groups that can take or lose a proton: every state told with what decided it."""

import numpy as np
from peptides import hetero, moved, peptide

from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.config.binding import System


def groups(tmp_path, text, **settings):
    (tmp_path / "p.pdb").write_text(text)
    facts = read_receptor(tmp_path / "p.pdb", System(**settings)).account.facts
    assert facts["titratable_groups"]["ph"] == settings.get("ph", 7.0)
    return {f"{g['number']} {g['group']}": g for g in facts["titratable_groups"]["groups"]}


def told(group):
    return group["state"], group["at_ph"], group["decided_by"]


def test_each_way_of_deciding_is_named(tmp_path):
    (tmp_path / "c.csv").write_text("A:4,GLH\n")
    text = peptide("NALA ASH LYS GLU HIS TYR ARG CALA").replace("HIE", "HIS")
    found = groups(tmp_path, text, protonation=tmp_path / "c.csv", ph=4.0)
    assert {key: told(group) for key, group in found.items()} == {
        "1 N-terminus": ("NH3+", "", "only form of the force field"),
        "2 side chain": ("ASH", "ASH", "name in the file"),
        "3 side chain": ("LYS", "LYS", "pH"),
        "4 side chain": ("GLH", "GLH", "file of --protonation"),
        "5 side chain": ("HIP", "HIP", "pH"),
        "6 side chain": ("TYR", "", "only form of the force field"),
        "7 side chain": ("ARG", "", "only form of the force field"),
        "8 C-terminus": ("COO-", "", "only form of the force field"),
    }


def test_hydrogens_of_the_file_and_hydrogen_bonds(tmp_path):
    text = peptide("ACE GLH ALA NME", hydrogens=True).replace("GLH", "GLU")
    assert told(groups(tmp_path, text)["2 side chain"]) == ("GLH", "GLU", "hydrogens in the file")
    text = peptide("ACE HIE ALA NME").replace("HIE", "HIS")
    found = groups(tmp_path, text)
    assert list(found) == ["2 side chain"]  # caps leave no ends
    state, at_ph, way = told(found["2 side chain"])
    assert state in ("HID", "HIE") and (at_ph, way) == ("HID or HIE", "hydrogen bonds")


def test_a_metal_decides_and_a_disulfide_has_its_partner(tmp_path):
    one = peptide("ACE HIE NME").replace("HIE", "HIS")
    places = {
        line[12:16].strip(): np.array([float(line[a : a + 8]) for a in (30, 38, 46)]) for line in one.splitlines()
    }
    outward = places["ND1"] - places["NE2"] - (places["CE1"] - places["CG"])
    zinc = places["ND1"] + 2.1 * outward / np.linalg.norm(outward)
    text = one + "TER\n" + hetero("ZN", 900, "ZN", "ZN", *zinc)
    assert told(groups(tmp_path, text, keep="ZN")["2 side chain"])[::2] == ("HIE", "metal")
    one = peptide("ACE CYS NME")
    line = next(line for line in one.splitlines() if line[12:16].strip() == "SG")
    # turned by half a circle about an axis beyond its sulfur, which lies 2.05 Å from that of the first
    place = {axis: float(line[30 + 8 * k : 38 + 8 * k]) for k, axis in enumerate("xyz")}
    turned = ""
    for row in one.splitlines():
        x, y, z = (float(row[a : a + 8]) for a in (30, 38, 46))
        turned += f"{row[:30]}{x:8.3f}{2 * place['y'] + 2.05 - y:8.3f}{2 * place['z'] - z:8.3f}{row[54:]}\n"
    found = groups(tmp_path, one + "TER\n" + moved(turned, chain="B", numbers=10) + "TER\n")
    assert told(found["2 side chain"]) == ("CYX", "CYS", "distance of the sulfurs")
    assert found["2 side chain"]["bonded_to"] == "B:12" and found["12 side chain"]["bonded_to"] == "A:2"
