"""No shell reads a value: each word that reaches one is quoted, and no quoting can be taken away unnoticed."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pipeline import hostile
from pipeline.launcher import REPO, Launcher

from gibbsflow.config.launch.parameters import parameter_problems

SOURCES = sorted(REPO.glob("modules/*/*/main.nf"))
WORKFLOWS = sorted([REPO / "main.nf", *REPO.glob("subworkflows/*/main.nf"), *REPO.glob("workflows/*/main.nf")])
ASKED = """
include {{ options; quoted                              }} from '{repo}/modules/functions'
include {{ readSchema; typedParams; settings; unnoticed }} from '{repo}/subworkflows/launch'
include {{ staged; folderProblem; stateFolder           }} from '{repo}/subworkflows/launch'
include {{ structuresIn                                 }} from '{repo}/subworkflows/learning_generation'

def pathed(folder) {{
    java.nio.file.Paths.get(folder)
}}

def refusal(folder) {{
    try {{
        structuresIn(folder)
        return null
    }}
    catch (Exception e) {{
        return "${{e.message}}".toString()
    }}
}}

workflow {{
    def asked = new groovy.json.JsonSlurper().parseText(file('asked.json').text)
    def schema = readSchema('{repo}/nextflow_schema.json')
    def values = typedParams(asked.defaults, schema)
    file('answers.json').text = groovy.json.JsonOutput.toJson([
        quoted: asked.words.collect {{ word -> quoted(word) }},
        options: options('--word', asked.words),
        none: options('--word', []),
        unnoticed: asked.params.collect {{ params -> unnoticed(params, typedParams(params, schema), schema) }},
        staged: asked.files.collect {{ path -> staged(pathed(path), launchDir.resolve('work')).toString() }},
        folders: asked.folders.collect {{ work, project, engine, state ->
            def run = [workDir: pathed(work), projectDir: pathed(project), containerEngine: engine]
            folderProblem(run, [state_dir: state])
        }},
        batches: asked.batches.collect {{ folder -> refusal(pathed(folder)) }},
        state: stateFolder([state_dir: 'br[1]/s', outdir: 'g*3/o u'], launchDir.resolve('work')),
        settings: asked.changes.collectEntries {{ key, value ->
            def other = values + [(key): value]
            def reads = asked.processes.findAll {{ _process, names ->
                settings(values, schema, names) != settings(other, schema, names)
            }}
            [key, reads.keySet()]
        }},
    ])
}}
"""


# --- what stands in the scripts ----------------------------------------------------------------------------------


def interpolations(text: str) -> Iterator[str]:
    """Expressions of ``${...}`` in a text, and what stands behind a bare ``$``; escaped ones are the shell's own."""
    at = 0
    while (at := text.find("$", at)) >= 0:
        if text[at - 1] == "\\":
            at += 1
        elif text[at + 1] == "{":
            depth, end = 1, at + 2
            while depth:
                depth += {"{": 1, "}": -1}.get(text[end], 0)
                end += 1
            yield text[at + 2 : end - 1]
            at = end
        else:
            yield text[at + 1 :].split()[0]
            at += 1


def one_call(expression: str) -> bool:
    """Whether an expression is nothing but a call of what makes words of values."""
    found = re.match(r"(quoted|options)\(", expression)
    depth = 0
    for at, letter in enumerate(expression):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == ")" and depth == 0:
            return found is not None and at == len(expression) - 1
    return False


def texts(expression: str) -> list[str]:
    """Texts that an expression comes to: itself, or what stands behind each ``? :`` of it."""
    parts = re.split(r" \? | : ", expression)
    return parts if len(parts) == 1 else parts[1:]


def safe(expression: str, variables: dict[str, str]) -> bool:
    """Whether what stands for an expression is words for a shell."""
    if one_call(expression) or expression == "timeBudget(task.time)":
        return True
    if re.fullmatch(r"''|'[^'$\\]*'", expression):
        return True
    if expression.startswith('"') and expression.endswith('"'):
        return all(safe(inside, variables) for inside in interpolations(expression))
    if expression == "task.ext.args ?: ''":  # options of the site's own configuration
        return True
    return expression in variables and all(safe(text, variables) for text in texts(variables[expression]))


def unsafe(source: str) -> list[str]:
    """What reaches the shell of a process as it is."""
    found = []
    for block in re.split(r"\n    (?:script|stub):\n", source)[1:]:
        variables = dict(re.findall(r"^    def (\w+) = (.*)$", block, flags=re.M))
        for script in re.findall(r'"""\n(.*?)"""', block, flags=re.S):
            found += [expression for expression in interpolations(script) if not safe(expression, variables)]
    return found


def patterns(source: str) -> list[str]:
    """Calls that would read a name as a pattern of files."""
    calls = re.findall(r"(?<![\w.])(files?|(?:channel|Channel)\.fromPath)\(([^\n]*)", source)
    return [f"{name}({rest}" for name, rest in calls if "glob: false" not in rest]


def bare(source: str) -> list[str]:
    """Folders that a configuration writes into a script's or a container's words, not as one word in quotes."""
    words = re.findall(r"""'\$\{".*?\}'?(?=/\.attempts|/assets|"\n)""", source)
    return [word for word in words if not word.removesuffix("'").endswith(""".replace("'", "'\\\\''")}""")]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: "/".join(path.parts[-3:-1]))
def test_every_word_of_a_script_is_quoted(path: Path) -> None:
    assert unsafe(path.read_text()) == []


def test_no_quoting_can_be_taken_away() -> None:
    calls = 0
    for path in SOURCES:
        source = path.read_text()
        start = source.index("\n    script:\n")
        for call in re.finditer(r"(?<!\w)(quoted|options)\(", source):
            if call.start() > start:
                without = source[: call.start()] + "(" + source[call.end() :]
                calls += 1
                assert unsafe(without), f"{path}: nothing notices that {call[0]} at {call.start()} is missing"
    assert calls > 100


def test_a_name_is_no_pattern() -> None:
    for path in [*WORKFLOWS, *SOURCES]:
        source = path.read_text()
        assert patterns(source) == [], path
        for call in re.finditer(", glob: false", source):
            assert patterns(source[: call.start()] + source[call.end() :]), path


def unstaged(source: str) -> list[str]:
    """Parameters that name what a task is given, and whose path goes there as it is."""
    given = [key for key, item in hostile.parameters().items() if item.get("exists") and key != "site_config"]
    return [key for key in given if f"staged(pathOf(values.{key}), run.workDir)" not in source]


def test_what_a_task_is_given_has_a_name_that_scripts_can_hold() -> None:
    source, launch = (REPO / "main.nf").read_text(), (REPO / "subworkflows/launch/main.nf").read_text()
    assert unstaged(source) == []
    for call in re.finditer(r"staged\(pathOf\(values\.(\w+)\)", source):
        assert unstaged(source[: call.start()] + "(" + source[call.start() + 7 :]) == [call[1]]
    assert "[key, staged(pathOf(values[key]), workDir)]" in launch
    among = re.findall(r"filesAmong\(values, (.*), run\.workDir\)", source)  # schedules; network and maps
    assert len(among) == 2 and "_schedule" in among[0] and among[1] == "['network', 'map']"
    assert "structureFiles(pathOf(values.config)).collect { path -> staged(path" in source
    assert re.search(r"def besides\(.*\n    name \? staged\(", launch)


def test_no_quoting_can_be_taken_from_a_configuration() -> None:
    quoting, found = """.replace("'", "'\\\\''")""", 0
    for path in sorted(REPO.glob("conf/*.config")):
        source = path.read_text()
        assert bare(source) == [], path
        for call in re.finditer(re.escape(quoting), source):
            found += 1
            assert bare(source[: call.start()] + source[call.end() :]), path
    assert found >= 3


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: "/".join(path.parts[-3:-1]))
def test_workflows_start_no_shell(path: Path) -> None:
    """Programs are started from a list of words, never from a text."""
    for line in path.read_text().splitlines():
        assert ".execute(" not in line or re.search(r"(= |\|\| )\(?\[.*\].*\.execute\(\)|job\.execute\(\)", line), line


# --- what a shell makes of it ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def processes() -> dict[str, list[str]]:
    """Sections of settings that each process is given, as main.nf has them."""
    calls = re.findall(r"(\w+): settings\(\w+, schema, (\[.*?\])\)", (REPO / "main.nf").read_text())
    return {process: json.loads(names.replace("'", '"')) for process, names in calls}


@pytest.fixture(scope="module")
def other() -> dict[str, Any]:
    """Of each parameter, a value that is not its default."""
    values: dict[str, Any] = {}
    for key, item in hostile.parameters().items():
        default = item.get("default")
        if item["type"] == "string":
            values[key] = next(value for value in item.get("enum", ["else"]) if value != default)
        else:
            values[key] = not default if item["type"] == "boolean" else (default or 0) + 1
    return values


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, processes, other) -> dict[str, Any]:
    """What the pipeline's own functions make of what they are asked, in one run of Nextflow."""
    folder = tmp_path_factory.mktemp("asked")
    letters = [chr(code) for code in range(1, 128)] + ["é", "\u2028"]
    words = ["".join(pair) for pair in itertools.product(letters, repeat=2)] + [*letters, *hostile.WORDS, ""]
    words += ["".join(three) for three in itertools.product("'\"`$\\ -*", repeat=3)]
    parameters = hostile.parameters()
    params = [
        {"mode": "md", "input": "a.csv", "receptor": "a.sdf", key: text}
        for key, item in parameters.items()
        if item["type"] == "string"
        for text in (*hostile.WORDS, *hostile.LINES)
    ]
    for name in ("br[1]", "br1", "g*3", "gx3", "{a,b}", "plain folder's é"):
        (folder / name / "work").mkdir(parents=True)
        (folder / name / "lig[1].csv").write_text(name)
    for number, word in enumerate((*hostile.WORDS, "a\nb")):
        (folder / f"named {number}").mkdir()
        (folder / f"named {number}" / f"{word}.sdf").write_text(word)
    files = [str(path) for path in sorted(folder.glob("*/*.*")) if path.is_file()]
    for number, name in enumerate((*hostile.WORDS, "batch_000")):
        (folder / f"batches{number}").mkdir()
        (folder / f"batches{number}" / f"{name}.extxyz").touch()
    (folder / "alone").mkdir()
    odd = [f"{folder}/alone/{word}" for word in (*hostile.WORDS, *hostile.LINES[:5], "plain", "%d+é.@=_-")]
    engines = (None, "docker", "apptainer")
    folders = [[f"{name}/work", "/opt/project", engine, None] for engine in engines for name in odd]
    folders += [["/opt/work", name, engine, None] for engine in engines for name in odd]
    folders += [[f"{folder}/{name}/work", "/opt/project", None, None] for name in ("br[1]", "g*3", "[1]", "g?9")]
    folders += [["/opt/work", "/opt/project", "docker", state] for state in ("a:b", "a,b", "$(x) 'é;*")]
    question = {
        "words": words, "params": params, "files": files, "folders": folders, "processes": processes, "changes": other,
        "defaults": {key: item.get("default") for key, item in parameters.items()},
        "batches": [str(folder / f"batches{number}") for number in range(len(hostile.WORDS) + 1)],
    }  # fmt: skip
    (folder / "asked.json").write_text(json.dumps(question))
    (folder / "asked.nf").write_text(ASKED.format(repo=REPO))
    run = Launcher(folder)("run", "asked.nf")
    assert run.code == 0, run.text
    assert hostile.markers(folder) == []
    return question | {"answers": json.loads((folder / "answers.json").read_text()), "folder": folder}


def shell(script: str, folder: Path) -> list[str]:
    """Words that bash makes of a script's ``printf``."""
    (folder / "script.sh").write_text(script, encoding="utf-8")
    done = subprocess.run(["bash", "-euo", "pipefail", "script.sh"], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


def test_bash_reads_each_word_as_it_was(answers, tmp_path: Path) -> None:
    words, found = answers["words"], answers["answers"]
    assert shell("printf '%s\\0' \\\n" + " \\\n".join(found["quoted"]) + "\n", tmp_path) == words
    assert shell(f"printf '%s\\0' {found['options']}", tmp_path) == [w for word in words for w in ("--word", word)]
    assert found["none"] == "" and [path.name for path in tmp_path.iterdir()] == ["script.sh"]


def test_files_that_scripts_cannot_name_are_copied(answers) -> None:
    """Each is taken by its own name, and not by what a shell would find for it; its time stays."""
    plain = re.compile(r"[\w %'()+./=@-]+")
    work = answers["folder"] / "work" / "inputs"
    for given, staged in zip(map(Path, answers["files"]), map(Path, answers["answers"]["staged"]), strict=True):
        assert staged.read_text() == given.read_text() and staged.stat().st_mtime == given.stat().st_mtime
        assert plain.fullmatch(str(staged)) and staged.name[0] not in "-=" and staged.suffix == given.suffix
        assert (staged == given) is bool(plain.fullmatch(str(given)) and given.name[0] not in "-="), given
        assert staged == given or work in staged.parents


def test_folders_that_scripts_cannot_name_are_refused(answers) -> None:
    unfit = {None: r"""[$`"\\\x00-\x1f]|\{.*,""", "docker": r"[^\w '()%+./=@-]", "apptainer": r"[^\w%+./=@-]"}
    kinds: set[tuple[str | None, bool]] = set()
    for (work, project, engine, state), problem in zip(answers["folders"], answers["answers"]["folders"], strict=True):
        name = (
            Path(work if project == "/opt/project" else project).relative_to(answers["folder"]) if state is None else ""
        )
        refused = bool(re.search(unfit[engine], str(name))) or (":" in project and work == "/opt/work")
        if state is not None:
            refused = ":" in state or "," in state
        if not str(name).startswith("alone"):
            refused = refused or str(name) in ("br[1]/work", "g*3/work")  # other folders would be meant
        assert (problem is not None) == refused, (work, project, engine, state, problem)
        if problem:
            assert "(right: " in problem and not re.search(r"[\x00-\x1f]", problem)
        kinds.add((engine, refused))
    assert len(kinds) == 6


def test_a_batch_that_could_not_name_a_task_is_refused(answers) -> None:
    *odd, good = answers["answers"]["batches"]
    assert good is None
    for name, problem in zip(hostile.WORDS, odd, strict=True):
        assert (problem is None) == bool(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name)), name


def test_the_state_folder_has_the_name_that_was_given(answers) -> None:
    assert answers["answers"]["state"] == f"{answers['folder']}/br[1]/s/o u"


# --- what a parameter takes --------------------------------------------------------------------------------------


def refused(given: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    return [line for line in parameter_problems(given, schema) if "no such file" not in line]


TEXTS = [key for key, item in hostile.parameters().items() if item["type"] == "string"]


@pytest.mark.parametrize("key", TEXTS)
def test_what_is_written_into_scripts_as_it_is_holds_nothing_for_a_shell(key: str) -> None:
    """What is neither a path nor a text that is quoted takes plain words alone, with a core and without."""
    schema = hostile.parameters()
    for text in hostile.LINES:
        (line,) = refused({key: text}, schema)
        assert line.startswith(f"--{key}: ") and "\n" not in line and "\x1b" not in line
    for text in hostile.WORDS:
        fine = not refused({key: text}, schema)
        if "enum" in schema[key]:
            assert not fine
        elif "pattern" in schema[key] and "format" not in schema[key]:
            assert not fine or not re.search(r"[;$`\\#\n]|^[^\w./-]", text), text


def test_without_a_core_the_same_texts_are_refused(answers) -> None:
    schema = hostile.parameters()
    for params, problem in zip(answers["params"], answers["answers"]["unnoticed"], strict=True):
        lines = [line.split(": ")[0] for line in refused(params, schema)]
        # what lies in the folder of the test under such a name is another question
        found = re.findall(r"^\s*(--\w+): (?!.* is no regular file$)", problem or "", flags=re.M)
        assert found == lines, (params, problem)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("--constraint=avx512 --exclude=n[1-4,7]", 2),
        ("--comment='a b' -C \"x&y|z*2\"", 3),
        ("--gres=gpu:a100:2(S:0) --licenses=a:1,b:2", 2),
        ("--mail-user=a@b.c", 1),
    ],
)
def test_options_of_sbatch_are_taken(text: str, words: int) -> None:
    import shlex

    schema = hostile.parameters()
    assert refused({"cluster_options": text, "gpu_options": text}, schema) == [] and len(shlex.split(text)) == words


@pytest.mark.parametrize(
    "text", ["constraint=x", "--x='a", '--x="a', "--x=a\\ b", "--wrap=a;b", "--x={a,b}", "--x=$USER"]
)
def test_what_is_no_option_of_sbatch_is_refused(text: str) -> None:
    (line,) = refused({"cluster_options": text}, hostile.parameters())
    assert line.startswith("--cluster_options: ") and "options of sbatch" in line


# --- what runs again ---------------------------------------------------------------------------------------------


def test_a_parameter_changes_the_settings_of_those_that_read_it(answers, processes) -> None:
    """Parameter by process, from the schema: a task's hash holds what its verb reads and nothing else."""
    sections = json.loads((REPO / "nextflow_schema.json").read_text())["$defs"]
    for section, group in sections.items():
        for key in group["properties"]:
            reads = {p for p, names in processes.items() if section in names or f"{section}.{key}" in names}
            assert set(answers["answers"]["settings"][key]) == reads, key
    assert set(answers["answers"]["settings"]["overlap_warn"]) == {"ANALYSIS_TRANSFORMATION", "ANALYSIS_CAMPAIGN"}
    assert set(answers["answers"]["settings"]["ph"]) == {"SYSTEM_PREP"}
    of_the_run = {key for group in ("io", "nextflow") for key in sections[group]["properties"]}
    assert all(answers["answers"]["settings"][key] == [] for key in of_the_run)
