"""Files of parameters are read as strictly as all others, beside Nextflow's own reading."""

import os
import subprocess
import sys

import pytest

from gibbsflow.config.launch.generate import nextflow_schema
from gibbsflow.config.launch.params_file import check_params_file, files_of_process
from gibbsflow.errors import InputError

SCHEMA = {key: item for group in nextflow_schema()["$defs"].values() for key, item in group["properties"].items()}


def test_what_is_right_passes(tmp_path):
    (tmp_path / "p.yaml").write_text(
        "window_ps: 100\nsample_ps: 0.1\nclean_failures: true\nsite: null\nmode: md\ninput: none.csv\nunknown: [1]\n"
    )
    check_params_file(tmp_path / "p.yaml", SCHEMA)
    (tmp_path / "p.json").write_text('{"timestep_fs": 2, "campaign": "2026"}')
    check_params_file(tmp_path / "p.json", SCHEMA)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("replicates: yes\n", "replicates: 'true' is not usable (right: whole number >= 1 <= 20, without quotes)"),
        ('timestep_fs: "2"\n', "timestep_fs: '2' is not usable"),
        ("timestep_fs: 0x2\n", "timestep_fs: '0x2' is not usable"),
        ("replicates: 1_0\n", "replicates: '1_0' is not usable"),
        ("replicates: 010\n", "replicates: '010' is not usable"),
        ("replicates: \uff12\n", "is not usable"),
        ("timestep_fs: .inf\n", "timestep_fs: '.inf' is not usable"),
        ("campaign: 2026\n", "campaign: '2026' is not usable (right: text, in quotes)"),
        ("solvent: tip5p\n", "solvent: 'tip5p' is not usable (right: obc2 | vacuum | tip3p | "),
        ("campaign: no\n", "campaign: 'false' is not usable"),
        ("clean_failures: 1\n", "clean_failures: '1' is not usable"),
        ("seed: 1\nseed: 2\n", "row 2, seed: given twice"),
        ("seed: [1]\n", "seed: '[1]' is not usable"),
        ("- 1\n", "holds a list"),
    ],
)
def test_what_nextflow_would_make_something_else_of_is_refused(tmp_path, text, told):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(InputError) as error:
        check_params_file(tmp_path / "p.yaml", SCHEMA)
    assert told in str(error.value) and str(tmp_path / "p.yaml") in str(error.value)


def test_the_files_are_those_of_the_command_line_or_the_environment(monkeypatch):
    monkeypatch.delenv("NXF_PARAMS_FILE", raising=False)
    words = [
        sys.executable,
        "-c",
        "print(flush=True); input()",
        "run",
        "-params-file",
        "it's a file.yaml",
        "--x",
        "-params-file",
    ]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"\n"
        assert [str(path) for path in files_of_process(process.pid)] == ["it's a file.yaml"]
        process.communicate(b"\n")
    assert files_of_process(os.getpid()) == []
    monkeypatch.setenv("NXF_PARAMS_FILE", "e.json")
    assert [str(path) for path in files_of_process(os.getpid())] == ["e.json"]
