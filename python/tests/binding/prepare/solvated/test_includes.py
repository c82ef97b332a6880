"""Includes of GROMACS topologies: from their own folder, bounded, and as a preprocessor reads them."""

import pytest

from gibbsflow.binding.prepare.solvated.includes import DEEPEST, flattened
from gibbsflow.errors import InputError


def written(folder, **texts):
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.top"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "a.top"


def test_files_come_in_their_places_and_conditions_count(tmp_path):
    top = written(
        tmp_path,
        a='one\n#include "ff/b.top"\n#define POSRES\n#ifndef POSRES\nno\n#else\n'
        '#ifdef OTHER\n#include "gone.itp"\n#endif\nyes\n#endif\nend',
        ff__b='two\n#include "c.top"\n',
        ff__c="three",
    )
    text, files = flattened(top)
    assert text.split() == ["one", "two", "three", "#define", "POSRES", "yes", "end"]
    assert [path.name for path in files] == ["b.top", "c.top"]


def test_files_that_a_task_was_given_are_known_by_name(tmp_path):
    top = written(tmp_path / "task", a='#include "ff/b.top"\n')
    beside = tmp_path / "elsewhere" / "b.top"
    beside.parent.mkdir()
    beside.write_text("b")
    assert flattened(top, [beside])[0].split() == ["b"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('#include "../secret"', "outside its folder"),
        ('#include "/etc/hostname"', "outside its folder"),
        ('#include "link.top"', "outside its folder"),
        ('#include "amber99.ff/forcefield.itp"', "not in its folder"),
        ("#include x", "names no file"),
        ("#if 1", "not known"),
        ("#endif", "without #ifdef"),
        ("#ifdef A", "without #endif"),
        ('#include "a.top"', f"deeper than {DEEPEST}"),
    ],
)
def test_nothing_outside_and_nothing_without_end(tmp_path, line, said):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.top").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match=said):
        flattened(written(tmp_path / "in", a=line))


def test_two_files_of_one_name_are_refused(tmp_path):
    top = written(tmp_path, a='#include "x/b.top"\n#include "y/b.top"\n', x__b="1", y__b="2")
    with pytest.raises(InputError, match="two files of the name b.top"):
        flattened(top)
