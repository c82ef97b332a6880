"""What every module has to have, and what is generated from the schemas."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from pipeline.launcher import REPO, Launcher

from gibbsflow.config.binding import Launch
from gibbsflow.config.launch import generate, launch_form

MODULES = sorted(path.parent for path in (REPO / "modules").glob("*/*/main.nf"))


def test_generated_files_are_up_to_date() -> None:
    for name, content in generate.outputs(REPO).items():
        assert (REPO / name).read_text() == content, f"{name}: run python -m gibbsflow.config.launch.generate"


def test_schema_holds_every_setting_with_its_bounds() -> None:
    schema = json.loads((REPO / "nextflow_schema.json").read_text())
    item = schema["$defs"]["fe"]["properties"]["window_ps"]
    assert item == {
        "type": "number",
        "description": "Sampling a window and replicate.",
        "maximum": 10000000,
        "exclusiveMinimum": 0,
        "default": 1000.0,
        "unit": "ps",
        "accepts": "number > 0 <= 10000000 ps",
        "help_text": "The error falls with its square root; the report says whether it was enough. "
        "Takes: number, > 0, ≤ 10000000 ps.",
    }
    needed = {key: item.get("requiredIn") for key, item in schema["$defs"]["io"]["properties"].items()}
    assert needed["input"] == ["abfe", "asfe", "rbfe", "rsfe", "md"] and needed["receptor"] == ["abfe", "rbfe", "md"]
    assert needed["outdir"] is None
    for name, section in Launch.sections().items():
        assert set(schema["$defs"][name]["properties"]) == set(section.model_fields)


def test_the_launch_form_is_complete() -> None:
    schema = json.loads((REPO / "nextflow_schema.json").read_text())
    items = {key: item for group in schema["$defs"].values() for key, item in group["properties"].items()}
    for name, group in schema["$defs"].items():
        assert group["title"] and group["fa_icon"].startswith("fas fa-") and group["description"], name
        assert any(not item.get("hidden") for item in group["properties"].values()), name
    for key, item in items.items():
        assert item["description"] and item["help_text"].endswith("."), key
        assert "pattern" not in item or item["errorMessage"], key
        assert item.get("format") != "file-path" or item.get("exists"), key
    assert (launch_form.HELP.keys() | launch_form.PATTERNS.keys() | launch_form.HIDDEN) <= items.keys()
    assert {key for key, item in items.items() if item.get("hidden")} >= launch_form.HIDDEN
    for key, item in items.items():
        if "default" in item and item["type"] == "string":
            assert item["default"] in item.get("enum", [item["default"]]), key
            assert re.search(item.get("pattern", ""), item["default"]), key


def test_no_name_occurs_in_two_groups() -> None:
    names = [key for section in generate.groups().values() for key in section.model_fields]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: "/".join(path.parts[-2:]))
def test_module_is_complete(module: Path) -> None:
    text = (module / "main.nf").read_text()
    process = re.findall(r"^process (\w+) \{", text, flags=re.M)
    assert len(process) == 1
    meta = yaml.safe_load((module / "meta.yml").read_text())
    assert {"name", "description", "phase", "keywords", "tools", "input", "output", "authors"} <= set(meta)
    assert meta["name"].upper() == process[0]
    emitted = set(re.findall(r"emit: (\w+)", text))
    assert {name for entry in meta["output"] for name in entry if name != "meta"} <= emitted
    assert "\n    stub:\n" in text and "topic: versions" in text and re.search(r'\n    tag ["\']', text)
    assert "params." not in text
    case = (module / "tests" / "main.nf.test").read_text()
    assert f'process "{process[0]}"' in case and 'options "-stub"' in case and ' - stub"' in case


def broad(node: ast.expr | None) -> bool:
    names = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(
        name is None or (isinstance(name, ast.Name) and name.id in ("Exception", "BaseException")) for name in names
    )


def lost_exceptions(code: str) -> list[int]:
    """Lines where anything at all is caught, and neither raised again nor used nor printed with its trace."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ExceptHandler) and broad(node.type):
            inside = [part for statement in node.body for part in ast.walk(statement)]
            used = any(isinstance(part, ast.Name) and part.id == node.name for part in inside) or any(
                isinstance(part, ast.Attribute) and part.attr in ("print_exc", "exception") for part in inside
            )
            if not used and not any(isinstance(part, ast.Raise) for part in inside):
                found.append(node.lineno)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress") and any(map(broad, node.args)):
            found.append(node.lineno)
    return found


def test_no_exception_is_lost() -> None:
    assert lost_exceptions("try:\n    f()\nexcept:\n    pass") == [3]
    assert lost_exceptions("try:\n    f()\nexcept (OSError, Exception) as e:\n    return 1") == [3]
    assert lost_exceptions("with contextlib.suppress(Exception):\n    f()") == [1]
    assert lost_exceptions("try:\n    f()\nexcept Exception as e:\n    log(e)") == []
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py"], cwd=REPO, capture_output=True, text=True
    )
    names = [name for name in files.stdout.split() if (REPO / name).exists()]
    assert len(names) > 100
    assert {name: lines for name in names if (lines := lost_exceptions((REPO / name).read_text()))} == {}
    # and the same by the linter, which `make lint` runs: the rules are on, and off for no folder
    settings = tomllib.loads((REPO / "python" / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert {"E", "BLE", "S110", "S112"} <= set(settings["select"])
    others = tomllib.loads((REPO / "ruff.toml").read_text())["lint"]
    ignored = [rule for part in (settings, others) for rules in part["per-file-ignores"].values() for rule in rules]
    assert not {"E", "E722", "BLE", "BLE001", "S", "S110", "S112"} & {*ignored, *settings["ignore"]}


def test_lint(nextflow: Launcher) -> None:
    folders = ("main.nf", "nextflow.config", "conf", "modules", "subworkflows", "workflows")
    run = nextflow("lint", *(str(REPO / folder) for folder in folders))
    assert run.code == 0 and "no errors" in run.text, run.text


@pytest.mark.parametrize("profile", ["demo", "demo_asfe", "demo_rbfe", "test"])
def test_profiles_resolve(nextflow: Launcher, profile: str) -> None:
    run = nextflow("config", str(REPO), "-profile", profile, "-flat")
    assert run.code == 0, run.text
    used = dict(re.findall(r"^params\.(\w+) = (.*)$", run.text, flags=re.M))
    known = {key for section in generate.groups().values() for key in section.model_fields}
    assert set(used) == known
    for key in ("input", "receptor")[: 1 if used["mode"] == "'asfe'" else 2]:
        assert Path(used[key].strip("'").replace("${projectDir}", str(REPO))).exists()
