"""Output that cannot be written ends a command in one line."""

import subprocess
from pathlib import Path

import pytest

from gibbsflow.errors import EXIT_STORAGE

BIN = Path(__file__).parents[3] / "bin"


@pytest.mark.parametrize("words", ["list --json", "list --nope --json", "--help"])
def test_output_that_cannot_be_written_is_one_line_and_its_exit_code(words: str, tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [str(BIN / "gibbsflow"), *words.split()]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False)
    assert done.returncode == EXIT_STORAGE and "standard output: No space left" in done.stderr
    assert "Traceback" not in done.stderr and "defect" not in done.stderr


@pytest.mark.parametrize(("words", "code"), [("list nowhere", 65), ("watch nowhere --once", 65)])
def test_a_closed_standard_error_changes_no_exit_code(words: str, code: int, tmp_path: Path) -> None:
    command = ["bash", "-c", f'"$0" {words} 2>&-', str(BIN / "gibbsflow")]
    assert subprocess.run(command, stdout=subprocess.PIPE, cwd=tmp_path, check=False).returncode == code
