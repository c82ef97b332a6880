"""Write what is derived from the settings: Nextflow's schema and defaults, the samplesheet's schema, the docs' tables.

``python -m gibbsflow.config.launch.generate [--check] [ROOT]``; a test holds the files against the schemas.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from gibbsflow.config.binding import Launch
from gibbsflow.config.launch import launch_form, samplesheet_columns
from gibbsflow.config.launch.parameters import accepted
from gibbsflow.config.modes import MODES
from gibbsflow.config.section import Section
from gibbsflow.version import __version__

REQUIRED = {
    key: tuple(mode for mode, row in MODES.items() if key in row.needs)
    for key in Launch.sections()["io"].model_fields
    if any(key in row.needs for row in MODES.values())
}
"""In which modes a parameter must be given."""
_FORMATS: dict[str, dict[str, Any]] = {
    "input": {"format": "file-path", "exists": True, "schema": "assets/schema_input.json"},
    "receptor": {"format": "file-path", "exists": True},
    "config": {"format": "file-path", "exists": True},
    "resume_from": {"format": "directory-path", "exists": True},
    "outdir": {"format": "directory-path"},
    "state_dir": {"format": "directory-path"},
    "param_cache": {"format": "directory-path"},
    "protonation": {"format": "file-path", "exists": True},
    "equil_stages": {"format": "file-path", "exists": True},
    "site_config": {"format": "file-path", "exists": True},
}
_KEYWORDS = ("type", "enum", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "default")


def _image(task: str) -> Any:
    return Field(
        None,
        description=f"Container image of {task}, in place of that of registry and version.",
        json_schema_extra={"hidden": True},
    )


def _memory(task: str, default: str) -> Any:
    return Field(
        None,
        description=f"Memory that {task} asks for at first; it doubles where it was short. Default: {default}.",
        gt=0,
        le=10_000,
        json_schema_extra={"unit": "GB"},
    )


def _said(what: str) -> Any:
    return Field(None, description=f"{what}.", json_schema_extra={"hidden": True})


class Nextflow(Section):
    """Settings of the Nextflow run alone; the core never sees them."""

    help: bool = Field(False, description="Print the usual parameters with units, ranges and defaults, and stop.")
    help_full: bool = Field(False, description="Print all parameters with units, ranges and defaults, and stop.")
    dry_run: bool = Field(
        False, description="Check everything, count tasks, estimate CPU and GPU hours, and stop: nothing is changed."
    )
    email: str | None = Field(None, description="Who gets a mail when the run has ended, with counts, costs and table.")
    hook_url: str | None = Field(
        None,
        description="Web hook that gets counts, costs and failures as JSON when the run has ended; an address that is "
        "a secret belongs into the environment, as GIBBSFLOW_HOOK_URL.",
    )
    windows_per_task: int = Field(
        1,
        description="λ windows that one task samples one after the other, with the independent sampler.",
        ge=1,
        le=1000,
    )
    time_limit_h: float = Field(
        720,
        description="Hours that a task may run over all its continuations; what is stopped after them is dropped.",
        gt=0,
        json_schema_extra={"unit": "h"},
    )
    publish_dir_mode: Literal["copy", "link", "symlink", "rellink", "move", "copyNoFollow"] = Field(
        "copy", description="How outputs get from the work directory to outdir."
    )
    registry: str | None = Field(
        None,
        description="Where container images come from, such as ghcr.io/group; default: those of make images.",
    )
    image_version: str = Field(
        __version__,
        description="Version of the container images, their tag.",
        json_schema_extra={"hidden": True},
    )
    image_core: str | None = _image("binding free energies")
    image_cuda: str | None = _image("MD on a GPU (--platform CUDA)")
    image_md: str | None = _image("MD where GROMACS may run it (--engine)")
    image_ml: str | None = _image("structures, training and exploration of potentials")
    image_dft: str | None = _image("labels of potentials")
    memory_gb: float | None = _memory("a task without another label", "1 GB")
    memory_md_gb: float | None = _memory("a task of MD", "by the system's size")
    memory_train_gb: float | None = _memory("a fit of a potential", "2 GB")
    memory_dft_gb: float | None = _memory("a batch of labels", "1 GB")
    site_config: Path | None = Field(None, description="Nextflow settings of your site, read after all others.")
    queue: str | None = Field(None, description="SLURM partition; default: the cluster's own.")
    queue_time: str | None = Field(
        None,
        description="Longest job that the queue takes, such as 30min or 24h; longer work runs as several jobs.",
        pattern=r"^\d+ ?(s|sec|m|min|h|hour|d|day)s?$",
    )
    account: str | None = Field(None, description="SLURM account that jobs are charged to.")
    qos: str | None = Field(None, description="SLURM quality of service.")
    cluster_options: str | None = Field(None, description="More options of sbatch for every job, as one text.")
    gpu_options: str = Field("--gres=gpu:1", description="Options of sbatch for jobs that need a GPU (profile gpu).")
    array_size: int = Field(
        0,
        description="Tasks of one kind that are submitted as one SLURM job array; 0: each as a job of its own.",
        ge=0,
        le=10_000,
    )
    queue_size: int = Field(100, description="Jobs that are queued or running at once.", ge=1, le=100_000)
    submit_rate: str = Field(
        "60/1min", description="Fastest rate of submissions.", pattern=r"^\d+ ?/ ?\d* ?(s|sec|m|min|h|hour)$"
    )
    poll_interval: str = Field(
        "15sec",
        description="How often the head looks for ended jobs.",
        pattern=r"^\d+ ?(s|sec|m|min)$",
    )


class Institution(Section):
    """What the settings file of an institution may say (-c, as in nf-core/configs)."""

    config_profile_name: str | None = _said("Name of the institution's settings")
    config_profile_description: str | None = _said("What they are for")
    config_profile_contact: str | None = _said("Who keeps them")
    config_profile_url: str | None = _said("Where they are explained")
    custom_config_version: str | None = _said("Version of nf-core/configs, which is not read here")
    custom_config_base: str | None = _said("Place of nf-core/configs, which is not read here")
    max_memory: str | None = Field(
        None,
        description="Most memory that a task asks for, such as 128.GB.",
        pattern=r"^\d+(\.\d+)?[. ]?[KMGTP]?B$",
    )
    max_cpus: int | None = Field(None, description="Most cores that a task asks for.", ge=1, le=100_000)
    max_time: str | None = Field(
        None,
        description="Longest time that a task asks for, such as 48.h; longer work runs as several tasks.",
        pattern=r"^\d+(\.\d+)?[. ]?(ms|s|sec|m|min|h|hour|d|day)s?( \d+(ms|s|sec|m|min|h|hour|d|day)s?)*$",
    )


def groups() -> dict[str, type[Section]]:
    """List the sections of all parameters.

    Returns
    -------
    dict
        Section classes by name, in the order of ``--help_full``.
    """
    sections: dict[str, type[Section]] = Launch.sections()
    return {"io": sections.pop("io"), **sections, "nextflow": Nextflow, "institution": Institution}


def nextflow_schema() -> dict[str, Any]:
    """Make the JSON schema of all parameters, as nf-schema and Seqera Platform read it.

    Returns
    -------
    dict
        The schema, one group a section.
    """
    definitions = {name: _group(name, section) for name, section in groups().items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "nextflow_schema.json",
        "title": "gibbsflow pipeline parameters",
        "description": "Binding free energies and machine-learned potentials, from one Nextflow pipeline",
        "type": "object",
        "$defs": definitions,
        "allOf": [{"$ref": f"#/$defs/{name}"} for name in definitions],
    }


def defaults() -> dict[str, Any]:
    """List the defaults of all parameters.

    Returns
    -------
    dict
        Default by parameter; None where there is none.
    """
    return {
        key: item.get("default")
        for group in nextflow_schema()["$defs"].values()
        for key, item in group["properties"].items()
    }


def params_block() -> str:
    """Write ``params { ... }`` of ``nextflow.config``: every parameter with its default.

    Returns
    -------
    str
        The block, without a line end.
    """
    lines = ["params {"]
    for name, group in nextflow_schema()["$defs"].items():
        lines.append(f"    // {name}: {group['description']}")
        lines += [f"    {key} = {_groovy(item.get('default'))}" for key, item in group["properties"].items()]
    return "\n".join([*lines, "}"])


def with_params(config: str) -> str:
    """Put params block and version in place of those that are there.

    Parameters
    ----------
    config
        Text of ``nextflow.config``.

    Returns
    -------
    str
        The text as it should be.

    Raises
    ------
    ValueError
        Where it holds no params block.
    """
    config = re.sub(r"(?m)^(    version +=) '.*'$", rf"\1 '{__version__}'", config, count=1)
    changed, count = re.subn(r"^params \{\n.*?^\}$", lambda _: params_block(), config, count=1, flags=re.M | re.S)
    if not count:
        raise ValueError("nextflow.config holds no params block")
    return changed


def parameters_page() -> str:
    """Write ``docs/parameters.md``: one table a section.

    Returns
    -------
    str
        The page in Markdown.
    """
    lines = [
        "# Parameters",
        "",
        "Generated from the schema by `python -m gibbsflow.config.launch.generate`; `--help_full` says the same.",
        "On the command line `--NAME VALUE`; in a YAML file for `-params-file`, `NAME: VALUE`;",
        "for `gibbsflow run-local`, under the name of its section.",
    ]
    for name, group in nextflow_schema()["$defs"].items():
        lines += ["", f"## {name}", "", group["description"], "", "| parameter | what | unit | default | takes |"]
        lines.append("|---|---|---|---|---|")
        for key, item in group["properties"].items():
            default = "" if item.get("default") is None else f"`{_plain(item['default'])}`"
            cells = (f"`{key}`", item["description"], item.get("unit", ""), default, takes(item))
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def takes(item: Mapping[str, Any]) -> str:
    """Say in words what a parameter takes.

    Parameters
    ----------
    item
        Its JSON schema.

    Returns
    -------
    str
        Its choices, or its type with its range; without its unit.
    """
    if "enum" in item:
        return ", ".join(item["enum"])
    bounds = [
        f"{sign} {_plain(item[key])}"
        for key, sign in (("exclusiveMinimum", ">"), ("minimum", "≥"), ("exclusiveMaximum", "<"), ("maximum", "≤"))
        if key in item
    ]
    kind = {"boolean": "true or false", "integer": "whole number", "number": "number"}.get(item["type"], "text")
    return ", ".join([kind, *bounds])


def outputs(root: Path) -> dict[str, str]:
    """Make all that is generated.

    Parameters
    ----------
    root
        The repository.

    Returns
    -------
    dict
        Content of each file by its path in the repository.
    """
    return {
        "nextflow_schema.json": _json(nextflow_schema()),
        "nextflow.config": with_params((root / "nextflow.config").read_text()),
        "assets/schema_input.json": _json(samplesheet_columns.samplesheet_schema()),
        "docs/parameters.md": parameters_page(),
    }


def _group(name: str, section: type[Section]) -> dict[str, Any]:
    schema = section.model_json_schema()
    properties = {key: _property(key, item) for key, item in schema["properties"].items()}
    return {
        **launch_form.section_extras(name),
        "type": "object",
        "description": schema["description"],
        "properties": properties,
    }


def _property(key: str, item: Mapping[str, Any]) -> dict[str, Any]:
    flat = dict(item)
    for choice in flat.pop("anyOf", []):  # an optional setting: null is said by leaving it out
        if choice.get("type") != "null":
            flat |= choice
    if "const" in flat:
        flat["enum"] = [flat.pop("const")]
    out = {k: flat[k] for k in _KEYWORDS if k in flat and not (k == "default" and flat[k] is None)}
    out = {"type": out.pop("type"), **_FORMATS.get(key, {}), "description": flat["description"], **out}
    out |= {k: flat[k] for k in ("unit", "hidden") if flat.get(k)}
    out |= {"requiredIn": list(REQUIRED[key])} if key in REQUIRED else {}
    out["accepts"] = accepted(out)
    return out | launch_form.setting_extras(key, out, takes(out))


def _groovy(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with ``--check`` say which are out of date.

    Parameters
    ----------
    arguments
        Words of the command line; None for those of the process.

    Returns
    -------
    int
        Exit code: 1 where a file was found out of date by ``--check``.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=Path.cwd(), help="repository root (default: here)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is out of date")
    options = parser.parse_args(arguments)
    stale = 0
    for name, content in outputs(options.root).items():
        path = options.root / name
        if path.exists() and path.read_text() == content:
            continue
        stale += 1
        if options.check:
            sys.stderr.write(f"{name} is out of date: run python -m gibbsflow.config.launch.generate\n")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            sys.stderr.write(f"{name} written\n")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
