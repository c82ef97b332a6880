"""The map of an edge: both ligands side by side, mapped atoms with the same numbers, unique ones marked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Draw import rdMolDraw2D
from rdkit.Geometry import Point2D

from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap
from gibbsflow.report.figures.svg import svg_element

PANEL, HEIGHT, MARGIN = 320, 280, 26
_MAPPED, _CHANGED, _UNIQUE = "s0", "warn", "fail"
_MARKS = {_MAPPED: (1.0, 0.0, 0.0), _CHANGED: (0.0, 1.0, 0.0), _UNIQUE: (0.0, 0.0, 1.0)}
"""Colours that RDKit draws with, each replaced by one of the page's afterwards."""


_USUAL = re.compile(
    r"fill-rule:evenodd;|stroke-linecap:butt;|stroke-linejoin:miter;|stroke-opacity:1;?|fill-opacity:1;|stroke:none;|"
    r"font-(?:style|weight):normal;|font-family:sans-serif;|text-anchor:start;"
)
"""What RDKit says of each element and is so anyway."""


def draw_atom_map(atom_map: AtomMap, mol_a: Chem.Mol, mol_b: Chem.Mol) -> str:
    """Draw the map of an edge.

    Parameters
    ----------
    atom_map
        A map without faults.
    mol_a, mol_b
        Its two ligands as prepared; hydrogens are drawn where they are unique and not of a unique atom.

    Returns
    -------
    str
        SVG element: heavy atoms that are mapped have the same number on both sides.
    """
    heavy = [(i, j) for i, j in atom_map.pairs if mol_a.GetAtomWithIdx(i).GetAtomicNum() > 1]
    number = {pair: str(k) for k, pair in enumerate(heavy, 1)}
    changed = {
        pair for pair in heavy
        if mol_a.GetAtomWithIdx(pair[0]).GetAtomicNum() != mol_b.GetAtomWithIdx(pair[1]).GetAtomicNum()
    }  # fmt: skip
    depictions = []
    for side, mol in enumerate((mol_a, mol_b)):
        mapped = {pair[side] for pair in atom_map.pairs}
        kind = {pair[side]: _CHANGED if pair in changed else _MAPPED for pair in heavy}
        kind |= dict.fromkeys([i for i in range(mol.GetNumAtoms()) if i not in mapped], _UNIQUE)
        shown, place = _without_plain_hydrogens(mol, mapped)
        for pair, text in number.items():
            shown.GetAtomWithIdx(place[pair[side]]).SetProp("atomNote", text)
        depictions.append((shown, place, {place[i]: name for i, name in kind.items() if i in place}))
    (a, place_a, kinds_a), (b, place_b, kinds_b) = depictions
    rdDepictor.Compute2DCoords(a)
    _lay_on(b, a, {place_b[j]: place_a[i] for i, j in heavy})
    parts = [_panel(a, kinds_a, 0), _panel(b, kinds_b, PANEL)]
    gone = [len(unique) for unique in (atom_map.unique_a(mol_a.GetNumAtoms()), atom_map.unique_b(mol_b.GetNumAtoms()))]
    words = (
        f"{atom_map.ligand_a}: {_count(gone[0])} vanish{'es' if gone[0] == 1 else ''}",
        f"{atom_map.ligand_b}: {_count(gone[1])} appear{'s' if gone[1] == 1 else ''}",
    )
    for k, text in enumerate(words):
        parts.append(f'<text class="mid label" x="{PANEL * (k + 0.5):g}" y="{HEIGHT - 8}">{escape(text)}</text>')
    title = f"Atom map of {atom_map.ligand_a} and {atom_map.ligand_b}: {len(heavy)} heavy atoms mapped; " + "; ".join(
        words
    )
    return svg_element("".join(parts), 2 * PANEL, HEIGHT, title)


def _count(number: int) -> str:
    return f"{number} atom{'' if number == 1 else 's'}"


def _without_plain_hydrogens(mol: Chem.Mol, mapped: set[int]) -> tuple[Chem.RWMol, dict[int, int]]:
    """A copy without the hydrogens that need no mark, and where each atom that is left stands in it."""
    drawn = []
    for atom in mol.GetAtoms():
        parent = atom.GetNeighbors()[0].GetIdx() if atom.GetAtomicNum() == 1 and atom.GetDegree() else None
        if parent is None or (atom.GetIdx() not in mapped and parent in mapped):
            drawn.append(atom.GetIdx())
    shown = Chem.RWMol(mol)
    for i in sorted(set(range(mol.GetNumAtoms())) - set(drawn), reverse=True):
        atom = shown.GetAtomWithIdx(i)
        for neighbour in atom.GetNeighbors():
            neighbour.SetNumExplicitHs(neighbour.GetNumExplicitHs() + 1)
        shown.RemoveAtom(i)
    shown.RemoveAllConformers()
    Chem.SanitizeMol(shown)
    return shown, {i: k for k, i in enumerate(drawn)}


def _lay_on(mol: Chem.Mol, reference: Chem.Mol, core: Mapping[int, int]) -> None:
    """Draw a molecule with its core where the reference has it."""
    xyz = reference.GetConformer()
    places = {i: Point2D(xyz.GetAtomPosition(k).x, xyz.GetAtomPosition(k).y) for i, k in core.items()}
    rdDepictor.Compute2DCoords(mol, coordMap=places)


def _panel(mol: Chem.Mol, kinds: Mapping[int, str], left: float) -> str:
    drawer = rdMolDraw2D.MolDraw2DSVG(PANEL, HEIGHT - MARGIN, -1, -1, True)  # text as text
    options: Any = drawer.drawOptions()  # RDKit's stubs give the fields the wrong type
    options.clearBackground = False
    options.useBWAtomPalette()
    options.annotationFontScale = 0.65
    options.highlightRadius = 0.34
    colours = {i: _MARKS[name] for i, name in kinds.items()}
    prepared = rdMolDraw2D.PrepareMolForDrawing(mol, addChiralHs=False)
    drawer.DrawMolecule(prepared, highlightAtoms=list(colours), highlightAtomColors=colours, highlightBonds=[])
    drawer.FinishDrawing()
    body = re.search(r"<!-- END OF HEADER -->(.*)</svg>", drawer.GetDrawingText(), re.DOTALL)
    assert body is not None  # RDKit's drawings have this form
    text = re.sub(r"fill='#000000'", 'style="fill:#000000"', body.group(1))
    text = _USUAL.sub("", text).replace("#000000", "var(--ink)")
    for name, colour in _MARKS.items():
        code = "#" + "".join(f"{round(255 * part):02X}" for part in colour)
        text = re.sub(rf"style='fill:{code}[^']*'", f'style="fill:var(--{name});fill-opacity:.35"', text)
    return f'<g transform="translate({left:g} 0)">{text}</g>'
