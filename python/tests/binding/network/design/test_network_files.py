"""Networks in files, and all their faults at once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from networks import scattered

from gibbsflow.binding.network.design.links import Edge, Network
from gibbsflow.binding.network.design.network_files import read_network, write_network
from gibbsflow.binding.network.design.planning import plan
from gibbsflow.errors import InputError

DATA = os.environ.get("GIBBSFLOW_REFERENCE_DATA", "")
NODE = '<node id="{0}"><data key="d0">{{"molprops": {{"ofe-name": "{1}"}}}}</data></node>'
EDGE = '<edge source="{0}" target="{1}"><data key="d1">{2}</data></edge>'


def openfe(path: Path, names: str, edges: list[tuple[str, str, str]], head: str = "") -> Path:
    """A LigandNetwork as gufe writes it, molecules left out."""
    keys = '<key id="d0" for="node" attr.name="moldict"/><key id="d1" for="edge" attr.name="mapping"/>'
    nodes = "".join(NODE.format(f"mol{name}", name) for name in names)
    drawn = "".join(EDGE.format(f"mol{a}", f"mol{b}", m) for a, b, m in edges)
    text = f'{head}<graphml xmlns="http://graphml.graphdrawing.org/xmlns">{keys}<graph>{nodes}{drawn}</graph></graphml>'
    path.write_text(json.dumps([["LigandNetwork-1", {"graphml": text, "__qualname__": "LigandNetwork"}]]))
    return path


def test_written_and_read(tmp_path: Path) -> None:
    network = plan(scattered(7, 1))
    write_network(network, tmp_path)
    again = read_network(tmp_path / "network.json")
    assert again.kind == "redundant" and again.edges == network.edges and again.ligands == network.ligands
    assert [edge.pair for edge in read_network(tmp_path / "network.csv").edges] == [edge.pair for edge in network.edges]
    odd = Network("file", ("-a", "b"), (Edge("b", "-a", None, ((0, 0), (1, 2))),))
    write_network(odd, tmp_path)
    assert read_network(tmp_path / "network.json").edges == odd.edges
    assert read_network(tmp_path / "network.csv").edges[0].ligand_b == "-a"


def test_openfe(tmp_path: Path) -> None:
    path = openfe(tmp_path / "n.json", "abc", [("b", "a", "[[1, 0], [0, 1]]"), ("b", "c", "[[0, 0]]")])
    network = read_network(path, ["a", "b", "c"])
    assert network.edges == (Edge("b", "a", None, ((0, 1), (1, 0))), Edge("b", "c", None, ((0, 0),)))


def test_openfe_by_its_graphml_alone(tmp_path: Path) -> None:
    """`openfe plan-rbfe-network` writes ligand_network.graphml."""
    whole = openfe(tmp_path / "n.json", "ab", [("b", "a", "[[1, 0], [0, 1]]")])
    (tmp_path / "ligand_network.graphml").write_text(json.loads(whole.read_text())[0][1]["graphml"])
    network = read_network(tmp_path / "ligand_network.graphml", ["a", "b"])
    assert network.edges == (Edge("b", "a", None, ((0, 1), (1, 0))),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("strict graph {\n0 -- 1 [similarity=0.9];\n}\n", "is a graph of Graphviz"),
        ("Index_1    Index_2    Filename_1\n0 , 1 , a.mol2\n", "is LOMAP's list of scores"),
        ("4f8d2e1_9ac31b2 # a -> b\n", "is FEP\\+'s list of edges"),
        ('<?xml version="1.0"?>\n<graphml/>\n', "is XML and no table .right: OpenFE's LigandNetwork under a name that"),
    ],
)
def test_what_other_programs_plan_in_is_told_by_its_name(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "n.csv").write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        read_network(tmp_path / "n.csv", ["a", "b"])
    assert len(caught.value.problems) == 1


def test_openfe_of_names_in_digits_alone(tmp_path: Path) -> None:
    path = openfe(tmp_path / "n.json", "12", [("1", "2", "[[0, 1]]")])
    path.write_text(path.read_text().replace(r"\"ofe-name\": \"1\"", r"\"ofe-name\": 1"))
    assert r"\"ofe-name\": 1}" in path.read_text()
    assert read_network(path, ["1", "2"]).edges == (Edge("1", "2", None, ((0, 1),)),)


def test_table_with_all_faults(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text("ligand_a,ligand_b,note\na,b,x\nb,a,\nc,c,\nd,e,\nz,a,\nB,a,\n")
    with pytest.raises(InputError) as caught:
        read_network(path, ["a", "b", "c", "d", "e", "f"])
    for said in ("row 3: 'b~a' is there already (row 2)", "row 4: 'c' with itself", "row 6: 'z' is none of the ligands",
                 "'B' and 'b' differ in case alone", "4 parts that no edge connects: a, b; d, e; c; f"):  # fmt: skip
        assert said in str(caught.value)
    path.write_text("ligand_a,ligand_b\na,b\nc,d\n")
    assert len(read_network(path, whole=False).edges) == 2


def test_a_table_of_another_program_and_one_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text("ligand_i\tligand_j\tDDG(i->j) (kcal/mol)\na\tb\t0.5\n")
    assert [str(edge) for edge in read_network(path, ["a", "b"]).edges] == ["a~b"]
    path.write_text("a;b\nb;c\n")
    with pytest.raises(InputError) as caught:
        read_network(path, ["a", "b"])
    assert "semicolons" in str(caught.value) and "no edge" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "holds no network"),
        ("{", "not readable as JSON"),
        ('{"edges": [], "ligands": ["a"]}', "no edge"),
        (
            '{"edges": [{"ligand_a": "a"}, {"ligand_a": "a", "ligand_b": "b", "difficulty": 2}], "ligands": ["a"]}',
            "edges[1]",
        ),
        ('{"edges": [{"ligand_a": "a", "ligand_b": "b", "atoms": [[0, 0], [0, 1]]}], "ligands": []}', "edges[0]"),
        (
            '{"edges": [{"ligand_a": "a", "ligand_b": "b"}], "ligands": ["a", "b"], "kind": "tree"}',
            "no kind of network",
        ),
    ],
)
def test_json_that_is_none(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "n.json"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        read_network(path)
    assert said in str(caught.value)


def test_openfe_that_is_damaged(tmp_path: Path) -> None:
    path = openfe(tmp_path / "n.json", "ab", [("a", "b", "[]"), ("a", "q", "[]"), ("b", "a", "[[0, 0], [0, 1]]")])
    with pytest.raises(InputError) as caught:
        read_network(path)
    assert "an edge from 'mola' to 'molq'" in str(caught.value) and "the map of b~a is none" in str(caught.value)
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    with pytest.raises(InputError, match="declares entities"):
        read_network(openfe(tmp_path / "n.json", "ab", [("a", "b", "[]")], bomb))


@pytest.mark.skipif(not DATA, reason="needs GIBBSFLOW_REFERENCE_DATA: networks of OpenFE's benchmarks")
def test_networks_of_openfe() -> None:
    for system, ligands, edges in (("tyk2", 16, 22), ("t4_lysozyme", 12, 14)):
        network = read_network(Path(DATA) / "rbfe" / system / "industry_benchmarks_network.json")
        assert (len(network.ligands), len(network.edges)) == (ligands, edges)
        assert all(edge.atoms and len(edge.atoms) > 5 for edge in network.edges)


def test_a_kind_of_network_that_is_none_is_told_those_there_are(tmp_path):
    with pytest.raises(
        InputError, match="minimal, network: no such file, and no kind .*right: star, mst, redundant, or"
    ):
        read_network(tmp_path / "minimal")
    with pytest.raises(InputError, match=r"edges.csv: no such file \(right: a table"):
        read_network(tmp_path / "edges.csv")
