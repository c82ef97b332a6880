"""``ro-crate-metadata.json``: a finished run as a Workflow Run RO-Crate, readable without gibbsflow.

RO-Crate 1.1 (Soiland-Reyes et al., Data Science 5, 97 (2022), doi:10.3233/DS-210053) with the profiles Process Run
Crate 0.5, Workflow Run Crate 0.5 (Leo et al., PLoS ONE 19, e0309210 (2024)) and Workflow RO-Crate 1.0. It is made from
what a run leaves: ``pipeline_info/run.json``, ``pipeline_info/versions.yml`` and ``manifest.json``.
"""

from __future__ import annotations

import mimetypes
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gibbsflow.config.modes import MODES
from gibbsflow.errors import InputError, Problem, one_line
from gibbsflow.version import __version__
from gibbsflow.workflow.artifacts import FILE_NAME as MANIFEST
from gibbsflow.workflow.artifacts import Artifact, ArtifactStore
from gibbsflow.workflow.credentials import without_passwords
from gibbsflow.workflow.files import read_json, within, write_json
from gibbsflow.workflow.input_files import SETTINGS_BYTES, read_text

FILE_NAME = "ro-crate-metadata.json"
INFO = Path("pipeline_info")
RUN = INFO / "run.json"
CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
_WORKFLOW = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_LICENCE = "https://spdx.org/licenses/MIT"
_ENCODINGS = {
    ".parquet": "application/vnd.apache.parquet", ".extxyz": "text/plain", ".md": "text/markdown", ".yml": "text/yaml",
    ".yaml": "text/yaml", ".sdf": "chemical/x-mdl-sdfile", ".mol2": "chemical/x-mol2", ".pdb": "chemical/x-pdb",
    ".mmd": "text/plain", ".nf": "text/plain",
}  # fmt: skip
_TYPES = {bool: "Boolean", int: "Integer", float: "Float", str: "Text"}
Entity = dict[str, Any]


def write_crate(outdir: Path) -> Path:
    """Write the crate's metadata into a run's results; inputs and the workflow's main file are copied beside them.

    Parameters
    ----------
    outdir
        Results of a run of the pipeline.

    Returns
    -------
    Path
        The metadata.

    Raises
    ------
    InputError
        Where the folder holds no run, or links that lead out of it: a crate is whole.
    StateError
        For records that cannot be read.
    """
    outdir = Path(outdir)
    if not (outdir / RUN).exists():
        right = "the --outdir of a run of the pipeline"
        raise InputError(Problem(str(outdir), f"holds no {RUN}", right, field="outdir"))
    try:
        graph = _graph(outdir, read_json(outdir / RUN))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"damaged, or of another version ({type(error).__name__}: {one_line(str(error))})"
        raise InputError(Problem(str(outdir / RUN), what, "as a run of the pipeline leaves it")) from error
    write_json(outdir / FILE_NAME, {"@context": CONTEXT, "@graph": graph})
    return outdir / FILE_NAME


def _graph(outdir: Path, run: Mapping[str, Any]) -> list[Entity]:
    main = _copied(outdir, Path(run["workflow"]["main"]), "workflow")
    inputs = {key: _copied(outdir, Path(path), "inputs") for key, path in run["inputs"].items()}
    workflow = _workflow(outdir, main, run)
    results = list(_results(outdir))
    files = [_file(outdir, path) for path in {*inputs.values()}] + results
    records = [_file(outdir, path.relative_to(outdir)) for path in sorted((outdir / INFO).iterdir()) if path.is_file()]
    parameters = list(_parameters(run["parameters"], inputs))
    software = list(_software(outdir))
    workflow[0]["softwareRequirements"] = [_ref(entity) for entity in software]
    workflow[0]["input"] = [_ref(entity) for entity in parameters if entity["@type"] == "FormalParameter"]
    given = {key: _id(path) for key, path in inputs.items()}
    action = _action(run, main, [*({"@id": name} for name in given.values()), *map(_ref, _values(parameters))])
    action["result"] = [_ref(entity) for entity in results]
    for key, name in given.items():
        next(entity for entity in files if entity["@id"] == name).setdefault("exampleOfWork", {"@id": f"#param/{key}"})
    parts = [workflow[0], *files, *records]
    return [*_root(run, parts, action), *workflow, *files, *records, action, *parameters, *software]


def _root(run: Mapping[str, Any], parts: list[Entity], action: Entity) -> Iterator[Entity]:
    stub = " Its tasks were stubs: nothing was computed." if run["stub"] else ""
    profiles = [{"@id": name} for name in PROFILES]
    yield {
        "@id": FILE_NAME,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": [{"@id": "https://w3id.org/ro/crate/1.1"}, profiles[-1]],
    }
    yield {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Results of the gibbsflow run {run['name']}",
        "description": f"{MODES[run['parameters']['mode']].results}, computed by gibbsflow {__version__}.{stub}",
        "datePublished": _time(run["complete"]),
        "license": {"@id": "#terms"},
        "conformsTo": profiles,
        "exampleOfWork": parts[0]["output"],
        "mainEntity": _ref(parts[0]),
        "mentions": _ref(action),
        "hasPart": [_ref(part) for part in parts],
    }
    yield {
        "@id": "#terms",
        "@type": "CreativeWork",
        "name": "No licence stated",
        "description": "The results belong to whoever made the run; gibbsflow states no terms for them.",
    }
    for name, (title, version) in PROFILES.items():
        yield {"@id": name, "@type": "CreativeWork", "name": title, "version": version}


def _workflow(outdir: Path, main: Path, run: Mapping[str, Any]) -> list[Entity]:
    about = run["workflow"]
    results = {"@id": "#output/results", "@type": "FormalParameter", "name": "results", "additionalType": "Dataset"}
    return [
        _file(outdir, main)
        | {
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": about["name"],
            "description": about["description"],
            "version": about["version"],
            "license": _LICENCE,
            "conformsTo": {"@id": _WORKFLOW},
            "programmingLanguage": {"@id": "#nextflow"},
            "output": _ref(results),
            **({"identifier": about["revision"]} if about.get("revision") else {}),
        },
        results | {"conformsTo": {"@id": _PARAMETER}, "description": "Tables, report, figures and records"},
        {
            "@id": "#nextflow",
            "@type": "ComputerLanguage",
            "name": "Nextflow",
            "url": {"@id": "https://www.nextflow.io/"},
            "identifier": {"@id": "https://www.nextflow.io/"},
            "version": run["nextflow"],
        },
    ]


def _action(run: Mapping[str, Any], main: Path, objects: list[Entity]) -> Entity:
    return {
        "@id": f"#run/{run['session']}",
        "@type": "CreateAction",
        "name": f"Nextflow run {run['name']}",
        "description": without_passwords(run["command"]),
        "startTime": _time(run["start"]),
        "endTime": _time(run["complete"]),
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "instrument": {"@id": _id(main)},
        "object": objects,
    }


def _time(stamp: str) -> str:
    """Return a time of Nextflow's, in nanoseconds, to the millisecond: the profiles take no finer one."""
    return datetime.fromisoformat(stamp).isoformat(timespec="milliseconds")


def _parameters(values: Mapping[str, Any], inputs: Mapping[str, Path]) -> Iterator[Entity]:
    """What the workflow takes, and the values that it was given; files stand for themselves."""
    for key, value in values.items():
        kind = "File" if key in inputs else _TYPES.get(type(value), "Text")
        yield {
            "@id": f"#param/{key}",
            "@type": "FormalParameter",
            "name": key,
            "additionalType": kind,
            "valueRequired": key in inputs,
            "conformsTo": {"@id": _PARAMETER},
        }
        if key not in inputs:
            yield {
                "@id": f"#value/{key}",
                "@type": "PropertyValue",
                "name": key,
                "value": without_passwords(value) if isinstance(value, str) else value,
                "exampleOfWork": {"@id": f"#param/{key}"},
            }


def _values(parameters: list[Entity]) -> list[Entity]:
    return [entity for entity in parameters if entity["@type"] == "PropertyValue"]


def _software(outdir: Path) -> Iterator[Entity]:
    path = outdir / INFO / "versions.yml"
    text = read_text(path, "versions of programs", SETTINGS_BYTES) if path.exists() else ""
    # a process has as many blocks as versions took part
    found = sorted(set(re.findall(r"^  (\S+): '?([^'\n]*)'?$", text, re.MULTILINE)))
    for tool, version in found:
        name = f"#software/{quote(tool)}/{quote(version)}"
        yield {"@id": name, "@type": "SoftwareApplication", "name": tool, "softwareVersion": version}


def _results(outdir: Path) -> Iterator[Entity]:
    if not (outdir / MANIFEST).exists():
        return
    for artifact in ArtifactStore(outdir).list_artifacts():
        if (outdir / artifact.path).exists():
            yield _artifact(outdir, artifact)
    yield _file(outdir, Path(MANIFEST)) | {"name": "manifest"}


def _artifact(outdir: Path, artifact: Artifact) -> Entity:
    entity = _file(outdir, Path(artifact.path)) | {"name": artifact.name}
    if entity["@type"] == "File":
        entity["sha256"] = artifact.sha256
    return entity


def _file(outdir: Path, path: Path) -> Entity:
    """Entity of a file or folder, by its path below the crate."""
    full = outdir / path
    out = next((p for p in (full, *full.rglob("*")) if not p.resolve().is_relative_to(outdir.resolve())), None)
    if out is not None:
        right = "the file itself: --publish_dir_mode copy"
        raise InputError(Problem(str(out), f"a link that leads out of the results, to {out.resolve()}", right))
    entity: Entity = {"@id": _id(path), "@type": "File", "name": path.name}
    if full.is_dir():
        return {**entity, "@id": _id(path) + "/", "@type": "Dataset"}
    encoding = _ENCODINGS.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0]
    return entity | ({"encodingFormat": encoding} if encoding else {})


def _copied(outdir: Path, path: Path, folder: str) -> Path:
    """Copy a file that lies outside the crate into it; returns its path there.

    Raises
    ------
    InputError
        Where it is gone.
    """
    relative = INFO / folder / path.name
    if not path.is_file() and not (outdir / relative).is_file():
        raise InputError(Problem(str(outdir / RUN), f"names {path}, which is gone", "the file in its place"))
    if path.is_file():
        within(outdir, str(relative.parent)).mkdir(parents=True, exist_ok=True)
        (outdir / relative).unlink(missing_ok=True)  # not through a link
        shutil.copyfile(path, outdir / relative)
    return relative


def _id(path: Path) -> str:
    return quote(path.as_posix())


def _ref(entity: Mapping[str, Any]) -> Entity:
    return {"@id": entity["@id"]}
