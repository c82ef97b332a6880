"""Campaigns in which every name and text could run something: nothing is run, and what was given is what is computed.

The verbs are stood in for by ``noting_core.py``, which the scripts of all processes start; containers and SLURM by
programs that note their words and run what they are given.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ase.build import bulk
from ase.io import write
from pipeline import hostile
from pipeline.launcher import REPO, Launcher, Run
from rdkit.Chem import AllChem

DOCKER = """#!/bin/bash
[[ $1 == run ]] || exit 0
printf '%s\\n' "$@" >> '{home}/docker'
for ((i = 1; i <= $#; i++)); do [[ ${{!i}} == reg.example/* ]] && break; done
shift "$i"
cd "$NXF_TASK_WORKDIR" && exec "$@"
"""
APPTAINER = """#!/bin/bash
printf '%s\\n' "$@" >> '{home}/apptainer'
export NXF_TASK_WORKDIR=$APPTAINERENV_NXF_TASK_WORKDIR GIBBSFLOW_PYTHON={home}/programs/python
for ((i = 1; i <= $#; i++)); do [[ ${{!i}} == *.sif ]] && break; done
shift "$i"
exec "$@"
"""
SBATCH = """#!/bin/bash
grep '^#SBATCH' "$1" >> '{home}/sbatch'
setsid bash "$1" > .command.log 2>&1 < /dev/null &
echo "Submitted batch job $$"
"""
PYTHON = f"""#!/bin/sh
exec {sys.executable} {REPO}/tests/pipeline/noting_core.py '{{home}}/verbs' "$@"
"""
VALID = {
    "queue": "long", "account": "me", "qos": "high", "queue_time": "30min", "submit_rate": "100/1sec",
    "poll_interval": "1sec", "cluster_options": "--comment='a b' --constraint=x&y|z*[1-2] -x n1", "gpu_options": "-G 1",
    "registry": "reg.example/group", "image_version": "0.1.0", "campaign": "one",
    "boresch_atoms": "A:1:O5',A:2:CA,A:*:N+,C1,C2,C3", "legs_per_gpu": "auto",
    "email": "me@example.org", "hook_url": "http://127.0.0.1:9/x", "max_memory": "8.GB", "max_time": "100.h",
    **dict.fromkeys(("image_core", "image_cuda", "image_md", "image_ml", "image_dft")),
}  # fmt: skip
"""Texts of what is written into scripts as it is, and so has a pattern."""


class Campaign:
    """A campaign in a folder of a name of its own, and what its verbs, containers and jobs were told."""

    def __init__(self, home: Path, name: str, repo: Path = REPO) -> None:
        self.home, self.folder, self.repo = home, home / name, repo
        self.folder.mkdir()
        (home / "programs").mkdir()
        texts = {"docker": DOCKER, "apptainer": APPTAINER, "sbatch": SBATCH, "squeue": "#!/bin/sh\n", "python": PYTHON}
        for program, text in texts.items():
            (home / "programs" / program).write_text(text.format(home=home))
            (home / "programs" / program).chmod(0o755)

    def run(self, params: dict[str, Any], *arguments: str, **more: str) -> Run:
        """Run with these parameters, whatever is in them; what they would have run is searched for."""
        start = Launcher(self.folder)
        start.repo = self.repo
        (self.folder / "params.json").write_text(json.dumps(params))
        environment = {
            "PATH": f"{self.home / 'programs'}:{os.environ['PATH']}",
            "GIBBSFLOW_PYTHON": str(self.home / "programs" / "python"),
            "GIBBSFLOW_HOME": os.environ.get("GIBBSFLOW_HOME", str(REPO / ".gibbsflow")),
            "LC_ALL": "C",
        }
        given = ("-params-file", "params.json", *arguments)
        run = start("run", str(self.repo / "main.nf"), *given, **(environment | more))
        run = replace(run, outdir=self.folder / params.get("outdir", "results"))
        assert hostile.markers(self.home) == [], run.text
        return run

    def verbs(self, *name: str) -> list[dict[str, Any]]:
        """Notes of all calls of a verb, by the folders that they leave."""
        notes = [json.loads(line) for line in (self.home / "verbs").read_text().splitlines()]
        return sorted((n for n in notes if (n["program"], n["verb"]) == name), key=lambda n: n["words"][-1])

    def told(self, program: str) -> list[str]:
        """Lines that a program has noted."""
        return (self.home / program).read_text().splitlines()

    def samplesheet(self, folder: str, names: Sequence[str], *columns: str) -> Path:
        """A samplesheet and the files that it names; each is of a molecule whose title says row and column."""
        home = self.folder / folder
        home.mkdir()
        rows = [["ligand", *columns, *(["pose"] if "pose" not in columns else [])]]
        for number, name in enumerate(names):
            files = [f"{column[0]}{name}.sdf" for column in columns]
            for column, file in zip(columns, files, strict=True):
                (home / file).write_text(molecule(f"{column} {number}"))
            rows.append([f"m{number}", *files, *(["place"] if "pose" not in columns else [])])
        with open(home / "lig[1].csv", "w", newline="") as file:
            csv.writer(file).writerows(rows)
        return home / "lig[1].csv"


def molecule(title: str) -> str:
    """A molecule with coordinates as SDF."""
    atoms = AllChem.AddHs(AllChem.MolFromSmiles("OC12CC3CC(CC(C3)C1)C2"))
    AllChem.EmbedMolecule(atoms, randomSeed=1)
    atoms.SetProp("_Name", title)
    return AllChem.MolToMolBlock(atoms) + "$$$$\n"


def copied_project(folder: Path) -> Path:
    """The project in another folder."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        if (REPO / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPO / name, folder / name)
    return folder


def every_text(**paths: str) -> dict[str, Any]:
    """A value for every parameter that takes text; free ones get hostile texts, other ones each."""
    words = itertools.cycle(hostile.WORDS)
    values = {key: f"{next(words)}{next(words)}".strip() for key in hostile.free_texts()} | VALID | paths
    texts = {key for key, item in hostile.parameters().items() if item["type"] == "string" and "enum" not in item}
    assert texts == set(values) & texts, f"what may stand in {texts - set(values)}, and where does it go?"
    return {key: value for key, value in values.items() if value is not None}


def test_binding_with_folders_and_files_of_any_name(tmp_path: Path) -> None:
    """Project, launch and work folder, results, state and inputs, checked by the core, on this machine."""
    project = copied_project(tmp_path / "a b's é" / "project")
    own = Campaign(tmp_path, "it's [1] é;(&)", project)
    names = [f"-$(touch {hostile.MARKER})`touch {hostile.MARKER}`", f"{{a,b}}*?[1]'; touch {hostile.MARKER} \\\" #~"]
    sheet = own.samplesheet("br[1]", names, "structure")
    for name, other in (("br1", "lig1.csv"), ("gx3", "$HOME cb7.sdf")):  # what patterns would find
        (own.folder / name).mkdir()
        (own.folder / name / other).write_text("of another")
    (own.folder / "g*3").mkdir()
    shutil.copy(REPO / "assets/demo/cb7.sdf", own.folder / "g*3" / "$HOME cb7.sdf")
    schedules = {}
    for leg, restrained in (("complex", 1), ("solvent", 0)):
        schedules[f"{leg}_schedule"] = f"g*3/{leg} {{a,b}} $(touch {hostile.MARKER}).yaml"
        states = [[0, 1, 1], [restrained, 1, 1], [restrained, 0, 1], [restrained, 0, 0]][1 - restrained :]
        (own.folder / schedules[f"{leg}_schedule"]).write_text(f"states: {states}\n")
    folders = {
        "outdir": f"o'ut \"$(touch {hostile.MARKER})\" {{a,b}}*[1]",
        "state_dir": f"s'; touch {hostile.MARKER}; `x` $HOME",
        "param_cache": f"-c && touch {hostile.MARKER} * #",
    }  # fmt: skip
    params = {"input": "br[1]/lig[1].csv", "receptor": "g*3/$HOME cb7.sdf", "replicates": 1, "window_ps": 20}
    run = own.run(params | schedules | folders)
    assert run.code == 0, run.text
    out = own.folder / folders["outdir"]
    assert (out / "report.html").exists() and "no such" not in run.text and str(out / "report.html") in run.text

    state = own.folder / folders["state_dir"] / folders["outdir"] / "$HOME cb7"
    prepared = own.verbs("system_prep", "system")
    assert [note["options"]["--ligand"] for note in prepared] == [["m0"], ["m1"]]
    for number, note in enumerate(prepared):
        seen = [note["seen"][note["options"][option][0]] for option in ("--structure", "--receptor")]
        assert seen[0].startswith(f"structure {number}\n") and seen[1] == (REPO / "assets/demo/cb7.sdf").read_text()
        assert note["options"]["--state"] == [str(state / f"m{number}" / "system_prep")]
    assert own.verbs("param", "ligand")[0]["options"]["--cache"] == [str(own.folder / folders["param_cache"])]
    for note in own.verbs("fe", "prepare"):
        named = [note["settings"]["fe"][key] for key in schedules]
        assert len(set(named)) == 2 and {name.split("/")[0] for name in named} <= set(note["beside"])
    (table,) = own.verbs("analysis", "campaign")
    assert table["seen"][table["options"]["--input"][0]] == sheet.read_text() and len(table["options"]["--record"]) == 2
    assert len(own.verbs("fe", "run")) == 4 and own.verbs("gibbsflow", "crate")[0]["words"] == [str(out)]


def test_binding_with_every_text_in_containers_and_without_a_core(tmp_path: Path) -> None:
    """No core refuses what is not understood, so that all of it reaches the verbs."""
    own = Campaign(tmp_path, "it's é")
    words = [word for word in hostile.WORDS if '"' not in word]  # which Nextflow's own reader of CSV takes for no value
    names = ["".join(words[number::6]) for number in range(6)]
    sheet = own.samplesheet("br[1]", names, "structure", "pose")
    files = {"receptor": "g*3/h;touch x.sdf", "protonation": "p$(x).csv", "parameters": "b;[1].lib, a b'.mol2"} | {
        "equil_stages": f"s [1]'$(touch {hostile.MARKER}).yaml"
    }
    (own.folder / "g*3").mkdir()
    for name in (
        *(files[key] for key in ("receptor", "protonation", "equil_stages")),
        *files["parameters"].split(", "),
    ):
        (own.folder / name).write_text(name)
    (own.folder / f"site [1] $(touch {hostile.MARKER}).config").write_text("params.seed = 11\n")
    paths = files | {
        "input": str(sheet), "config": "none;.yaml", "resume_from": "none $(x)", "outdir": "o$(x)'`y`",
        "state_dir": f"s\"'; touch {hostile.MARKER}; $HOME", "param_cache": "c*{a;b}",
        "site_config": f"site [1] $(touch {hostile.MARKER}).config",
    }  # fmt: skip
    params = every_text(**paths)
    run = own.run(params | {"mode": "md"}, "-profile", "docker", NOTING_LAUNCH="127")
    assert run.code == 0, run.text
    prepared = own.verbs("system_prep", "system")
    assert len(prepared) == len(names)
    for number, note in enumerate(prepared):
        seen = [note["seen"][note["options"][option][0]].split("\n")[0] for option in ("--structure", "--pose")]
        assert seen == [f"structure {number}", f"pose {number}"]
        assert note["seen"][note["options"]["--receptor"][0]] == files["receptor"]
    texts = {"site", "altloc", "keep"}
    assert {key: prepared[0]["settings"]["system"][key] for key in texts} == {key: params[key] for key in texts}
    told = own.told("docker")
    folders = [str(own.folder / params[key]) for key in ("state_dir", "param_cache")]
    assert all(f"{folder}:{folder}" in told for folder in folders)
    assert told.count("reg.example/group/gibbsflow-core:0.1.0") == len(run.trace) == 5 * len(names) + 1


def test_a_network_with_files_of_any_name(tmp_path: Path) -> None:
    """Files of network and maps, both of one name, go with their tasks; an edge has its two ends."""
    own = Campaign(tmp_path, "it's [2] é;(&)")
    own.samplesheet("br[1]", ["a", "b"], "structure", "pose")
    (own.folder / "g*3").mkdir()
    (own.folder / "h.sdf").write_text("host")
    name = f"n [1]'$(touch {hostile.MARKER}) {{a,b}}.json"
    files = {"network": name, "map": f"g*3/{name}"}
    for key, file in files.items():
        (own.folder / file).write_text(key)
    anchor = f"a'; touch {hostile.MARKER} #"
    params = {"mode": "rbfe", "input": "br[1]/lig[1].csv", "receptor": "h.sdf", "replicates": 1, "anchor": anchor}
    run = own.run(params | files | {"outdir": "o", "hub": "`x` $HOME"}, NOTING_LAUNCH="127")
    assert run.code == 0, run.text
    plans = own.verbs("gibbsflow", "network")
    assert [note["words"][0] for note in plans] == ["edges", "edges"]
    first, again = plans
    assert "--before" in again["options"] and "--record" in again["options"] and "--before" not in first["options"]
    for note in plans:
        relative = note["settings"]["relative"]
        assert relative["hub"] == "`x` $HOME" and relative["network"] != relative["map"]
        assert len(note["options"]["--system"]) == 2 and any(path.startswith("given") for path in note["beside"])
    (prepared,) = own.verbs("fe", "prepare")
    assert prepared["options"]["--edge"] == ["m0~m1"] and "--partner" in prepared["options"]
    (table,) = own.verbs("analysis", "campaign")
    assert table["settings"]["relative"]["anchor"] == anchor and len(table["options"]["--record"]) == 1


def test_jobs_of_slurm_in_containers_are_told_what_was_given(tmp_path: Path) -> None:
    own = Campaign(tmp_path, "cluster")
    own.samplesheet("br[1]", ["'; x"], "structure")
    shutil.copy(REPO / "assets/demo/cb7.sdf", own.folder / "h.sdf")
    image = tmp_path / "core.sif"
    image.touch()
    folders = {"outdir": f"o'ut;touch {hostile.MARKER}", "state_dir": "s '*; é", "param_cache": None}
    given = every_text(
        input="br[1]/lig[1].csv", receptor="h.sdf", config="none.yaml", resume_from=None, site_config=None,
        protonation=None, parameters=None, equil_stages=None, image_core=str(image), **folders,
    )  # fmt: skip
    run = own.run(given | {"mode": "md"}, "-profile", "slurm,apptainer", NOTING_LAUNCH="127")
    assert run.code == 0, run.text
    (prepared,) = own.verbs("system_prep", "system")
    assert prepared["options"]["--state"] == [str(own.folder / "s '*; é" / "one" / "h" / "m0" / "system_prep")]
    options = [line.removeprefix("#SBATCH ") for line in own.told("sbatch")]
    more = [line for line in options if line.startswith("--account")]
    assert len(more) == options.count("-p long") == len(run.trace) == 6
    for line in more:
        assert line.startswith("--account=me --qos=high --signal=") and line.endswith(" " + VALID["cluster_options"])
    state = str(own.folder / "s '*; é")
    assert f"{state}:{state}" in own.told("apptainer")


def test_a_potential_with_folders_and_files_of_any_name(tmp_path: Path) -> None:
    own = Campaign(tmp_path, "g*3 'é")
    home = own.folder / "br[1]"
    (home / "cells").mkdir(parents=True)
    cell, settings = f"s [1]'$(touch {hostile.MARKER}).cif", f"si {{a,b}};touch {hostile.MARKER};.yaml"
    write(home / "cells" / cell, bulk("Si", cubic=True))
    pair_file = f"Si {{1985}} '`touch {hostile.MARKER}`*.sw"
    (home / "cells" / pair_file).write_text(hostile.STILLINGER_WEBER)
    surrogate = {"model": "classical", "pair_style": "sw", "pair_file": f"cells/{pair_file}"}
    given = {"elements": ["Si"], "structure": f"cells/{cell}", "engine": "tblite", "surrogate": surrogate}
    (home / settings).write_text(json.dumps(given))
    params = {"mode": "potential", "config": f"br[1]/{settings}", "outdir": "o'ut*", "state_dir": "s $(x)"}
    run = own.run(params)
    assert run.code == 0, run.text
    assert (own.folder / "o'ut*" / "report.html").exists()
    (expanded,) = own.verbs("train", "config")
    seen = [expanded["seen"][expanded["options"][option][0]] for option in ("--expand", "--structure", "--surrogate")]
    assert seen == [(home / settings).read_text(), (home / "cells" / cell).read_text(), hostile.STILLINGER_WEBER]
    state = own.folder / "s $(x)" / "o'ut*"
    for screened in (looks := own.verbs("infer", "screen")):
        assert screened["seen"][screened["options"]["--surrogate"][0]] == hostile.STILLINGER_WEBER
        assert screened["options"]["--state"] == [str(state / "screening")]
    assert len(looks) == 2
    assert own.verbs("dft", "label")[0]["options"]["--state"] == [str(state / "labels")]
    assert own.verbs("train", "fit")[0]["options"]["--seed"] == ["7"]

    earlier = own.folder / f"of {{a,b}} `touch {hostile.MARKER}`" / "generation_00 [x]"
    (earlier / "batches").mkdir(parents=True)
    (earlier / "checkpoint.json").write_text("{}")
    shutil.rmtree(state)
    run = own.run(params | {"resume_from": str(earlier.relative_to(own.folder))}, "-resume")
    assert run.code == 0, run.text
    (_, begun) = own.verbs("infer", "start")
    assert begun["words"][begun["words"].index("--from") + 1] == "generation_00 %5Bx%5D"

    (earlier / "batches" / f"$(touch {hostile.MARKER}).extxyz").touch()
    run = own.run(params | {"resume_from": str(earlier)})
    assert run.code != 0 and run.submitted == 0
    assert "a batch is called '$(touch" in run.text and "right: letters, digits" in run.text


def test_a_work_folder_that_no_script_can_name_is_refused(tmp_path: Path) -> None:
    own = Campaign(tmp_path, "here")
    run = own.run({"mode": "md"}, "-work-dir", f"w$(touch {hostile.MARKER})", "-profile", "test")
    assert run.code != 0 and run.submitted == 0 and "\tat " not in run.text
    assert "the work folder" in run.text and "(right: -work-dir FOLDER" in run.text
