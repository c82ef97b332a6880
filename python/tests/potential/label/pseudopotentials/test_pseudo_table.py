from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from gibbsflow.config.potential import Dft
from gibbsflow.errors import InputError
from gibbsflow.potential.label.pseudopotentials import pseudo_table


def test_the_table_of_pseudopotentials_is_whole() -> None:
    rows = pseudo_table.rows()
    assert len({(r.library, r.element, r.functional) for r in rows}) == len(rows)
    for row in rows:
        assert row.ecutrho_ry >= (4 * row.ecutwfc_ry if row.type == "NC" else 3.9 * row.ecutwfc_ry)
        assert len(row.sha256) == 64
    shipped = Dft(pseudo_library="gth")
    assert set(pseudo_table.choose(["Si", "Ge", "C", "Al"], shipped)) == {"Si", "Ge", "C", "Al"}


@pytest.mark.skipif(not pseudo_table.DEBIAN_FOLDER.is_dir(), reason="quantum-espresso-data is not installed")
def test_debian_files_are_those_of_the_table() -> None:
    for functional in ("pbe", "lda", "pbesol"):
        rows = [r for r in pseudo_table.rows() if (r.library, r.functional) == ("debian", functional)]
        dft = Dft(functional=functional, pseudo_dir=pseudo_table.DEBIAN_FOLDER)
        chosen = pseudo_table.choose([row.element for row in rows], dft)
        for row in chosen.values():
            head = pseudo_table.path_of(row, dft).read_text(errors="replace")[:20_000]
            assert float(re.search(r'z_valence="\s*([^"]+)"', head)[1]) == row.z_valence
            kind = re.search(r'pseudo_type="(\w+)"', head)[1]
            assert {"NC": "NC", "US": "US", "USPP": "US", "PAW": "PAW"}[kind] == row.type
            if row.cutoffs_from == "file":
                suggested = re.findall(r"Suggested minimum cutoff[^:]*:\s*([0-9.]+)", head)
                assert [float(x) for x in suggested] == [row.ecutwfc_ry, row.ecutrho_ry]


def test_cutoffs_are_the_largest_and_follow_the_type() -> None:
    dft = Dft(pseudo_library="gth")
    chosen = pseudo_table.choose(["Si", "C"], dft)
    assert pseudo_table.cutoffs_ry(chosen, dft) == (120.0, 480.0)
    assert pseudo_table.cutoffs_ry(chosen, Dft(pseudo_library="gth", ecutwfc_ry=60)) == (60.0, 240.0)


def test_cutoffs_below_those_of_the_pseudopotentials_are_said_to_be() -> None:
    chosen = pseudo_table.choose(["Si"], Dft(pseudo_library="gth"))
    own = pseudo_table.cutoffs_in_words(chosen, Dft(pseudo_library="gth"))
    wfc = chosen["Si"].ecutwfc_ry
    assert own == f"{wfc:g} / {4 * wfc:g} Ry"
    coarse = pseudo_table.cutoffs_in_words(chosen, Dft(pseudo_library="gth", ecutwfc_ry=20, ecutrho_ry=80))
    assert coarse.startswith(f"20 / 80 Ry, below the {own} of the pseudopotentials")
    assert pseudo_table.cutoffs_in_words(chosen, Dft(pseudo_library="gth", ecutwfc_ry=2 * wfc)).endswith(" Ry")


def test_missing_pseudopotentials_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no pbe pseudopotential of U in the library debian"):
        pseudo_table.choose(["U"], Dft())
    with pytest.raises(InputError, match=r"of U .*the table has none; a file under .*; or engine: gpaw, or tblite"):
        pseudo_table.choose(["U", "O"], Dft())
    whole = r"Ti .*the table has debian/lda; dft: {pseudo_library: debian, functional: lda}; or a file"
    with pytest.raises(InputError, match=whole):
        pseudo_table.choose(["Ti", "O"], Dft())
    with pytest.raises(InputError, match=r"As .*the table has debian/lda; a file"):  # Ga has none, so lda is no way out
        pseudo_table.choose(["Ga", "As"], Dft())
    with pytest.raises(InputError, match=r"Si\.pbe.*: pseudopotential of Si is missing"):
        pseudo_table.choose(["Si"], Dft(pseudo_dir=tmp_path))
    (tmp_path / "Si.pbe-nl-rrkjus_psl.1.0.0.UPF").write_text("another file")
    with pytest.raises(InputError, match="differs from the table's"):
        pseudo_table.choose(["Si"], Dft(pseudo_dir=tmp_path))


def test_magnetism_by_element() -> None:
    assert pseudo_table.moments_ub(["Si", "C"], Dft()) == {}
    assert pseudo_table.moments_ub(["Fe", "C"], Dft()) == {"Fe": 3.0, "C": 0.0}
    assert pseudo_table.moments_ub(["Fe"], Dft(magnetism="none")) == {}
    assert pseudo_table.moments_ub(["Fe"], Dft(moments_ub={"Fe": 1.5})) == {"Fe": 1.5}


HEADER = (
    '<UPF version="2.0.1">\n<PP_HEADER\n element="U " pseudo_type="PAW"\n'
    ' functional=" SLA  PW   PBX  PBC" z_valence="1.400000E+01"/>\n'
)


def own(folder: Path, element: str, text: str, functional: str = "pbe", name: str = "mine.UPF") -> Dft:
    (folder / name).write_text(text)
    files = {element: {"file": name, "ecutwfc_ry": 50.0, "ecutrho_ry": 400.0}}
    return Dft.model_validate({"pseudopotentials": files, "pseudo_dir": folder, "functional": functional})


def test_a_file_of_ones_own_takes_the_place_of_the_tables(tmp_path: Path) -> None:
    dft = own(tmp_path, "U", HEADER)
    chosen = pseudo_table.choose(["U"], dft)
    assert chosen["U"].sha256 == hashlib.sha256(HEADER.encode()).hexdigest()
    assert (chosen["U"].z_valence, chosen["U"].type) == (14.0, "PAW")
    assert pseudo_table.cutoffs_ry(chosen, dft) == (50.0, 400.0)


def test_one_of_another_element_or_functional_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pseudopotentials\.Th\.file: made for U \(right: a pseudopotential of Th\)"):
        pseudo_table.choose(["Th"], own(tmp_path, "Th", HEADER))
    with pytest.raises(InputError, match=r"made for the functional 'pbe', and dft.functional is 'lda'"):
        pseudo_table.choose(["U"], own(tmp_path, "U", HEADER, "lda"))
    with pytest.raises(InputError, match=r"mine\.UPF: no header of a UPF file"):
        pseudo_table.choose(["U"], own(tmp_path, "U", "a pseudopotential"))
    shipped = {"Ge": {"file": "Si.pbe-gth.gth", "ecutwfc_ry": 50.0, "ecutrho_ry": 400.0}}
    with pytest.raises(InputError, match="made for Si"):
        pseudo_table.choose(["Ge"], Dft.model_validate({"pseudopotentials": shipped}))


def test_the_folder_is_that_of_the_settings_then_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ESPRESSO_PSEUDO", raising=False)
    assert pseudo_table.folder(Dft()) == pseudo_table.DEBIAN_FOLDER
    monkeypatch.setenv("ESPRESSO_PSEUDO", str(tmp_path))
    assert pseudo_table.folder(Dft()) == tmp_path
    assert pseudo_table.folder(Dft(pseudo_dir=tmp_path / "own")) == tmp_path / "own"


def test_a_gth_file_of_ones_own_is_of_the_element_that_it_names(tmp_path: Path) -> None:
    text = (pseudo_table.GTH_FOLDER / "Si.pbe-gth.gth").read_text()
    assert pseudo_table.choose(["Si"], own(tmp_path, "Si", text, name="mine.gth"))["Si"].z_valence == 4.0
    with pytest.raises(InputError, match="made for Si"):
        pseudo_table.choose(["Ge"], own(tmp_path, "Ge", text, name="Ge.gth"))
    with pytest.raises(InputError, match="made for N, of which no starting density is known"):
        pseudo_table.choose(["N"], own(tmp_path, "N", text.replace("14 4 0 ", "7 5 0 "), name="N.gth"))


def test_a_file_of_ones_own_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mine\.UPF: section PP_MESH has no end"):
        pseudo_table.choose(["U"], own(tmp_path, "U", HEADER + "<PP_MESH>\n<PP_R>\n0.1 0.2"))
