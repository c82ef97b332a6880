"""Topologies of the same molecules in another order, with more of them, and with an ion of another force field."""

from dataclasses import replace

import numpy as np
import pytest
import solvated_systems as boxes
from parmed.amber import AmberParm

from gibbsflow.binding.forcefield.given.rebuilt.gathered import atoms_of, gathered, with_foreign
from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engines import engine_for


@pytest.fixture(scope="module")
def complex_box():
    return boxes.parts(boxes.boxes("tip3p", "Na+ 2 Cl- 2"), "complex")


def test_another_order_has_the_same_energy(complex_box):
    parts = complex_box
    order = np.random.default_rng(3).permutation(len(parts.sizes)).tolist()
    text, positions = gathered(parts, order, 2), parts.positions_angstrom[atoms_of(parts, order)]
    before = boxes.energies(parts.text, parts.positions_angstrom, parts.vectors_angstrom)
    after = boxes.energies(text, positions, parts.vectors_angstrom)
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert after[name] == pytest.approx(value, rel=1e-10, abs=1e-8)
    back = replace(parts, text=text, positions_angstrom=positions)
    assert (
        gathered(back, np.argsort(order).tolist(), 2).split("%FLAG TITLE")[1]
        == gathered(parts, range(len(order)), 2).split("%FLAG TITLE")[1]
    )


def test_molecules_that_are_there_twice_have_their_terms_twice(complex_box, tmp_path):
    parts = complex_box
    order = [0, 1, 1, *parts.waters.tolist()]
    (tmp_path / "two.prmtop").write_text(gathered(parts, order, 3, (50, 51, 52)))
    read = AmberParm(str(tmp_path / "two.prmtop"))
    once = AmberParm(str(boxes.boxes("tip3p", "Na+ 2 Cl- 2") / "complex.prmtop"))
    assert read.parm_data["BOX_DIMENSIONS"] == [90.0, 50.0, 51.0, 52.0]
    assert [r.name for r in read.residues][:6] == ["ACE", "ALA", "NME", "MOH", "MOH", "WAT"]
    assert read.parm_data["SOLVENT_POINTERS"] == [5, len(order), 4]
    ligand = [once.atoms[i] for i in parts.ligand]
    for kind in ("bonds", "angles", "dihedrals"):
        own = sum(1 for term in getattr(once, kind) if term.atom1 in ligand)
        assert len(getattr(read, kind)) == len(getattr(once, kind)) + own
    assert {len(atom.exclusion_partners) for atom in read.atoms[28:34]} == {0}


def test_an_ion_of_another_box_has_its_parameters_there(complex_box, tmp_path):
    bare = boxes.parts(boxes.boxes(), "solvent")
    kind = next(kind for kind in complex_box.ions if kind.charge_e == 1)
    source = int(complex_box.starts[complex_box.ions[kind][0]])
    wider = with_foreign(bare, complex_box, source)
    assert wider.ions.keys() == {kind} and wider.called(kind) == "Na+"
    path = tmp_path / "wider.prmtop"
    path.write_text(gathered(wider, [*range(len(bare.sizes)), *[len(bare.sizes)] * 2], 1))
    assert AmberParm(str(path)).residues[-1].name == "Na+"
    md = Md(solvent="tip3p", cutoff_angstrom=7)
    engine = engine_for(md)
    found = engine.nonbonded(engine.system(path, md))
    native = engine.nonbonded(engine.system(boxes.boxes("tip3p", "Na+ 2 Cl- 2") / "complex.prmtop", md))
    np.testing.assert_allclose(found[-2:], native[[source, source]], rtol=1e-7)
    plain = engine.nonbonded(engine.system(boxes.boxes() / "solvent.prmtop", md))
    np.testing.assert_allclose(found[:-2], plain, rtol=1e-7)


def test_types_that_no_atom_has_any_more_are_left_out(complex_box, tmp_path):
    parts = complex_box
    ions = {m for found in parts.ions.values() for m in found}
    path = tmp_path / "fewer.prmtop"
    path.write_text(gathered(parts, [m for m in range(len(parts.sizes)) if m not in ions], 2))
    md = Md(solvent="tip3p", cutoff_angstrom=7)
    system = engine_for(md).system(path, md)
    assert not [force for force in system.getForces() if force.getName().startswith("Custom")]
    bare = engine_for(md).nonbonded(engine_for(md).system(boxes.boxes() / "complex.prmtop", md))
    np.testing.assert_allclose(engine_for(md).nonbonded(system)[:31], bare[:31], rtol=1e-7)
    AmberParm(str(path))
