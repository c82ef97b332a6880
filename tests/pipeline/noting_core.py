"""Stands in for the core where a test is about what reaches a verb: notes its words and settings, leaves its files.

``noting_core.py NOTES -P -m gibbsflow.cli.PROGRAM VERB ...``; each call adds a line of JSON to the file NOTES. What is
asked before all tasks is answered by the core itself, unless NOTING_LAUNCH holds an exit code.
"""

import json
import os
import shutil
import sys
from pathlib import Path

notes, words = Path(sys.argv[1]), sys.argv[2:]
program = words[words.index("-m") + 1].split(".")[-1]
verb, *options = words[words.index("-m") + 2 :]
if verb == "launch" and program == "gibbsflow":
    if code := int(os.environ.get("NOTING_LAUNCH", "0")):
        sys.exit(code)
    os.execv(sys.executable, [sys.executable, *words])

given: dict[str, list[str]] = {}
for option, value in zip(options, [*options[1:], ""], strict=True):
    if option.startswith("--"):
        given.setdefault(option, []).append(value)
settings = given.get("--config", ["none"])[0]
content = Path(settings).read_text() if settings.endswith(".json") and Path(settings).exists() else "null"
note = {"program": program, "verb": verb, "options": given, "settings": json.loads(content), "words": options}
note["beside"] = sorted(path.name for path in Path().iterdir())
note["seen"] = {value: Path(value).read_text(errors="replace") for value in options if Path(value).is_file()}
with open(notes, "a") as file:
    file.write(json.dumps(note) + "\n")

SYSTEM = {"system.json": {"name": "x", "artifacts": {}, "meta": {}}}
EDGE = {"name": "m0~m1", "ligand_a": "m0", "ligand_b": "m1", "pairs": [[0, 0]]}
LEG = {"states": [{}, {}], "fe": {"sampler": "exchange"}}
CHECKPOINT = {"generation": 0, "stopped_by": "", "reason": "", "history": []}
FILES: dict[tuple[str, str], dict[str, object]] = {
    **dict.fromkeys(
        [("system_prep", "system"), ("param", "ligand"), *(("equil", v) for v in ("prepare", "run", "analyse"))], SYSTEM
    ),
    ("gibbsflow", "network"): {} if "--before" in given else {"edges/m0~m1/edge.json": EDGE},
    ("fe", "prepare"): SYSTEM | {"legs/complex/leg.json": LEG, "legs/solvent/leg.json": LEG},
    ("analysis", "transformation"): {"record.json": {}},
    ("analysis", "campaign"): {"results.csv": "transformation,status\n", "report.html": "", "manifest.json": {}},
    ("train", "config"): {
        "config.json": {
            "training": {}, "loop": {"seed": 7},
            "surrogate": {"model": "classical" if "--surrogate" in given else "none"},
        },
    },
    ("system_prep", "structures"): {"structures.extxyz": ""},
    ("infer", "start"): {
        "batches/batch_000.extxyz": "", "trajectories/trajectory_00.extxyz": "",
        "trajectories/trajectory_00.json": {"seed": 1}, "checkpoint.json": CHECKPOINT,
    },
    ("dft", "label"): {"labels.jsonl": ""},
    ("infer", "record"): {"dataset/train.extxyz": "", "dataset/holdout.extxyz": ""},
    ("train", "fit"): {"potential/coefficients.pod": ""},
    ("infer", "decide"): {"checkpoint.json": CHECKPOINT | {"generation": 1, "stopped_by": "planned"}},
    ("infer", "report"): {"checkpoint.json": CHECKPOINT | {"stopped_by": "planned"}, "report.html": ""},
}  # fmt: skip
if "--out" in given:
    result = {"status": "finished", "versions": {"stand-in": "1"}}
    for name, inside in {**FILES.get((program, verb), {}), "result.json": result}.items():
        path = Path(given["--out"][0]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(inside if isinstance(inside, str) else json.dumps(inside))
    if (program, verb) == ("infer", "screen"):
        shutil.copytree(given["--from"][0], given["--out"][0], dirs_exist_ok=True)
    if (program, verb) == ("gibbsflow", "network"):
        (Path(given["--out"][0]) / "edges").mkdir(exist_ok=True)
