"""A helix in POPC with methanol at its end: equilibrated as ``--mode md`` does it, then a leg, killed and resumed."""

import json
import subprocess
import sys
import time

import bilayers
import numpy as np
import pytest
from gromacs_boxes import needs_gromacs

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.equilibrate.equil_analysis import analyse_equilibration
from gibbsflow.binding.equilibrate.equilibration import equilibrate
from gibbsflow.binding.facts import RunFacts, SettingsFacts, TopologyFacts
from gibbsflow.binding.forcefield.given.given_topologies import keep_parameters, md_of, topologies_of
from gibbsflow.binding.forcefield.given.solvated_system import take_solvated
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.config.binding import Equil, Fe, Md
from gibbsflow.report.figures.equilibration_figure import plot_equilibration
from gibbsflow.workflow.files import read_arrays
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.checkpoints import RollingCheckpoints
from gibbsflow.workflow.state.segments import Stopper

EQUIL = Equil(minimise_steps=150, heat_ps=0.2, density_ps=0.4, equil_ps=0.2, equil_segment_ps=0.2)
FE = Fe(window_ps=0.08, window_equil_ps=0.04, sample_ps=0.04, segment_ps=0.04)


@pytest.fixture(scope="module")
def equilibrated(tmp_path_factory):
    root = tmp_path_factory.mktemp("membrane")
    given = bilayers.files(bilayers.bilayer(3), "complex")
    system, _ = keep_parameters(take_solvated("moh", given, None, None, root / "system")[0], root / "kept")
    system = topologies_of(system, md_of(system, Md(cutoff_angstrom=8)), root / "built", seed=5, fe=Fe())
    md = system.facts(TopologyFacts).md
    system = system.with_facts(SettingsFacts(md=md, equil=EQUIL, run=RunFacts(seed=1)))
    with Stopper() as stopper:
        done = equilibrate(system, root / "state", root / "out", stopper, Result())
    done.write()
    return root, done


@pytest.mark.slow
def test_the_box_changes_by_height_and_area_and_the_bilayer_is_looked_at(equilibrated):
    root, system = equilibrated
    boxes = read_arrays(system.path("equil_frames"), "box_nm")["box_nm"]
    edges = np.diagonal(boxes, axis1=1, axis2=2)
    np.testing.assert_allclose(edges[:, 0], edges[:, 1], rtol=1e-6)
    change = edges[-1] / edges[0] - 1
    assert abs(change[0] - change[2]) > 1e-5  # each by itself
    result = Result()
    analysis = analyse_equilibration(system, root / "analysis", result, plot="equil.svg")
    plot_equilibration(root / "analysis" / "equil.svg", analysis)
    analysis.require_bound()  # at the membrane's face, where no more than a part of what surrounds it is receptor
    assert any("at the membrane's face" in str(note) for note in analysis.system.meta["account"]["notes"])
    found = result.figures["membrane"]
    assert found["lipids"] == {"PA-PC-OL": 9} and sum(found["leaflets"].values()) == 9
    assert found["waters_in_core"] == 0 and 35 < found["thickness_angstrom"] < 50
    assert "area per lipid" in (root / "analysis" / "equil.svg").read_text()
    assert any("lipids in the upper and" in str(doubt) for doubt in analysis.system.meta["account"]["notes"])


def made_leg(system, folder, engine="openmm", fe=FE):
    """A leg that takes methanol's charges, then methanol itself."""
    atoms, frames = system.facts(TopologyFacts), read_arrays(system.path("equil_frames"), "positions_nm", "box_nm")
    folder.mkdir()
    (folder / "complex.prmtop").write_bytes(system.path("complex_prmtop").read_bytes())
    np.savez(folder / "start.npz", positions_nm=frames["positions_nm"][-1:], box_nm=frames["box_nm"][-1:])
    leg = AlchemicalLeg(
        folder=folder, leg="complex", transformation="moh",
        states=(LambdaState(0, 1.0, 1.0), LambdaState(0, 0.0, 1.0), LambdaState(0, 0.0, 0.0)),
        topology="complex.prmtop", start="start.npz", ligand_atoms=atoms.ligand_atoms,
        receptor_atoms=atoms.receptor_atoms, restraint=None,
        md=atoms.md.model_copy(update={"timestep_fs": 2.0, "engine": engine}), fe=fe, seed=7, replicates=1,
    )  # fmt: skip
    leg.write()
    return leg


@needs_gromacs
@pytest.mark.slow
def test_gromacs_changes_area_and_height_each_by_itself(equilibrated, tmp_path):
    leg = made_leg(equilibrated[1], tmp_path / "leg", "gromacs", FE.model_copy(update={"sampler": "independent"}))
    result = Result()
    with Stopper() as stopper:
        sample_leg(leg, 0, (0,), tmp_path / "state", tmp_path / "out", stopper, result)
    assert result.figures["engine"] == "gromacs"
    (home,) = (path.parent for path in (tmp_path / "state").rglob("FINISHED"))
    hashed = json.loads((home / "FINISHED").read_text())["inputs_hash"]
    box = np.diag(RollingCheckpoints(home).load(hashed).arrays["box_nm"][0])
    change = box / np.diag(leg.starts_boxes_nm(0)[0]) - 1
    assert change[0] == pytest.approx(change[1], abs=1e-6) and abs(change[0] - change[2]) > 1e-5


@pytest.mark.slow
def test_a_leg_is_killed_and_goes_on_under_the_membranes_barostat(equilibrated, tmp_path):
    root, system = equilibrated
    leg = made_leg(system, tmp_path / "leg")
    args = ["run", "--leg", leg.folder, "--replicate", 0, "--state", tmp_path / "state", "--out", tmp_path / "out"]
    command = [sys.executable, "-c", "import gibbsflow.cli.fe as fe; fe.app()", *map(str, args)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 900
    begun = tmp_path / "state" / "checkpoint-current.bin"
    while not begun.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait(30)
    kept = (tmp_path / "state" / "segment-00000.npz").read_bytes()
    done = subprocess.run(command, capture_output=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "state" / "segment-00000.npz").read_bytes() == kept  # nothing is run again
    assert len(list((tmp_path / "out").glob("window_*.parquet"))) == 3
