"""Maps in files: our own form there and back, OpenFE's read, all that is wrong said at once."""

import json

import pytest

from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap
from gibbsflow.binding.prepare.atom_map.map_files import find_map, read_maps, write_maps
from gibbsflow.errors import InputError

MAPS = [AtomMap("a", "b", ((0, 1), (2, 0))), AtomMap("b", "c", ((0, 0),))]
GRAPH = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="d1" for="edge" attr.name="mapping" attr.type="string"/>
<key id="d0" for="node" attr.name="moldict" attr.type="string"/>
<graph edgedefault="directed">
<node id="mol0"><data key="d0">{"molprops": {"ofe-name": "methyl benzene"}}</data></node>
<node id="mol1"><data key="d0">{"molprops": {"ofe-name": "ejm_31"}}</data></node>
<edge source="mol1" target="mol0"><data key="d1">[[10, 9], [0, 0]]</data></edge></graph></graphml>"""


def written(tmp_path, content, name="maps.json"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("name", ["maps.json", "maps.yaml"])
def test_there_and_back(tmp_path, name):
    assert read_maps(write_maps(tmp_path / name, MAPS)) == MAPS


def test_one_edge_alone_and_in_reverse(tmp_path):
    one = read_maps(written(tmp_path, {"ligand_a": "a", "ligand_b": "b", "pairs": [[2, 0], [0, 1]]}))
    assert one == MAPS[:1]
    assert find_map(MAPS, "a", "b") == MAPS[0] and find_map(MAPS, "c", "b") == MAPS[1].reversed()
    assert find_map(MAPS, "a", "c") is None


def test_openfe_networks_and_mappings(tmp_path):
    expected = [AtomMap("ejm_31", "methyl_benzene", ((10, 9), (0, 0)))]
    assert read_maps(written(tmp_path, [["LigandNetwork-1", {"graphml": GRAPH}]])) == expected
    assert read_maps(written(tmp_path, {"graphml": GRAPH})) == expected
    (tmp_path / "ligand_network.graphml").write_text(GRAPH)  # as openfe plan-rbfe-network writes it
    assert read_maps(tmp_path / "ligand_network.graphml") == expected
    ejm, methyl = ({"molprops": {"ofe-name": n}} for n in ("ejm_31", "methyl benzene"))
    chain = [
        ["SmallMoleculeComponent-1", ejm],
        ["SmallMoleculeComponent-2", methyl],
        [
            "LigandAtomMapping-3",
            {
                "componentA": {":gufe-key:": "SmallMoleculeComponent-1"},
                "componentB": {":gufe-key:": "SmallMoleculeComponent-2"},
                "componentA_to_componentB": {"10": 9, "0": 0},
            },
        ],
    ]
    assert read_maps(written(tmp_path, chain)) == expected
    nested = {"componentA": ejm, "componentB": methyl, "componentA_to_componentB": {"10": 9, "0": 0}}
    assert read_maps(written(tmp_path, nested)) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no atom maps"),
        ("{", "not readable"),
        ('{"ligand_a": "a", "ligand_b": "b", "pairs": [[0, 1]], "pairs": [[0, 2]]}', "pairs: given twice"),
        ("[]", "holds no atom maps"),
        ({"atom_maps": 3}, "is no list"),
        ({"atom_maps": [], "more": 1}, "unknown key 'more'"),
        ([["LigandNetwork-1", {"graphml": "<graphml"}]], "looks like OpenFE's JSON"),
        ({"ligand_a": "a", "pairs": []}, "atom map 1, ligand_b: missing"),
        ({"ligand_a": "a", "ligand_b": "a", "pairs": []}, "both ligands are 'a'"),
        ({"ligand_a": "a", "ligand_b": 3, "pairs": []}, "3 is no name"),
        ({"ligand_a": "a", "ligand_b": "b", "pairs": [[0, 1.5]]}, "[0, 1.5] is no pair"),
        ({"ligand_a": "a", "ligand_b": "b", "pairs": [[0, True]]}, "[0, True] is no pair"),
        ({"ligand_a": "a", "ligand_b": "b", "pairs": [[0, -1]]}, "[0, -1] is no pair"),
        ({"ligand_a": "a", "ligand_b": "b", "pairs": [[0, 1], [0, 2]]}, "atom 0 of ligand_a is there more than once"),
        ({"ligand_a": "a", "ligand_b": "b", "pairs": [], "pair": 1}, "unknown key 'pair'"),
    ],
)
def test_what_is_no_file_of_maps(tmp_path, content, words):
    with pytest.raises(InputError) as caught:
        read_maps(written(tmp_path, content))
    assert words in str(caught.value) and "maps.json" in str(caught.value)


def test_all_that_is_wrong_at_once_and_an_edge_once(tmp_path):
    a, back = ({"ligand_a": x, "ligand_b": y, "pairs": [[0, 0]]} for x, y in (("a", "b"), ("B", "A")))
    with pytest.raises(InputError) as caught:
        read_maps(written(tmp_path, {"atom_maps": [a, {"ligand_a": "a"}, back, 7]}))
    told = [str(p) for p in caught.value.problems]
    assert len(told) == 4 and any("number 1" in t and "atom map 3" in t for t in told)


def test_maps_of_a_network_that_was_planned(tmp_path):
    edges = [
        {"ligand_a": "a", "ligand_b": "b", "difficulty": 0.1, "atoms": [[0, 1], [1, 0]]},
        {"ligand_a": "b", "ligand_b": "c", "difficulty": 0.2, "cause": "c is lost"},
    ]
    (tmp_path / "network.json").write_text(json.dumps({"kind": "mst", "ligands": ["a", "b", "c"], "edges": edges}))
    assert read_maps(tmp_path / "network.json") == [AtomMap("a", "b", ((0, 1), (1, 0)))]
