"""What is wrong with a map of two ligands, in words: whether found here or read from a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rdkit import Chem

from gibbsflow.binding.prepare.atom_map.atom_maps import DEFAULT_RULES, AtomMap, MapRules
from gibbsflow.binding.prepare.atom_map.common_core import components
from gibbsflow.binding.prepare.atom_map.side import Side, inversions
from gibbsflow.errors import first_few

_MOST_NAMED = 6


def faults(atom_map: AtomMap, mol_a: Chem.Mol, mol_b: Chem.Mol, rules: MapRules = DEFAULT_RULES) -> list[str]:
    """Say why a map is of no use.

    Parameters
    ----------
    atom_map
        The map.
    mol_a, mol_b
        Its two ligands as prepared: all hydrogens, one conformer.
    rules
        What a map may do.

    Returns
    -------
    list of str
        One sentence for each kind of fault; empty for a usable map.
    """
    a, b = Side(mol_a), Side(mol_b)
    name_a, name_b = atom_map.ligand_a, atom_map.ligand_b
    wrong = []
    for side, name, indices in (
        (a, name_a, [p[0] for p in atom_map.pairs]),
        (b, name_b, [p[1] for p in atom_map.pairs]),
    ):
        count = side.mol.GetNumAtoms()
        if outside := sorted({i for i in indices if not 0 <= i < count}):
            wrong.append(f"{name} has {count} atoms (0 to {count - 1}), and the map names {_listed(map(str, outside))}")
        elif twice := sorted(i for i, n in Counter(indices).items() if n > 1):
            wrong.append(f"{_named(side, twice)} of {name} is mapped more than once")
    if wrong:
        return wrong
    pairs = dict(atom_map.pairs)
    kinds = [(i, j) for i, j in pairs.items() if (a.numbers[i] == 1) != (b.numbers[j] == 1)]
    if kinds:
        wrong.append(f"{_pairs(a, b, kinds)}: a hydrogen is mapped on another element, to which no constraint leads")
    elements = [(i, j) for i, j in pairs.items() if a.numbers[i] != b.numbers[j] and (i, j) not in kinds]
    if elements and not rules.element_changes:
        wrong.append(f"{_pairs(a, b, elements)} change their element, which the settings do not allow")
    heavy = sum(a.numbers[i] > 1 and b.numbers[j] > 1 for i, j in pairs.items())
    if heavy < rules.fewest_heavy:
        wrong.append(f"the common core has {heavy} heavy atoms, at least {rules.fewest_heavy} are needed")
    return wrong + _bond_faults(a, b, atom_map) + _core_faults(a, b, atom_map)


def _bond_faults(a: Side, b: Side, atom_map: AtomMap) -> list[str]:
    """Bonds and rings that are there in one of the ligands alone."""
    wrong = []
    for side, other, there, pairs in (
        (a, b, (atom_map.ligand_a, atom_map.ligand_b), dict(atom_map.pairs)),
        (b, a, (atom_map.ligand_b, atom_map.ligand_a), dict(atom_map.reversed().pairs)),
    ):
        broken = [
            (i, k) for i in pairs for k in sorted(side.neighbours[i])
            if i < k and k in pairs and pairs[k] not in other.neighbours[pairs[i]]
        ]  # fmt: skip
        if broken:
            bonds = _listed(f"{_named(side, [i])}-{_named(side, [k])}" for i, k in broken)
            ring = " (a ring is opened)" if any(side.in_ring_bond(*bond) for bond in broken) else ""
            wrong.append(f"the bond {bonds} of {there[0]} is broken in {there[1]}{ring}")
            continue
        whole = {k for k, ring in enumerate(side.rings) if ring <= pairs.keys()}
        partly = sorted(i for i in pairs if side.rings_of[i] and whole.isdisjoint(side.rings_of[i]))
        if partly:
            what = "is in a ring that is not mapped as a whole"
            wrong.append(f"{_named(side, partly)} of {there[0]} {what}: rings are mapped whole or not at all")
    return wrong


def _core_faults(a: Side, b: Side, atom_map: AtomMap) -> list[str]:
    """Parts that hang together by unique atoms alone, and what would be turned inside out."""
    wrong = []
    pairs = dict(atom_map.pairs)
    number = {i: p for p, i in enumerate(pairs)}
    joined = [
        {number[k] for k in a.neighbours[i] if k in pairs and pairs[k] in b.neighbours[j]} for i, j in pairs.items()
    ]
    parts = components(range(len(pairs)), joined)
    if len(parts) > 1:
        small = sorted(list(pairs)[p] for p in min(parts, key=lambda part: (len(part), sorted(part))))
        what = f"the common core falls into {len(parts)} parts"
        wrong.append(f"{what}: {_named(a, small)} of {atom_map.ligand_a} hang together with the rest by no mapped bond")
    turned = inversions(a, b, pairs)
    centres = sorted({atoms[0] for atoms in turned if atoms[0] in a.centres or pairs[atoms[0]] in b.centres})
    if centres:
        places = _listed(f"{_named(a, [i])} to {_named(b, [pairs[i]])}" for i in centres)
        wrong.append(f"the chirality at {places} is inverted")
    if bonds := [atoms for atoms in turned if atoms[0] not in centres]:
        places = _listed(dict.fromkeys(f"{_named(a, [i])}={_named(a, [k])}" for i, k, *_ in bonds))
        wrong.append(f"the double bond {places} of {atom_map.ligand_a} is E in one of the ligands and Z in the other")
    return wrong


def _named(side: Side, atoms: list[int]) -> str:
    return _listed(f"{side.mol.GetAtomWithIdx(i).GetSymbol()}{i + 1}" for i in atoms)


def _pairs(a: Side, b: Side, pairs: list[tuple[int, int]]) -> str:
    return _listed(f"{_named(a, [i])} to {_named(b, [j])}" for i, j in pairs)


def _listed(words: Iterable[str]) -> str:
    return first_few(list(words), _MOST_NAMED)
