"""A system that comes solvated: read, checked, and written as the phases go on with it."""

import pytest
import solvated_systems as boxes

from gibbsflow.binding.facts import PreparedFacts
from gibbsflow.binding.forcefield.given import solvated_system as given
from gibbsflow.binding.forcefield.given.solvated_box import BoxFiles
from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.errors import InputError

SMALL = Md(cutoff_angstrom=7)


def test_parts_are_those_of_the_files(tmp_path):
    system, figures = given.take_solvated("moh", boxes.files(boxes.boxes()), None, None, tmp_path)
    known = system.facts(PreparedFacts)
    assert (known.receptor_kind, known.ligand_charge, known.ligand_smiles) == ("protein", 0, "CO")
    assert figures["account"]["solvated"]["complex"]["water_model"] == "tip3p" and figures["warnings"] == []


def test_masses_are_repartitioned_once(tmp_path):
    folder = boxes.copied(boxes.boxes(), tmp_path / "given")
    heavy = [12.01 - 3 * 2.016, 3.024, 3.024, 3.024, 16 - 2.016, 3.024]
    boxes.replaced(folder / "solvent.prmtop", "MASS", lambda masses: [*heavy, *masses[6:]])
    system, _ = given.take_solvated("moh", boxes.files(folder, "solvent"), None, None, tmp_path / "out")
    masses = [
        [made.getParticleMass(i)._value for i in range(6)]
        for made in (
            create_system(path, SMALL.model_copy(update={"solvent": "tip3p"}))
            for path in (system.path("given_solvent_prmtop"), boxes.boxes() / "solvent.prmtop")
        )
    ]
    assert masses[0] == pytest.approx(masses[1], abs=1e-6)


def test_ligands_and_waters_that_differ_are_refused(tmp_path):
    folder = boxes.copied(boxes.boxes(), tmp_path / "a")
    swap = {22: 0.05 * 18.2223, 23: -0.05 * 18.2223}
    boxes.replaced(folder / "complex.prmtop", "CHARGE", lambda q: [v + swap.get(k, 0) for k, v in enumerate(q)])
    with pytest.raises(InputError, match="its ligand is not that of solvent.prmtop: charge"):
        given.read_boxes(boxes.files(folder), "MOH", tmp_path, "moh")
    other = boxes.files(boxes.boxes("spce", "Na+ 2 Cl- 2"), "solvent")
    with pytest.raises(InputError, match="is tip3p, of solvent.prmtop spce"):
        given.read_boxes([*boxes.files(boxes.boxes(), "complex"), *other], None, tmp_path, "moh")


def test_the_hash_is_of_the_content(tmp_path):
    folder = boxes.copied(boxes.boxes(), tmp_path / "elsewhere")
    one, other = (given.solvated_hash(boxes.files(place), "MOH", None) for place in (boxes.boxes(), folder))
    assert one == other != given.solvated_hash(boxes.files(folder), None, None)
    boxes.replaced(folder / "solvent.prmtop", "MASS", lambda masses: [12.0, *masses[1:]])
    assert given.solvated_hash(boxes.files(folder), "MOH", None) != one


def test_a_missing_include_is_named_with_the_box_that_it_is_of(tmp_path):
    top = tmp_path / "s.top"
    top.write_text('#include "no.itp"\n')
    with pytest.raises(InputError, match="s.top, row 1, solvent_topology: includes 'no.itp'"):
        given.solvated_hash([BoxFiles("solvent", top, top)], None, None)
