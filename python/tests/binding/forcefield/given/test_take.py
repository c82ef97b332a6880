"""A system that comes solvated, through the phases as far as its topologies."""

import numpy as np
import pytest
import solvated_systems as boxes

from gibbsflow.binding.alchemy.prepare_fe import _same_alchemical
from gibbsflow.binding.alchemy.protocols import protocol_of
from gibbsflow.binding.facts import ParamFacts, PreparedFacts, TopologyFacts
from gibbsflow.binding.forcefield.given import take
from gibbsflow.binding.forcefield.given.solvated_box import BoxFiles
from gibbsflow.binding.solvated_facts import SolvatedFacts
from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.engines.openmm_systems import create_system
from gibbsflow.errors import InputError

SMALL = Md(cutoff_angstrom=7)


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    system, figures = take.take_solvated("moh", boxes.files(boxes.boxes()), None, None, tmp_path_factory.mktemp("out"))
    return system, figures


def test_parts_and_force_field_are_those_of_the_files(taken, tmp_path):
    system, figures = taken
    known = system.facts(PreparedFacts)
    assert (known.receptor_kind, known.ligand_charge, known.ligand_smiles) == ("protein", 0, "CO")
    assert figures["account"]["solvated"]["complex"]["water_model"] == "tip3p" and figures["warnings"] == []
    kept, _ = take.keep_parameters(system, tmp_path / "kept")
    assert kept.facts(ParamFacts).param.ligand_ff == "given" and take.is_solvated(kept)
    built = take.hand_on_topologies(kept, SMALL, tmp_path / "built")
    atoms = built.facts(TopologyFacts)
    assert atoms.md.solvent == "tip3p" and atoms.ligand_atoms == tuple(range(22, 28))
    assert atoms.parts("solvent_equil_frames", 10)["ligand"] == tuple(range(6))
    assert atoms.parts("equil_frames", 31)["environment"] == (28, 29, 30)
    assert atoms.solvation["complex"].waters == system.facts(SolvatedFacts).solvated["complex"].waters
    for protocol in ("abfe", "asfe"):
        _same_alchemical(built, protocol_of(protocol, explicit=True), atoms.md, OPENMM)


def test_masses_are_repartitioned_once(tmp_path):
    folder = boxes.copied(boxes.boxes(), tmp_path / "given")
    heavy = [12.01 - 3 * 2.016, 3.024, 3.024, 3.024, 16 - 2.016, 3.024]
    boxes.replaced(folder / "solvent.prmtop", "MASS", lambda masses: [*heavy, *masses[6:]])
    system, _ = take.take_solvated("moh", boxes.files(folder, "solvent"), None, None, tmp_path / "out")
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
        take.read_boxes(boxes.files(folder), "MOH", tmp_path, "moh")
    other = boxes.files(boxes.boxes("spce", "Na+ 2 Cl- 2"), "solvent")
    with pytest.raises(InputError, match="is tip3p, of solvent.prmtop spce"):
        take.read_boxes([*boxes.files(boxes.boxes(), "complex"), *other], None, tmp_path, "moh")


def test_settings_that_the_files_contradict_are_refused():
    assert take.solvent_of({"complex": "tip3p"}, Md(), where="x").solvent == "tip3p"
    assert take.solvent_of({"complex": "opc3"}, Md(), where="x").solvent == "given"
    assert take.solvent_of({"complex": None}, Md(solvent="given"), where="x").solvent == "given"
    for asked in ("opc", "vacuum"):
        with pytest.raises(InputError, match=f"solvent {asked} is asked for"):
            take.solvent_of({"complex": "tip3p"}, Md(solvent=asked), where="x")
    assert take.width_angstrom((40, 40, 40, 109.4712190, 109.4712190, 109.4712190)) == pytest.approx(
        40 * np.sqrt(2 / 3), abs=1e-3
    )
    assert not take.cutoff_problems({"complex": 18.5}, Md(), where="x")
    assert "18.2 Å is too small" in str(take.cutoff_problems({"complex": 18.2}, Md(), where="x")[0])


def test_the_hash_is_of_the_content(tmp_path):
    folder = boxes.copied(boxes.boxes(), tmp_path / "elsewhere")
    one, other = (take.solvated_hash(boxes.files(place), "MOH", None) for place in (boxes.boxes(), folder))
    assert one == other != take.solvated_hash(boxes.files(folder), None, None)
    boxes.replaced(folder / "solvent.prmtop", "MASS", lambda masses: [12.0, *masses[1:]])
    assert take.solvated_hash(boxes.files(folder), "MOH", None) != one


def test_a_missing_include_is_named_with_the_box_that_it_is_of(tmp_path):
    top = tmp_path / "s.top"
    top.write_text('#include "no.itp"\n')
    with pytest.raises(InputError, match="s.top, row 1, solvent_topology: includes 'no.itp'"):
        take.solvated_hash([BoxFiles("solvent", top, top)], None, None)
