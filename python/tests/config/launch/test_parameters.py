"""Parameters against their schema: every fault in words, and what a section of settings gets."""

from decimal import Decimal

import pytest

from gibbsflow.config.launch.generate import nextflow_schema
from gibbsflow.config.launch.parameters import accepted, foreign_parameters, parameter_problems, sections_of

GROUPS = {name: group["properties"] for name, group in nextflow_schema()["$defs"].items()}
SCHEMA = {key: item for group in GROUPS.values() for key, item in group.items()}


@pytest.fixture
def given(tmp_path):
    """Parameters with nothing wrong."""
    for name in ("ligands.csv", "host.sdf"):
        (tmp_path / name).touch()
    return {"mode": "abfe", "input": str(tmp_path / "ligands.csv"), "receptor": str(tmp_path / "host.sdf"),
            "outdir": "out", "sampler": "exchange", "windows_per_task": 1}  # fmt: skip


def test_what_is_right_has_no_problem(given):
    more = {"window_ps": 100, "sample_ps": Decimal("0.1"), "clean_failures": True, "site": None, "ph": 14, "seed": 0}
    assert parameter_problems(given | more, SCHEMA) == []


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"windows_ps": 40}, "--windows_ps: unknown parameter (right: did you mean --window_ps?)"),
        ({"xyz": None}, "--xyz: unknown parameter (right: see --help for the names)"),
        ({"replicates": 50}, "--replicates: 50 is out of range (right: whole number >= 1 <= 20)"),
        ({"replicates": Decimal("2.5")}, "--replicates: '2.5' is not usable (right: whole number >= 1 <= 20)"),
        ({"replicates": True}, "--replicates: 'true' is not usable (right: whole number >= 1 <= 20)"),
        ({"timestep_fs": "fast"}, "--timestep_fs: 'fast' is not usable (right: number > 0 <= 5 fs)"),
        ({"timestep_fs": 0}, "--timestep_fs: 0 is out of range (right: number > 0 <= 5 fs)"),
        ({"hydrogen_mass_amu": Decimal("1.0079")}, "--hydrogen_mass_amu: 1.0079 is out of range "
         "(right: number >= 1.008 <= 4 amu)"),
        ({"mode": "abf"}, "--mode: 'abf' is not usable (right: abfe | asfe | rbfe | rsfe | md | potential)"),
        ({"campaign": "../x"}, "--campaign: '../x' is not usable (right: text that matches "
         "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$)"),
        ({"campaign": "a\nb\x1b[2J"}, "--campaign: 'a?b?[2J' is not usable, empty or with blanks at its ends or "
         "control characters (right: text that matches ^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$)"),
        ({"outdir": "o "}, "--outdir: 'o ' is not usable, empty or with blanks at its ends or control characters "
         "(right: text)"),
        ({"receptor": f"{'x' * 5000}.sdf"}, f"--receptor: no such file {'x' * 100}..."),
        ({"queue": "a b"}, "--queue: 'a b' is not usable (right: a name in SLURM)"),
        ({"queue": "-x"}, "--queue: '-x' is not usable (right: a name in SLURM)"),
        ({"image_core": "a;b"}, "--image_core: 'a;b' is not usable (right: name of a container image, as "
         "ghcr.io/group/gibbsflow-core:1.2.0)"),
        ({"registry": "ghcr.io/$(x)"}, "--registry: 'ghcr.io/$(x)' is not usable (right: host and group of a registry, "
         "as ghcr.io/group)"),
        ({"gpu_options": "gres=gpu"}, "--gpu_options: 'gres=gpu' is not usable (right: options of sbatch, as "
         "--constraint=avx512 --exclude=n7; blanks in quotes, and none of $ ` ; # ? { } \\)"),
        ({"queue_time": "\u0663h"}, "--queue_time: '\u0663h' is not usable (right: text that matches "
         "^\\d+ ?(s|sec|m|min|h|hour|d|day)s?$)"),
        ({"clean_failures": "maybe"}, "--clean_failures: 'maybe' is not usable (right: true or false)"),
        ({"receptor": None}, "--receptor: missing (right: Host (MOL2, SDF) or protein (PDB, mmCIF).)"),
        ({"receptor": "no.sdf"}, "--receptor: no such file no.sdf"),
        ({"windows_per_task": 4}, "--windows_per_task: 4 means nothing with --sampler exchange, which samples all "
         "windows of a leg in one task (right: --sampler independent, or leave it out)"),
    ],
)  # fmt: skip
def test_one_fault_one_line(given, wrong, line):
    assert parameter_problems(given | wrong, SCHEMA) == [line]


def test_the_bound_itself_is_inside(given):
    assert (
        parameter_problems(given | {"hydrogen_mass_amu": Decimal("1.008"), "overlap_warn": Decimal("0.5")}, SCHEMA)
        == []
    )


def test_all_faults_at_once_the_unknown_first(given):
    wrong = {"ph": 15, "nonsense": 1, "input": None}
    found = [line.split(":")[0] for line in parameter_problems(given | wrong, SCHEMA)]
    assert found == ["--nonsense", "--ph", "--input"]


def test_a_potential_needs_its_settings_and_no_samplesheet():
    (line,) = parameter_problems({"mode": "potential"}, SCHEMA)
    assert line.startswith("--config: missing")


def test_what_is_accepted_stands_in_the_schema_for_help():
    assert SCHEMA["timestep_fs"]["accepts"] == accepted(SCHEMA["timestep_fs"]) == "number > 0 <= 5 fs"
    assert (
        SCHEMA["help"]["accepts"] == "true or false"
        and SCHEMA["solvent"]["accepts"] == "obc2 | vacuum | tip3p | spce | opc | tip4pew | given"
    )
    assert SCHEMA["outdir"]["accepts"] == "text"


def test_sections_hold_what_was_given(given):
    own = {name: GROUPS[name] for name in ("run", "fe")}
    assert sections_of(given | {"seed": 0, "site": "A:1"}, own) == {
        "run": {"mode": "abfe", "seed": 0}, "fe": {"sampler": "exchange"}
    }  # fmt: skip


def test_foreign_names_are_noted_and_slips_are_not():
    slips, notes = foreign_parameters(["igenomes_base", "windows_ps", "max_jobs", "cluster_option"], SCHEMA)
    assert slips == ["windows_ps", "cluster_option"]
    assert notes == [
        "igenomes_base, max_jobs in a settings file: parameters of other pipelines, which mean nothing here"
    ]
    assert foreign_parameters([], SCHEMA) == ([], [])
    # as conf/uppmax.config and conf/tufts.config of nf-core/configs have them
    assert foreign_parameters(["clusterOptions", "config_profile_contact_email", "project"], SCHEMA)[0] == []


def test_the_address_of_a_hook_is_not_repeated(given):
    for address in ("ftp://hooks.example/T0/word", "https://hooks.example/T0/word ", 5):
        (line,) = parameter_problems(given | {"hook_url": address}, SCHEMA)
        assert line.startswith("--hook_url: what was given is not usable") and "word" not in line and "right: " in line


@pytest.mark.parametrize(
    ("key", "right", "wrong"),
    [
        ("max_memory", ("128.GB", "128 GB", "1.5 TB", "500MB"), ("many", "128", "GB")),
        ("max_time", ("240.h", "10d", "1d 12h", "30 min"), ("long", "240")),
        ("max_cpus", (16,), ("16 cores", 0)),
        ("memory_md_gb", (4, Decimal("0.5")), ("4 GB", 0)),
        ("config_profile_name", ("Somewhere",), ()),
    ],
)
def test_what_an_institution_says(given, key, right, wrong):
    assert [parameter_problems(given | {key: value}, SCHEMA) for value in right] == [[]] * len(right)
    assert all(len(parameter_problems(given | {key: value}, SCHEMA)) == 1 for value in wrong)
