"""Files of parameters (``-params-file``), read strictly beside Nextflow, which takes the last of two equal keys.

Of a file, Nextflow hands on values: ``0x10`` as 16, ``1_0`` as 10, ``"2"`` as the text that a command line also has.
Here the file itself is read as all files of settings are, and each value is held to the type of its parameter.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from gibbsflow.config.launch.parameters import parameter_problems
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.settings_file import read_mapping

_RIGHT = "a YAML or JSON file of parameters"
_OPTION, _VARIABLE = "-params-file", "NXF_PARAMS_FILE"


def files_of_process(pid: int) -> list[Path]:
    """Find the files of parameters that a Nextflow was given.

    Parameters
    ----------
    pid
        Number of its process, whose command line is read where the system shows it (Linux).

    Returns
    -------
    list of Path
        In their order; of the environment where the command line names none.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        words = []
    named = [os.fsdecode(name) for option, name in zip(words, words[1:], strict=False) if option == _OPTION.encode()]
    return [Path(name) for name in named or [os.environ.get(_VARIABLE, "")] if name]


def check_params_file(path: Path, schema: Mapping[str, Any]) -> None:
    """Check a file of parameters: each key once, each value of its parameter's type.

    Parameters
    ----------
    path
        The file.
    schema
        Schema of each parameter by name; others, and what must be given, are looked at where all parameters are.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    problems = []
    for key, value in read_mapping(path, _RIGHT, field=_OPTION).items():
        if key not in schema or value is None:
            continue
        item = {name: part for name, part in schema[key].items() if name not in ("requiredIn", "exists")}
        number = Decimal(repr(value)) if isinstance(value, float) else value
        for fault in parameter_problems({key: number}, {key: item}):
            what, _, right = fault.removeprefix(f"--{key}: ").partition(" (right: ")
            right = right.removesuffix(")")
            if item["type"] != "string":
                right = f"{right}, without quotes"
            elif not isinstance(value, str):
                right = "text, in quotes"
            problems.append(Problem(str(path), what, right, field=key))
    if problems:
        raise InputError(problems)
