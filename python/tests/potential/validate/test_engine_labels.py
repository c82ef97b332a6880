from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk, molecule
from silicon import needs_pw

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.config.potential_validation import Validation
from gibbsflow.errors import ScienceError
from gibbsflow.potential.data.formats.mesh_cells import MESH_HEIGHTS, keep_mesh
from gibbsflow.potential.label.engines import make_engine
from gibbsflow.potential.label.plane_waves import k_mesh, own_mesh
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.potential.validate.battery import Battery, Model
from gibbsflow.potential.validate.engine_labels import EngineLabels
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.equations_of_state import equation_of_state
from gibbsflow.potential.validate.properties.plans import Measured, answered, by_calculator
from gibbsflow.potential.validate.subjects import Subject
from gibbsflow.potential.validate.validating import validate
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.state.segments import Stopper

DFT = Dft(engine="tblite")


def labels(folder: Path) -> EngineLabels:
    engine = make_engine(["H", "O"], DFT, Labels())
    return EngineLabels(engine, DFT, Labels(), folder / "labels", folder / "failed")


def test_a_molecule_beside_the_engine_itself(tmp_path: Path) -> None:
    """The same model on both sides: all frequencies agree, and every label is kept with its sentinel."""
    from tblite.ase import TBLite

    water = Subject(None, molecule("H2O"), "here")
    settings = Validation(properties=("modes",), engine_properties=("modes",))

    def judged(engine: EngineLabels):  # type: ignore[no-untyped-def]
        own = by_calculator(TBLite(method=DFT.tblite_method, verbosity=0))
        return validate(
            Battery(water, ("H", "O"), settings, tmp_path, Stopper()), Model("potential", "k", own), engine=engine
        )

    first = labels(tmp_path)
    found = judged(first)
    assert found.verdict == "PASS", found.reasons
    modes = [row for one in found.judged for row in one.rows]
    assert len(modes) == 3 and all(abs(row.difference or 0) < 0.05 for row in modes)
    # GFN2-xTB of water: a bend of some 45 THz, two stretches of some 110
    assert 40 < modes[0].potential < 55 and 100 < modes[2].potential < 120 and found.engine == "tblite"
    assert first.made >= 18 and len(list((tmp_path / "labels").rglob("FINISHED"))) == first.made
    one_core = first.seconds([3])
    assert one_core is not None and one_core > 0
    four = replace(first, labels=Labels(ranks=4))
    assert four.seconds([3]) == one_core  # ranks are those of pw.x
    assert replace(four, dft=Dft(engine="quantum_espresso")).seconds([3]) == pytest.approx(4 * one_core)
    for path in tmp_path.glob("tblite-*/*.json"):
        path.unlink()
    again = labels(tmp_path)
    judged(again)
    assert (again.made, again.reused) == (0, first.made)


def test_a_label_that_fails_ends_the_property(tmp_path: Path) -> None:
    close = Atoms("HO", [[0, 0, 0], [0, 0, 0.1]])
    with pytest.raises(ScienceError, match="no label succeeded|failed"):
        labels(tmp_path)([close])


def test_meshes_that_are_kept_where_a_cell_has_a_larger_one_are_told(tmp_path: Path) -> None:
    one = labels(tmp_path)
    one.engine.periodic = True
    large = bulk("Cu", a=3.9)
    small = bulk("Cu", a=3.4)
    one._look_at_meshes([small, large])
    assert one.take_doubts() == ()  # each cell's own
    keep_mesh(small, large)
    one._look_at_meshes([small, large])
    (told,) = one.take_doubts()
    kept, own = ("×".join(map(str, mesh(small, DFT.kspacing_per_angstrom))) for mesh in (k_mesh, own_mesh))
    assert told.startswith(f"cells of 1 atoms keep {kept} and not the {own} k points") and one.take_doubts() == ()


@pytest.mark.slow
@pytest.mark.qe
@needs_pw
def test_energies_of_a_coarse_metal_are_smooth_over_its_volumes(tmp_path: Path) -> None:
    """Aluminium at 10 Ry and a spacing at which the mesh of a strained cell steps within the volumes."""
    dft = Dft(
        functional="lda", pseudo_library="gth", ecutwfc_ry=10, ecutrho_ry=40, kspacing_per_angstrom=0.92,
        degauss_ry=0.05, conv_thr_ry=1e-6,
    )  # fmt: skip
    engine = make_engine(["Al"], dft, Labels())
    start = Crystal.of(bulk("Al", a=3.92), 0.01)
    made = EngineLabels(engine, dft, Labels(), tmp_path / "labels", tmp_path / "failed")
    found = answered(equation_of_state(start, Validation(eos_volumes=5)), made)
    for path in tmp_path.rglob("label.json"):
        assert read_json(path)["k_mesh"] == list(k_mesh(start.primitive, 0.92))
    left = found.curves["residual_mev_per_atom"]

    def own(frames: list[Atoms]) -> list[Prediction]:
        for frame in frames:
            frame.info.pop(MESH_HEIGHTS)
        return made(frames)

    before = made.made
    stepping = answered(equation_of_state(start, Validation(eos_volumes=5)), own)
    assert 10 * left < stepping.curves["residual_mev_per_atom"] > 20, (left, stepping)
    assert made.made > before  # the key of a label knows its mesh


@pytest.mark.qe
def test_silicon_by_plane_waves_through_the_queue(tmp_path: Path) -> None:
    """LDA at a low cutoff: a bulk modulus of silicon, and labels that are there the second time."""
    dft = Dft(
        engine="quantum_espresso", functional="lda", pseudo_library="gth", ecutwfc_ry=24, kspacing_per_angstrom=0.45
    )
    settings = Validation(properties=("eos",), eos_volumes=5, relax_force_ev_per_angstrom=0.05)
    crystal = Subject(Crystal.of(bulk("Si", a=5.4), 0.01), None, "here")

    def measured() -> tuple[EngineLabels, Measured]:
        engine = EngineLabels(
            make_engine(["Si"], dft, Labels()), dft, Labels(), tmp_path / "labels", tmp_path / "failed"
        )
        model = Model("quantum_espresso", engine.engine.settings_hash, engine, False, engine.take_doubts)
        battery = Battery(crystal, ("Si",), settings, tmp_path, Stopper())
        return engine, battery.measure(model, ["cell", "eos"])["eos"]

    first, found = measured()
    assert 75 < found.values["bulk_modulus"] < 120 and first.made >= 6, found
    for path in tmp_path.glob("quantum_espresso-*/*.json"):
        path.unlink()
    again, same = measured()
    assert (again.made, same.values) == (0, found.values)
