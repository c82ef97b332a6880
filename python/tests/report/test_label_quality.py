from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import yaml
from ase.build import bulk
from audited_labels import database, displaced

from gibbsflow.config.potential import Audit, Labels
from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.data.labels import LabelResult
from gibbsflow.potential.label.convergence.ladders import Climbed, Errors, Rung
from gibbsflow.potential.label.convergence.settings_search import Converged
from gibbsflow.potential.validate.labels.label_audit import audit_labels
from gibbsflow.report.label_quality import write_audit, write_convergence
from gibbsflow.workflow.files import read_json


def test_an_audit_is_a_table_and_a_file(tmp_path: Path) -> None:
    frames = displaced(4)
    frames[1].calc.results["forces"][0] += 1.0
    found = audit_labels(database(tmp_path / "s.db", frames), Audit(), Labels())
    write_audit(found, found.figures(), tmp_path)
    with open(tmp_path / "audit.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["labelled", "held", "labelled", "labelled"]
    assert rows[1]["checks"] == "net_force" and "do not balance" in rows[1]["reasons"]
    content = read_json(tmp_path / "audit.json")
    assert content["held"] == 1 and len(content["rows"]) == 4
    assert (tmp_path / "audit.svg").exists() and (tmp_path / "audit.png").exists()


def converged() -> Converged:
    label = LabelResult("gf-1", "labelled", energy_ev=-1.0, forces_ev_per_angstrom=np.zeros((2, 3)).tolist())
    ladders = []
    cutoffs, spacings = ("ecutwfc_ry", (20.0, 24.0, 29.0)), ("kspacing_per_angstrom", (0.5, 0.4, 0.3))
    for name, (key, values) in (("cutoff", cutoffs), ("k points", spacings)):
        rungs = [Rung({key: value}, [label]) for value in values]
        ladders.append(Climbed(name, rungs, [Errors(0.0, 0.0, 0.0)] * 3, 0))
    chosen = {"ecutwfc_ry": 20.0, "kspacing_per_angstrom": 0.5}
    return Converged(chosen, ladders, Errors(0.5, 0.001, 0.01), {"ecutwfc_ry": 24.0})


def test_settings_can_be_run_with_and_keep_what_they_said(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    bulk("Si").write(tmp_path / "in" / "a b.cif")
    config = tmp_path / "in" / "si.yaml"
    config.write_text(
        "elements: [Si]\nstructure: a b.cif\nengine: quantum_espresso\ndft: {functional: lda, ecutwfc_ry: 99}\n"
    )
    out = tmp_path / "out"
    out.mkdir()
    write_convergence(converged(), Errors(1.0, 0.01, 0.1), config, out)
    text = (out / "settings.yaml").read_text()
    assert text.startswith("# Converged by dft converge") and "energy_mev_per_atom 0.5" in text
    read = PotentialConfig.expand(out / "settings.yaml")
    assert (read.dft.ecutwfc_ry, read.dft.kspacing_per_angstrom, read.dft.functional) == (20.0, 0.5, "lda")
    assert (out / read.target.structure_file).resolve() == (tmp_path / "in" / "a b.cif").resolve()
    with open(out / "convergence.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 and rows[0]["chosen"] == "true" or rows[0]["chosen"] == "True"
    assert read_json(out / "convergence.json")["stated"]["stress_gpa"] == 0.1


def test_without_settings_they_are_the_sections_alone(tmp_path: Path) -> None:
    write_convergence(converged(), Errors(1.0, 0.01, 0.1), None, tmp_path)
    assert yaml.safe_load((tmp_path / "settings.yaml").read_text()) == {"dft": converged().values}
