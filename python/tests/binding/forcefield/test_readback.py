"""A topology held against the molecule that was meant."""

from rdkit import Chem

from gibbsflow.binding.forcefield.readback import topology_differences


def prmtop(folder, numbers, heavy, hydrogen):
    """The three sections that are read; bonds as AMBER keeps them, by three times the index."""

    def section(name, values):
        return f"%FLAG {name}\n%FORMAT(10I8)\n" + " ".join(map(str, values)) + "\n"

    def triples(bonds):
        return [value for a, b in bonds for value in (3 * a, 3 * b, 1)]

    text = "%VERSION\n" + section("ATOMIC_NUMBER", numbers)
    text += section("BONDS_INC_HYDROGEN", triples(hydrogen)) + section("BONDS_WITHOUT_HYDROGEN", triples(heavy))
    path = folder / "x.prmtop"
    path.write_text(text)
    return path


def test_elements_and_bonds(tmp_path):
    water, both = Chem.AddHs(Chem.MolFromSmiles("O")), [(0, 1), (0, 2)]
    assert topology_differences(prmtop(tmp_path, [8, 1, 1], [], both), water) == []
    moved = [(a + 1, b + 1) for a, b in both]
    assert topology_differences(prmtop(tmp_path, [18, 8, 1, 1], [], moved), water, first=1) == []
    assert topology_differences(prmtop(tmp_path, [8, 1, 1], [], both[:1]), water) == ["no bond O1-H3"]
    assert topology_differences(prmtop(tmp_path, [8, 1, 1], [], [*both, (1, 2)]), water) == ["a bond of atoms 2 and 3"]
    assert "elements are [16, 1, 1]" in topology_differences(prmtop(tmp_path, [16, 1, 1], [], both), water)[0]
