"""Topologies of GROMACS and OpenMM as AMBER's: the same energies, term by term."""

import dataclasses
import re
import shutil
import subprocess

import numpy as np
import openmm
import parmed
import pytest
import solvated_systems as boxes
from openmm import app, unit

from gibbsflow.binding.forcefield.given.canonical import amber_text, settled, without_others
from gibbsflow.binding.forcefield.given.coordinate_files import read_coordinates
from gibbsflow.binding.forcefield.given.prmtop_terms import read_terms
from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.errors import InputError
from gibbsflow.workflow.account import Account


def energies(prmtop, coordinates):
    system = app.AmberPrmtopFile(str(prmtop)).createSystem(
        nonbondedMethod=app.PME, nonbondedCutoff=0.8 * unit.nanometer, constraints=app.HBonds
    )
    for group, force in enumerate(system.getForces()):
        force.setForceGroup(group)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("CPU"))
    context.setPeriodicBoxVectors(*(coordinates.vectors_angstrom / 10))
    context.setPositions(coordinates.positions_angstrom / 10)
    return {
        force.getName(): context.getState(getEnergy=True, groups={group}).getPotentialEnergy()._value
        for group, force in enumerate(system.getForces())
    }, system


def same(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert second[name] == pytest.approx(value, rel=1e-6, abs=2e-3), name


@pytest.fixture(scope="module")
def amber():
    folder = boxes.boxes()
    coordinates = read_coordinates(folder / "solvent.inpcrd", field="x", where="x")
    return folder / "solvent.prmtop", coordinates, *energies(folder / "solvent.prmtop", coordinates)


def test_gromacs_with_ryckaert_bellemans_torsions(amber, tmp_path):
    prmtop, coordinates, expected, system = amber
    structure = parmed.load_file(str(prmtop), str(prmtop.with_suffix(".inpcrd")))
    structure.save(str(tmp_path / "x.top"))
    text = (tmp_path / "x.top").read_text()
    torsions = [d for d in structure.dihedrals if d.type.per == 3 and d.type.phi_k > 0]
    assert torsions  # k (1 + cos 3φ) is 1 + 3 cos ψ − 4 cos³ ψ, ψ = φ − 180°
    lines = []
    for line in text.split("\n"):
        words = line.split()
        if len(words) == 8 and words[4] in ("1", "9") and words[7] == "3":
            k = float(words[6])
            line = " ".join([*words[:4], "3", *(f"{c:.8f}" for c in (k, 3 * k, 0, -4 * k, 0, 0))])
        lines.append(line)
    assert "\n".join(lines) != text
    for content in (text, "\n".join(lines)):
        (tmp_path / "x.top").write_text(content)
        account = Account("w")
        made = amber_text(tmp_path / "x.top", coordinates, (), None, account, field="f")
        (tmp_path / "made.prmtop").write_text(made)
        found, other = energies(tmp_path / "made.prmtop", coordinates)
        same(expected, found)
        assert other.getNumConstraints() == system.getNumConstraints() and "0 included files" in str(account.doubts[0])


def test_gromacs_with_water_of_four_sites(tmp_path):
    prmtop = boxes.boxes("tip4pew") / "solvent.prmtop"
    coordinates = read_coordinates(prmtop.with_suffix(".inpcrd"), field="x", where="x")
    parmed.load_file(str(prmtop), str(prmtop.with_suffix(".inpcrd"))).save(str(tmp_path / "x.top"))
    assert "virtual_sites3" in (tmp_path / "x.top").read_text()
    made = amber_text(tmp_path / "x.top", coordinates, (), None, Account("w"), field="f")
    (tmp_path / "made.prmtop").write_text(made)
    (expected, given), (found, other) = (energies(file, coordinates) for file in (prmtop, tmp_path / "made.prmtop"))
    for bonded in (expected, found):  # tleap's bond of a site, which moves nothing
        del bonded["HarmonicBondForce"]
    same(expected, found)
    assert other.getNumParticles() == given.getNumParticles() == len(coordinates.positions_angstrom)


def test_torsions_of_several_terms_by_types(amber, tmp_path):
    """As pdb2gmx writes them: no numbers in the molecule, several rows for one quadruple of types."""
    prmtop, coordinates, expected, _ = amber
    parmed.load_file(str(prmtop), str(prmtop.with_suffix(".inpcrd"))).save(str(tmp_path / "x.top"))
    text = (tmp_path / "x.top").read_text()
    rows = re.findall(r"^ +\d+ +1 +5 +6 +1 +(0\.0+ +\S+ +3) *\n", text, re.MULTILINE)
    assert len(rows) == 3
    text = re.sub(r"^( +\d+ +1 +5 +6) +1 +0\.0+ +\S+ +3 *\n", r"\1 9\n", text, flags=re.MULTILINE)
    types = "".join(f"h1 c3 oh ho 9 {row}\n" for row in (rows[0], "0.0 0.0 0"))
    text = text.replace("[ moleculetype ]", f"[ dihedraltypes ]\n{types}\n[ moleculetype ]", 1)
    (tmp_path / "x.top").write_text(text)
    made = amber_text(tmp_path / "x.top", coordinates, (), None, Account("w"), field="f")
    (tmp_path / "made.prmtop").write_text(made)
    same(expected, energies(tmp_path / "made.prmtop", coordinates)[0])


def test_equal_torsions_of_function_9_count_each(amber, tmp_path):
    """As GROMACS counts them; ParmEd would take one of two that are alike, and no two of one periodicity."""
    prmtop, coordinates, expected, _ = amber
    parmed.load_file(str(prmtop), str(prmtop.with_suffix(".inpcrd"))).save(str(tmp_path / "x.top"))
    row = re.compile(r"^( +\d+ +1 +5 +6) +1 +(0\.0+) +(\S+) +3 *\n", re.MULTILINE)
    half = lambda m: 2 * f"{m[1]} 9 {m[2]} {float(m[3]) / 2:.8f} 3\n"  # noqa: E731
    text, found = row.subn(half, (tmp_path / "x.top").read_text())
    assert found == 3
    (tmp_path / "x.top").write_text(text)
    made = amber_text(tmp_path / "x.top", coordinates, (), None, Account("w"), field="f")
    (tmp_path / "made.prmtop").write_text(made)
    same(expected, energies(tmp_path / "made.prmtop", coordinates)[0])


LENNARD_JONES, COULOMB = "LJ-14", "Coulomb-14"


def by_gromacs(top, folder):
    """Energies of 1-4 pairs by GROMACS, kJ/mol."""
    mdp = "cutoff-scheme = verlet\nrcoulomb = 0.7\nrvdw = 0.7\nrlist = 0.7\ncoulombtype = pme\ncontinuation = yes\n"
    (folder / "x.mdp").write_text(f"{mdp}integrator = md\nnsteps = 0\nnstenergy = 1\nnstcalcenergy = 1\n")
    for words, said in (
        (f"grompp -f x.mdp -c x.gro -p {top.name} -o x.tpr -maxwarn 3", ""),
        ("mdrun -nt 1 -deffnm x", ""),
        ("energy -f x.edr -o x.xvg", f"{LENNARD_JONES}\n{COULOMB}\n\n"),
    ):
        command = ["gmx", "-quiet", "-nobackup", *words.split()]
        subprocess.run(command, cwd=folder, input=said, text=True, check=True, capture_output=True, timeout=60)
    (row,) = [line for line in (folder / "x.xvg").read_text().splitlines() if line[0] not in "#@"]
    return dict(zip((LENNARD_JONES, COULOMB), map(float, row.split()[1:]), strict=True))


def pairs_of(prmtop, coordinates):
    """The same by the exceptions of OpenMM."""
    system = app.AmberPrmtopFile(str(prmtop)).createSystem(nonbondedMethod=app.PME, nonbondedCutoff=0.7)
    (force,) = (one for one in system.getForces() if isinstance(one, openmm.NonbondedForce))
    told = {LENNARD_JONES: 0.0, COULOMB: 0.0}
    for index in range(force.getNumExceptions()):
        i, j, *numbers = force.getExceptionParameters(index)
        product, sigma, epsilon = (one._value for one in numbers)
        distance = np.linalg.norm(np.subtract(*coordinates.positions_angstrom[[i, j]])) / 10
        told[COULOMB] += 138.935458 * product / distance
        told[LENNARD_JONES] += 4 * epsilon * ((sigma / distance) ** 12 - (sigma / distance) ** 6)
    return told


@pytest.mark.skipif(shutil.which("gmx") is None, reason="no gmx")
@pytest.mark.parametrize("by_types", [False, True])
def test_pairs_with_a_depth_of_their_own_are_those_of_gromacs(tmp_path, by_types):
    """As rows of pairs have it, and as [ pairtypes ], where types of bonds have names of their own."""
    prmtop = boxes.boxes() / "complex.prmtop"
    structure = parmed.load_file(str(prmtop), str(prmtop.with_suffix(".inpcrd")))
    structure.save(str(tmp_path / "x.top"))
    structure.save(str(tmp_path / "x.gro"), precision=7)
    text = (tmp_path / "x.top").read_text()
    found = re.findall(r"^(\S+) +\d+ +[\d.]+ +\S+ +A +(\S+) +(\S+)", text, re.MULTILINE)
    types = {name: (float(sigma), float(epsilon)) for name, sigma, epsilon in found}

    def own(first, second):
        (a, depth), (b, other) = types[first], types[second]
        return f"{(a + b) / 2:.9f} {0.7 * (depth * other) ** 0.5:.9f}"

    if by_types:
        text = re.sub(r"^(\S+)( +\d+ +[\d.]+ +\S+ +A .*)$", r"\1 B\1\2", text, flags=re.MULTILINE)
        rows = [f"{a} {b} 1 {own(a, b)}\n" for a in types for b in types if a <= b]
        text = text.replace("[ moleculetype ]", f"[ pairtypes ]\n{''.join(rows)}\n[ moleculetype ]", 1)
    else:
        head, tail = text.split("[ pairs ]", 1)
        pairs, tail = tail.split("[ angles ]", 1)
        kinds = [atom.type for atom in structure.atoms]
        each = lambda m: f"{m[0]} {own(kinds[int(m[1]) - 1], kinds[int(m[2]) - 1])}"  # noqa: E731
        pairs = re.sub(r"^ +(\d+) +(\d+) +1 *$", each, pairs, flags=re.MULTILINE)
        text = f"{head}[ pairs ]{pairs}[ angles ]{tail}"
    assert text != (tmp_path / "x.top").read_text()
    (tmp_path / "x.top").write_text(text)
    coordinates = read_coordinates(tmp_path / "x.gro", field="x", where="x")
    made = amber_text(tmp_path / "x.top", coordinates, (), None, Account("w"), field="f")
    (tmp_path / "made.prmtop").write_text(made)
    expected, plain = by_gromacs(tmp_path / "x.top", tmp_path), pairs_of(prmtop, coordinates)
    assert pairs_of(tmp_path / "made.prmtop", coordinates) == pytest.approx(expected, rel=1e-4)
    assert expected[LENNARD_JONES] > 1.1 * plain[LENNARD_JONES]


def test_elements_of_repartitioned_masses_without_numbers(amber, tmp_path):
    """As acpype writes types; ParmEd would take hydrogens of 3.024 amu for helium, which no constraint holds."""
    prmtop, coordinates, expected, system = amber
    structure = parmed.load_file(str(prmtop), str(prmtop.with_suffix(".inpcrd")))
    parmed.tools.HMassRepartition(structure, 3.024).execute()
    structure.save(str(tmp_path / "x.top"))
    types = re.compile(r"^(\S+) +\d+ +[\d.]+ +(\S+ +A .*)$", re.MULTILINE)
    text, found = types.subn(r"\1 \1 0.0 \2", (tmp_path / "x.top").read_text())
    assert found > 4
    (tmp_path / "x.top").write_text(text)
    made = amber_text(tmp_path / "x.top", coordinates, (), None, Account("w"), field="f")
    (tmp_path / "made.prmtop").write_text(made)
    energy, other = energies(tmp_path / "made.prmtop", coordinates)
    same(expected, energy)
    assert other.getNumConstraints() == system.getNumConstraints()
    assert read_terms(tmp_path / "made.prmtop", where="w").elements[:6].tolist() == [6, 1, 1, 1, 8, 1]


def test_pairs_of_a_system_with_numbers_of_their_own_are_refused_as_such(amber, tmp_path):
    prmtop, coordinates, *_ = amber
    loaded = app.AmberPrmtopFile(str(prmtop))
    system = loaded.createSystem(nonbondedMethod=app.PME, nonbondedCutoff=0.8, constraints=app.HBonds)
    (pairs,) = (force for force in system.getForces() if isinstance(force, openmm.NonbondedForce))
    held = [(k, *pairs.getExceptionParameters(k)) for k in range(pairs.getNumExceptions())]
    number, i, j, charges, *_ = next(row for row in held if row[3]._value)
    pairs.setExceptionParameters(number, i, j, charges, 0.3, 0.2)
    (tmp_path / "x.xml").write_text(openmm.XmlSerializer.serialize(system))
    with open(tmp_path / "x.pdb", "w") as file:
        app.PDBFile.writeFile(loaded.topology, coordinates.positions_angstrom * unit.angstrom, file)
    with pytest.raises(InputError, match="1-4 pairs with Lennard-Jones of their own"):
        amber_text(tmp_path / "x.xml", coordinates, (), (tmp_path / "x.pdb").read_text(), Account("w"), field="f")


def test_a_state_b_is_told(amber, tmp_path):
    prmtop, coordinates, *_ = amber
    parmed.load_file(str(prmtop), str(prmtop.with_suffix(".inpcrd"))).save(str(tmp_path / "x.top"))
    text = re.sub(
        r"^( +\d+ +\S+ +\d+ +MOH [^;\n]*)", r"\1 c3 0.0 12.01 ", (tmp_path / "x.top").read_text(), flags=re.MULTILINE
    )
    (tmp_path / "x.top").write_text(text)
    account = Account("w")
    amber_text(tmp_path / "x.top", coordinates, (), None, account, field="f")
    (doubt,) = account.of_weight("warn")
    assert "6 atoms of MOH have a state B; A is computed" in doubt.what


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[ dihedrals ]", "[ dihedral_restraints ]\n2 1 5 6 1 120 0 10\n\n[ dihedrals ]", r"\[ dihedral_restraints \]"),
        ("[ angles ]", "[ constraints ]\n1 6 1 0.2\n\n[ angles ]", r"\[ constraints \]"),
        ("[ bonds ]", "[ exclusions ]\n2 6\n\n[ bonds ]", "excludes atoms 2 and 6 of MOH, more than three bonds"),
        ("MOH          3", "MOH          2", "nrexcl 2"),
        (
            "[ bonds ]\n",
            "[ bonds ]\n2 3 10 0.1 0.2 0.3 9\n",
            r"\[ bonds \] of MOH: the row 2 3 10 .* is of function 10",
        ),
        ("[ pairs ]\n", "[ pairs ]\n2 3 1 0.5 0.5\n", r"the row 2 3 1 0\.5 0\.5 has a σ of its own, where that of its"),
    ],
)
def test_what_parmed_passes_over_is_refused(amber, tmp_path, old, new, expected):
    prmtop, coordinates, *_ = amber
    parmed.load_file(str(prmtop)).save(str(tmp_path / "x.top"))
    text = (tmp_path / "x.top").read_text()
    if "excludes" in expected:  # a bond less, and the two are far apart
        text = re.sub(r"^ +5 +6 +1 +0\.\S+ +\S+\n", "", text, count=1, flags=re.MULTILINE)
    assert old in text
    (tmp_path / "x.top").write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=expected):
        amber_text(tmp_path / "x.top", coordinates, (), None, Account("w"), field="f")


@pytest.mark.parametrize(
    ("rows", "atoms"),
    [
        ("1 1 1000 1000 1000\n2 1 0 0 1000\n2 1 10 0 0", 2),
        ("1 1 FC FC FC ; its constant is a macro\n5 2 1 0.5 200", 2),
        ("1 1 0 0.0 0e0\n2 2 1 0.5 0", 0),
        ("", 0),
    ],
)
def test_position_restraints_are_left_out_and_said(amber, tmp_path, rows, atoms):
    prmtop, coordinates, expected, _ = amber
    parmed.load_file(str(prmtop)).save(str(tmp_path / "x.top"))
    text = (tmp_path / "x.top").read_text()
    (tmp_path / "posre.itp").write_text(f"[ position_restraints ]\n{rows}\n")
    account = Account("w")
    hidden = '#ifdef OTHER\n[ position_restraints ]\n3 1 9 9 9\n#endif\n#define FC 100\n#include "posre.itp"\n'
    (tmp_path / "x.top").write_text(text.replace("[ angles ]", f"{hidden}\n[ angles ]", 1))
    (tmp_path / "made.prmtop").write_text(amber_text(tmp_path / "x.top", coordinates, (), None, account, field="f"))
    same(expected, energies(tmp_path / "made.prmtop", coordinates)[0])
    told = [str(doubt) for doubt in account.of_weight("warn")]
    assert [f"position restraints on {atoms} atoms of MOH are left out" in one for one in told] == [True] * bool(atoms)


def test_a_system_of_openmm(amber, tmp_path):
    prmtop, coordinates, expected, system = amber
    (tmp_path / "x.xml").write_text(openmm.XmlSerializer.serialize(system))
    topology = app.AmberPrmtopFile(str(prmtop)).topology
    with open(tmp_path / "x.pdb", "w") as file:
        app.PDBFile.writeFile(topology, coordinates.positions_angstrom * unit.angstrom, file)
    pdb = (tmp_path / "x.pdb").read_text()
    made = amber_text(tmp_path / "x.xml", coordinates, (), pdb, Account("w"), field="f")
    (tmp_path / "made.prmtop").write_text(made)
    found, other = energies(tmp_path / "made.prmtop", coordinates)
    rigid = "HarmonicBondForce"  # one bond C–O is not rigid
    same({k: v for k, v in expected.items() if k != rigid}, {k: v for k, v in found.items() if k != rigid})
    assert found[rigid] == pytest.approx(expected[rigid], abs=1e-3)
    assert other.getNumConstraints() == system.getNumConstraints()
    with pytest.raises(InputError, match="no names of atoms"):
        amber_text(tmp_path / "x.xml", coordinates, (), None, Account("w"), field="f")
    system = openmm.XmlSerializer.clone(system)
    system.addForce(openmm.CustomBondForce("r"))
    (tmp_path / "x.xml").write_text(openmm.XmlSerializer.serialize(system))
    with pytest.raises(InputError, match="does not know: CustomBondForce"):
        amber_text(tmp_path / "x.xml", coordinates, (), pdb, Account("w"), field="f")


def test_a_pdb_has_the_elements_of_its_systems_masses(amber, tmp_path):
    """Of a PDB without elements OpenMM takes them from names: CL and NAA, as PRODRG calls atoms, for Cl and Na."""
    prmtop, coordinates, _, system = amber
    topology = app.AmberPrmtopFile(str(prmtop)).topology
    with open(tmp_path / "x.pdb", "w") as file:
        app.PDBFile.writeFile(topology, coordinates.positions_angstrom * unit.angstrom, file)
    lines = (tmp_path / "x.pdb").read_text().split("\n")
    bare = "\n".join(line[:76] if line.startswith(("ATOM", "HETATM")) else line for line in lines)
    (tmp_path / "x.xml").write_text(openmm.XmlSerializer.serialize(system))

    def read(pdb):
        return amber_text(tmp_path / "x.xml", coordinates, (), pdb, Account("w"), field="f")

    assert read(bare)
    for name, element in (("NAA", "Na"), ("CL ", "Cl")):
        with pytest.raises(InputError, match=f"{name.strip()} of MOH 1, atom 5, is {element} in the PDB") as refused:
            read(bare.replace(" O1  MOH", f" {name} MOH"))
        assert "columns 77 and 78" in refused.value.problems[0].right
    places = [k for k, line in enumerate(lines) if line.startswith(("ATOM", "HETATM"))][:2]
    lines[places[0]], lines[places[1]] = lines[places[1]], lines[places[0]]
    with pytest.raises(InputError, match="H1 of MOH 1, atom 1, is H in the PDB and has the mass of C"):
        read("\n".join(lines))


def test_a_system_with_all_bonds_rigid_is_refused(amber, tmp_path):
    prmtop, coordinates, *_ = amber
    loaded = app.AmberPrmtopFile(str(prmtop))
    system = loaded.createSystem(nonbondedMethod=app.PME, nonbondedCutoff=0.8, constraints=app.AllBonds)
    (tmp_path / "x.xml").write_text(openmm.XmlSerializer.serialize(system))
    with open(tmp_path / "x.pdb", "w") as file:
        app.PDBFile.writeFile(loaded.topology, coordinates.positions_angstrom * unit.angstrom, file)
    with pytest.raises(InputError, match="held rigid") as refused:
        amber_text(tmp_path / "x.xml", coordinates, (), (tmp_path / "x.pdb").read_text(), Account("w"), field="f")
    assert "HBonds" in refused.value.problems[0].right


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda force: force.setNonbondedMethod(openmm.NonbondedForce.LJPME), "LJPME of its"),
        (lambda force: force.setNonbondedMethod(openmm.NonbondedForce.CutoffPeriodic), "a reaction field of its"),
        (
            lambda force: (force.setUseSwitchingFunction(True), force.setUseDispersionCorrection(False)),
            "a switching function, no long-range correction of its",
        ),
        (lambda force: None, None),
    ],
)
def test_how_a_system_treats_its_pairs_is_told_where_it_is_not_kept(amber, tmp_path, change, expected):
    prmtop, coordinates, _, system = amber
    system = openmm.XmlSerializer.clone(system)
    change(next(force for force in system.getForces() if isinstance(force, openmm.NonbondedForce)))
    system.addForce(openmm.MonteCarloFlexibleBarostat(1, 300))
    (tmp_path / "x.xml").write_text(openmm.XmlSerializer.serialize(system))
    with open(tmp_path / "x.pdb", "w") as file:
        positions = coordinates.positions_angstrom * unit.angstrom
        app.PDBFile.writeFile(app.AmberPrmtopFile(str(prmtop)).topology, positions, file)
    account = Account("w")
    amber_text(tmp_path / "x.xml", coordinates, (), (tmp_path / "x.pdb").read_text(), account, field="f")
    assert [expected in str(doubt) for doubt in account.of_weight("warn")] == [True] * bool(expected)


def test_another_combination_rule_and_another_number_of_atoms_are_refused(amber, tmp_path):
    prmtop, coordinates, *_ = amber
    parmed.load_file(str(prmtop)).save(str(tmp_path / "x.top"))
    text = (tmp_path / "x.top").read_text()
    fewer = dataclasses.replace(coordinates, positions_angstrom=coordinates.positions_angstrom[:-3])
    with pytest.raises(InputError, match="in the coordinates"):
        amber_text(tmp_path / "x.top", fewer, (), None, Account("w"), field="f")
    small = dataclasses.replace(coordinates, box_angstrom=(17.5, 40.0, 40.0, 90.0, 90.0, 90.0))
    with pytest.raises(InputError, match=r"a box of 17\.5 Å.*at least 18 Å"):
        amber_text(tmp_path / "x.top", small, (), None, Account("w"), field="f")
    rule = re.search(r"^ *1 +2 +yes", text, re.MULTILINE)
    changed = text[: rule.start()] + rule[0].replace("2", "3") + text[rule.end() :]
    (tmp_path / "x.top").write_text(changed)
    with pytest.raises(InputError, match="combination rule"):
        amber_text(tmp_path / "x.top", coordinates, (), None, Account("w"), field="f")


def test_waters_are_named_and_molecules_counted_anew(amber, tmp_path):
    prmtop, coordinates, expected, _ = amber
    terms = read_terms(prmtop, where="x")
    copy = tmp_path / "x.prmtop"
    copy.write_text(prmtop.read_text())
    boxes.replaced(copy, "RESIDUE_LABEL", lambda labels: [labels[0], *["SOL"] * (len(labels) - 1)])
    boxes.replaced(copy, "ATOMS_PER_MOLECULE", lambda sizes: [sum(sizes)])
    waters, sizes = range(1, len(terms.labels)), np.bincount(terms.molecule_of)
    text = settled(copy.read_text(), terms.elements.tolist(), waters, sizes.tolist(), coordinates.vectors_angstrom)
    copy.write_text(text)
    assert read_terms(copy, where="x").labels[1:] == ("WAT",) * len(waters)
    same(expected, energies(copy, coordinates)[0])


def test_the_ligand_alone_keeps_its_terms(amber, tmp_path):
    without_others(amber[0], range(6), tmp_path / "l.prmtop")
    alone = app.AmberPrmtopFile(str(tmp_path / "l.prmtop"))
    assert alone.topology.getNumAtoms() == 6 and alone.topology.getPeriodicBoxVectors() is None
    assert alone.createSystem(constraints=app.HBonds).getNumConstraints() == 4
    boxed = Md(solvent="tip3p", cutoff_angstrom=7)
    pairs = ((amber[0], boxed), (tmp_path / "l.prmtop", Md(solvent="vacuum")))
    taken = [OPENMM.nonbonded(OPENMM.system(path, md))[:6] for path, md in pairs]
    assert np.allclose(*taken, atol=1e-7) and taken[0][0, 2] > 0


def test_topologies_of_amber_by_other_names(amber, tmp_path):
    prmtop, coordinates, *_ = amber
    text = prmtop.read_text()
    for name in ("x.prm7", "x.parm7", "x.top"):
        (tmp_path / name).write_text(text)
        made = amber_text(tmp_path / name, coordinates, (), None, Account("w"), field="f")
        assert made.split("\n", 1)[1].rstrip() == text.split("\n", 1)[1].rstrip()
