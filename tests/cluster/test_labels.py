"""Labels of a potential as SLURM jobs: Quantum ESPRESSO in the image dft, all else of the loop in the image ml."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml
from cluster.campaign import REPO, Campaign

# one generation of the demo, of as few structures as make one
FEW = {
    "generator": {"volume_steps": 3, "cell_strain_count": 1, "rattle_count": 4, "thermal_count": 2},
    "labels": {"batch_size": 5},
    "training": {"cutoff_angstrom": 4.5, "max_coefficients": 70, "time_budget_min": 1, "processes": 1},
    "exploration": {"steps": 100, "segment_steps": 50, "grade_interval": 10},
    "selection": {"budget": 3},
    "loop": {"trajectories": 2, "initial_labels": 10, "holdout_labels": 4},
    "convergence": {"max_generations": 1},
}


@pytest.mark.cluster
def test_labels_of_the_demo(campaign: Callable[..., Campaign]) -> None:
    made = campaign("labels")
    settings = yaml.safe_load((REPO / "assets/demo-potential/si.yaml").read_text())
    settings["dft"] |= {"ecutwfc_ry": 10, "ecutrho_ry": 40, "kspacing_per_angstrom": 1.2}
    (made.folder / "si.yaml").write_text(yaml.safe_dump({**settings, **FEW}))
    code = made.run("-profile", "slurm,apptainer", "--mode", "potential", "--config", "si.yaml")
    assert code == 0, made.log.read_text()
    assert {job.state for job in made.jobs()} == {"COMPLETED"} and len(made.jobs("DFT_LABEL")) == 3
    versions = (made.folder / "out/pipeline_info/versions.yml").read_text()
    labelled = yaml.safe_load(versions)["DFT_LABEL"]
    assert any("espresso" in program or program == "pw.x" for program in labelled), labelled
    assert (made.folder / "out/potential").is_dir()
