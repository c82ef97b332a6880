"""Columns of the samplesheet: the one source of names, patterns and messages, for the check and for the JSON schema."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

STRUCTURE_PATTERN = r"^\S(.*\S)?\.(sdf|mol2|SDF|MOL2)$"
"""A path with inner spaces at most, of a format that is read."""
TOPOLOGY_PATTERN = r"^\S(.*\S)?\.(prmtop|parm7|prm7|top|xml|PRMTOP|PARM7|PRM7|TOP|XML)$"
COORDINATES_PATTERN = r"^\S(.*\S)?\.(rst7|inpcrd|crd|rst|restrt|ncrst|nc|gro|pdb|GRO|PDB)$"
COORDINATES_RIGHT = (
    "an existing .rst7, .inpcrd, .crd, .rst, .restrt, .ncrst, .nc, .gro or .pdb file, relative to the samplesheet's "
    "folder or absolute"
)
SOLVATED = ("complex_topology", "complex_coordinates", "solvent_topology", "solvent_coordinates")
"""Columns of a system that comes solvated, in place of structure and smiles."""
_HEADER = 10_000
LONGEST_NAME = 100
NAME_PATTERN = r"^(?!superseded-)[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$"
"""A ligand's name is that of folders and files; state that was set aside is called ``superseded-…``."""
ALIGN_PATTERN = r"align(:(?P<reference>(?!superseded-)[A-Za-z0-9_][A-Za-z0-9._-]{0,99}))?"
"""A pose that is taken from another row, of a name or the most alike."""
MOST_CHARGE = 20
MOST_SYMMETRY = 1000


@dataclass(frozen=True)
class Column:
    """One column of the samplesheet.

    Attributes
    ----------
    name, description
        Header and what it holds.
    type
        ``string``, ``integer`` or ``number``, as in JSON Schema.
    pattern
        Regular expression that a string has to match.
    right
        What would be right, for messages.
    """

    name: str
    description: str
    type: str
    right: str
    pattern: str | None = None


COLUMNS = (
    Column(
        "ligand",
        "Name of the ligand, unique; it names files and the row of the results.",
        "string",
        f"at most {LONGEST_NAME} letters, digits, '.', '_' and '-', not starting with '.', '-' or 'superseded-', "
        "each name once",
        NAME_PATTERN,
    ),
    Column(
        "structure",
        "3-D structure: SDF or MOL2, relative to the samplesheet's folder or absolute. This or smiles.",
        "string",
        "an existing .sdf or .mol2 file, relative to the samplesheet's folder or absolute; smiles has its own column",
        STRUCTURE_PATTERN,
    ),
    Column(
        "smiles",
        "SMILES of the ligand as protonated in the complex. This or structure.",
        "string",
        "a SMILES string without spaces; files go into the column structure",
        r"^(?!.*\.(sdf|mol2?|pdb|cif)$)\S+$",
    ),
    Column(
        "complex_topology",
        "The complex taken solvated as it is: prmtop, parm7 or prm7 (AMBER), top (GROMACS) or xml (OpenMM's System).",
        "string",
        "an existing .prmtop, .parm7, .prm7, .top or .xml file, relative to the samplesheet's folder or absolute",
        TOPOLOGY_PATTERN,
    ),
    Column(
        "complex_coordinates",
        "Its coordinates with their box: rst7, inpcrd or ncrst (AMBER), gro (GROMACS) or pdb.",
        "string",
        COORDINATES_RIGHT,
        COORDINATES_PATTERN,
    ),
    Column(
        "solvent_topology",
        "The ligand alone in a box of its own, taken as it is; formats as of the complex.",
        "string",
        "an existing .prmtop, .parm7, .prm7, .top or .xml file, relative to the samplesheet's folder or absolute",
        TOPOLOGY_PATTERN,
    ),
    Column(
        "solvent_coordinates",
        "Its coordinates with their box.",
        "string",
        COORDINATES_RIGHT,
        COORDINATES_PATTERN,
    ),
    Column(
        "ligand_residue",
        "Residue of the ligand in these topologies, as NAME or NAME:NUMBER; default: the molecule that it must be.",
        "string",
        "the name of a residue, such as MOL, or MOL:2 where there are several",
        r"^[A-Za-z0-9_+*-]{1,5}(:[A-Za-z0-9]+)?(:[0-9]{1,7})?$",
    ),
    Column(
        "charge",
        "Net charge in e, as a check on the structure.",
        "integer",
        f"an integer between -{MOST_CHARGE} and {MOST_CHARGE}",
    ),
    Column(
        "pose",
        "given (the structure is in the receptor's frame), place (in the host's cavity), align or align:LIGAND (on the "
        "pose of the most similar row, or of that one), or a file with the bound pose; default: place for smiles, "
        "given for structure.",
        "string",
        "'given', 'place', 'align', 'align:' and another row's name, or an existing .sdf or .mol2 file with the pose "
        "in the receptor's frame",
        r"^(given|place|align(:[A-Za-z0-9_][A-Za-z0-9._-]{0,99})?|\S(.*\S)?\.(sdf|mol2|SDF|MOL2))$",
    ),
    Column(
        "experimental_dg_kcal_per_mol",
        "Measured binding free energy in kcal/mol, for comparison.",
        "number",
        "a number in kcal/mol, such as -13.4",
    ),
    Column(
        "symmetry_number",
        "Equivalent poses of which a Boresch restraint holds one, for this ligand; default: the setting of that name.",
        "integer",
        f"an integer between 1 and {MOST_SYMMETRY}",
    ),
    Column(
        "pose_of",
        "Name of the ligand that the row is a pose of: rows with the same one are summed up to its ΔG.",
        "string",
        "a name of the same form as 'ligand', and no row's own",
        NAME_PATTERN,
    ),
    Column("group", "Any label to group rows by in the report.", "string", "plain text on one line", r"^[^\r\n]*$"),
)
NAMES = tuple(column.name for column in COLUMNS)
BY_NAME = {column.name: column for column in COLUMNS}


def brings_receptors(sheet: Path) -> bool:
    """Say whether a samplesheet has complexes that come solvated, so that no receptor need be given beside it.

    Parameters
    ----------
    sheet
        Samplesheet; whether it can be read at all is found out later.

    Returns
    -------
    bool
        By its header alone.
    """
    if not sheet.is_file():
        return False
    with open(sheet, errors="replace") as file:
        return "complex_topology" in [name.strip(' "\ufeff\r\n') for name in file.readline(_HEADER).split(",")]


def samplesheet_schema() -> dict[str, Any]:
    """Make the JSON schema of the samplesheet, as nf-schema reads it; ``assets/schema_input.json`` holds it.

    Returns
    -------
    dict
        The schema.
    """
    properties = {}
    for column in COLUMNS:
        item: dict[str, Any] = {"type": column.type, "description": column.description}
        if column.pattern:
            item["pattern"] = column.pattern
        if column.name == "charge":
            item |= {"minimum": -MOST_CHARGE, "maximum": MOST_CHARGE}
        if column.name == "symmetry_number":
            item |= {"minimum": 1, "maximum": MOST_SYMMETRY}
        properties[column.name] = item | {"errorMessage": f"{column.name} takes {column.right}"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gibbsflow samplesheet",
        "description": "One row a ligand",
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": properties,
            "required": ["ligand"],
            "oneOf": [
                {"required": ["structure"]},
                {"required": ["smiles"]},
                {"anyOf": [{"required": ["complex_topology"]}, {"required": ["solvent_topology"]}]},
            ],
            "additionalProperties": False,
            "errorMessage": {
                "required": "each row needs ligand and either structure, smiles or topologies",
                "oneOf": "each row needs exactly one of structure, smiles and topologies",
            },
        },
        "uniqueEntries": ["ligand"],
    }
