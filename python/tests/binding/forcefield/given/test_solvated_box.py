"""A box that comes solvated, and all that is refused of it."""

from dataclasses import replace

import numpy as np
import pytest
import solvated_systems as boxes

from gibbsflow.binding.forcefield.given.solvated_box import common_problems, read_box
from gibbsflow.binding.forcefield.solvation import write_inpcrd
from gibbsflow.engines import ambertools
from gibbsflow.errors import InputError
from gibbsflow.workflow.account import Account


def read(folder, role="complex", residue="MOH", account=None):
    (given,) = boxes.files(folder, role)
    return read_box(given, residue, None, folder, seen=account)


@pytest.fixture
def folder(tmp_path):
    return boxes.copied(boxes.boxes(), tmp_path)


def test_a_box_is_read_and_said(folder):
    original = (folder / "complex.prmtop").read_text()
    box = read(folder)
    facts = box.facts(None)
    assert facts.water_model == "tip3p" and facts.receptor_charge_e == facts.ligand_charge_e == 0
    assert facts.waters == box.components.waters and facts.hydrogen_mass_amu == pytest.approx(1.008)
    assert len(facts.site_atoms) >= 3 and set(facts.site_atoms) < set(facts.receptor_atoms)
    assert box.facts("ALA").site_atoms == tuple(
        a for a in facts.receptor_atoms if 6 <= a < 16 and box.terms.elements[a] > 1
    )
    host = replace(box, components=replace(box.components, receptor_kind="host"))
    assert host.facts("ALA").site_atoms == box.facts("ALA").site_atoms and len(host.facts(None).site_atoms) == 10
    for kind in (box, host):
        with pytest.raises(InputError, match="no residue of the receptor is in the site GLY"):
            kind.facts("GLY")
    changed = {"DATE", "BOX_DIMENSIONS"}
    for section in original.split("%FLAG ")[1:]:
        if section.split()[0] not in changed and section.split()[0] != "ATOMS_PER_MOLECULE":
            assert section in (folder / "complex.prmtop").read_text()


def test_repartitioned_masses_are_noted(folder):
    account = Account("x")
    boxes.replaced(folder / "solvent.prmtop", "MASS", lambda m: [12.01 - 6, 3.008, 3.008, 3.008, 14.0, 3.008, *m[6:]])
    box = read(folder, "solvent", account=account)
    assert box.facts(None).hydrogen_mass_amu == pytest.approx(3.008)
    assert any("not twice" in str(note) for note in account.of_weight("note"))


def test_a_box_without_angles_has_those_of_its_topology(tmp_path):
    """As AMBER takes them; right angles would make of an octahedron a box with voids."""
    folder = boxes.copied(boxes.boxes(padding=10, fill="solvateoct"), tmp_path)
    whole, path, account = read(folder, "solvent").coordinates.vectors_angstrom, folder / "solvent.inpcrd", Account("x")
    rows = path.read_text().rstrip().split("\n")
    path.write_text("\n".join([*rows[:-1], rows[-1][:36], ""]))
    box = read(folder, "solvent", account=account)
    assert np.allclose(box.coordinates.vectors_angstrom, whole, atol=1e-5)
    assert any("a box without angles: 109.471" in str(note) for note in account.of_weight("note"))


def test_an_old_topology_becomes_what_a_new_one_does(folder):
    """AMBER before 11 wrote neither atomic numbers nor the scales of 1-4 pairs."""
    account, new = Account("x"), read(folder).text
    prmtop = folder / "complex.prmtop"
    for flag in ("ATOMIC_NUMBER", "SCEE_SCALE_FACTOR", "SCNB_SCALE_FACTOR"):
        head, _, rest = prmtop.read_text().partition(f"%FLAG {flag} ")
        prmtop.write_text(head + "%FLAG" + rest.partition("%FLAG")[2])
    old = read(folder, account=account)
    coordinates = old.positions_angstrom, old.coordinates.vectors_angstrom
    assert boxes.energies(old.text, *coordinates) == pytest.approx(boxes.energies(new, *coordinates), rel=1e-9)
    assert any("elements by masses" in str(note) for note in account.of_weight("note"))


def shifted(values, index, by):
    return [value + by if k == index else value for k, value in enumerate(values)]


@pytest.mark.parametrize(
    ("flag", "change", "said"),
    [
        ("CHARGE", lambda q: shifted(q, 22, 0.4 * 18.2223), "no whole number"),
        ("CHARGE", lambda q: shifted(q, 22, 18.2223), r"the box has a charge of \+1 e"),
        ("MASS", lambda m: [0.0, *m[1:]], "has no mass"),
        ("RESIDUE_LABEL", lambda r: [*r[:1], "LEU", *r[2:]], "LEU 2 has 5 heavy atoms, not 8"),
    ],
)
def test_a_topology_that_would_give_a_wrong_number_is_refused(folder, flag, change, said):
    boxes.replaced(folder / "complex.prmtop", flag, change)
    with pytest.raises(InputError, match=said):
        read(folder)


def test_coordinates_that_are_not_of_the_topology_are_refused(folder):
    box = read(folder)
    positions, lengths = box.positions_angstrom, box.coordinates.box_angstrom
    place = folder / "complex.inpcrd"

    def refused(said, moved, box_angstrom=lengths):
        write_inpcrd(place, moved, box_angstrom)
        with pytest.raises(InputError, match=said):
            read(folder)

    refused("atoms, and", positions[:-3])
    hole = positions.copy()
    hole[:16] += [4.0, 0, 0]  # the last residue of the chain stays behind
    refused("bonded and .* apart", hole)
    shrunk = positions.copy()
    shrunk[22:28] = positions[22:28].mean(axis=0) + (positions[22:28] - positions[22:28].mean(axis=0)) / 3
    refused("are bonded and 0.[345]. Å apart", shrunk)
    refused("g/mL", positions / 10, [value / 10 for value in lengths[:3]] + [90.0] * 3)
    write_inpcrd(place, positions, ())
    with pytest.raises(InputError, match="no periodic box"):
        read(folder)


def test_water_must_be_rigid(folder):
    def without_triangles(rows):
        triples = np.array(rows).reshape(-1, 3)
        oxygens = 3 * 28 % 9
        keep = [row for row in triples.tolist() if row[0] < 84 or oxygens in (row[0] % 9, row[1] % 9)]
        return [value for row in keep for value in row]

    boxes.replaced(folder / "complex.prmtop", "BONDS_INC_HYDROGEN", without_triangles)
    with pytest.raises(InputError, match="flexible"):
        read(folder)


def test_kinds_of_files(folder):
    good, bad = boxes.files(folder)
    assert common_problems([good]) == []
    bad = type(bad)("solvent", folder / "leap.log", folder / "solvent.inpcrd")
    assert "unknown kind '.log'" in str(common_problems([bad])[0])


def test_the_end_of_a_chain_has_a_second_oxygen_by_any_name(tmp_path):
    """GROMACS calls those of AMBER's force fields OC1 and OC2."""
    folder = boxes.copied(boxes.boxes(), tmp_path)
    lines = ["source leaprc.protein.ff14SB", "source leaprc.water.tip3p", "source leaprc.gaff"]
    lines += ["receptor = sequence { NGLY PHE CALA }", "ligand = loadmol2 ligand.mol2", "translate ligand { 3 0 9 }"]
    lines += [
        "both = combine { receptor ligand }",
        "solvatebox both TIP3PBOX 6",
        "saveamberparm both complex.prmtop complex.inpcrd",
    ]
    ambertools.tleap("\n".join([*lines, "quit", ""]), folder=folder, log=folder / "leap.log", name="boxes")
    boxes.replaced(
        folder / "complex.prmtop", "RESIDUE_LABEL", lambda labels: [{"CALA": "ALA"}.get(x, x) for x in labels]
    )
    prmtop = folder / "complex.prmtop"
    for one, other in (("O", "OXT"), ("OC1", "OC2"), ("OT1", "OT2")):

        def called(names, one=one, other=other):
            first = next(k for k, name in enumerate(names) if name in ("OXT", "OC2", "OT2"))
            return [{first - 1: one, first: other}.get(k, name) for k, name in enumerate(names)]

        boxes.replaced(prmtop, "ATOM_NAME", called)
        assert len(read(folder).components.receptor) > 20
    boxes.replaced(prmtop, "ATOM_NAME", lambda names: ["O9" if name == "OT2" else name for name in names])
    with pytest.raises(InputError, match="ALA 3 has 6 heavy atoms, not 5"):
        read(folder)
