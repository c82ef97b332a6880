"""What a file of a classical potential lacks is said before LAMMPS reads it."""

from pathlib import Path

import pytest

from gibbsflow.errors import InputError
from gibbsflow.potential.explore.screening.potential_files import require_elements

NUMBERS = " ".join(["1.0"] * 14)
EAM = "comment\ncomment\ncomment\n2 Cu Ni\n10 0.1 10 0.1 5.0\n"


def tersoff(*triples: str) -> str:
    return "# comment 1 2 3\n" + "".join(f"{triple}\n  {NUMBERS} # one\n" for triple in triples)


@pytest.mark.parametrize(
    ("style", "text", "elements", "what"),
    [
        ("tersoff", tersoff("Si Si Si"), ["Si", "Ge"], "knows Si and not Ge"),
        ("tersoff", tersoff("Si Si Si", "C C C", "Si C C"), ["Si", "C"], r"has no entry for C C Si, C Si C, C Si Si"),
        ("tersoff", EAM, ["Cu"], "entry 1 begins with 'comment comment comment 2'"),
        ("sw", tersoff("Si Si Si"), ["Si"], "entry 2 begins with '1.0 1.0 1.0' and has 3 words"),
        ("eam/alloy", EAM, ["Cu", "Al"], "knows Cu, Ni and not Al"),
        ("eam/fs", "a\nb\nc\n10 0.1\n", ["Cu"], "line 4 is '10 0.1'"),
        ("eam/alloy", "", ["Cu"], "line 4 is ''"),
    ],
)
def test_a_file_that_will_not_do_is_refused_by_name(
    tmp_path: Path, style: str, text: str, elements: list[str], what: str
) -> None:
    path = tmp_path / "of two"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"of two, surrogate.pair_file: .*{what}"):
        require_elements(path, style, elements)


def test_files_with_more_than_is_needed_will_do(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(tersoff("Si Si Si", "C C C", "Si C C"))
    require_elements(path, "tersoff", ["Si"])
    path.write_text(EAM)
    require_elements(path, "eam/alloy", ["Ni"])
