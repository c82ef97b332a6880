"""From SMILES to topologies: CB7·B2 end to end, and T4 lysozyme with p-xylene."""

import re

import numpy as np
import openmm
import pytest
from known_molecules import CB7, LYSOZYME, SMILES
from openmm import app, unit
from peptides import hetero, peptide
from rdkit.Chem import AllChem

from gibbsflow.binding.forcefield.amber_protein import amber_protein
from gibbsflow.binding.forcefield.parametrise import parametrise_system
from gibbsflow.binding.forcefield.topology import build_topologies, site_atoms
from gibbsflow.binding.forcefield.topology_file import Topology, residue_labels
from gibbsflow.binding.prepare.complex import prepare_system, row_from_options
from gibbsflow.binding.prepare.molecules import Chem
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.engines.process import Bounds, run_program
from gibbsflow.errors import ParametrisationError

KCAL = unit.kilocalorie_per_mole

TERM = re.compile(r"(BOND|ANGLE|DIHED|VDWAALS|EEL|EGB|1-4 VDW|1-4 EEL|RESTRAINT)\s+=\s+(-?\d+\.\d+)")


def build(folder, receptor, settings, **row) -> SimSystem:
    given = dict(structure=None, smiles=None, charge=None, pose=None) | row
    (folder / "prep").mkdir(exist_ok=True)
    single = row_from_options("guest", *given.values())
    system, _ = prepare_system(single, receptor, settings, folder / "prep")
    system, _ = parametrise_system(system, settings.param, cache=folder / "cache", out=folder / "param")
    return build_topologies(system, settings.md, folder / "top")


@pytest.fixture(scope="module")
def cb7_b2(tmp_path_factory):
    return build(tmp_path_factory.mktemp("cb7"), CB7, BindingConfig(), smiles=SMILES["b2"])


@pytest.fixture(scope="module")
def lysozyme(tmp_path_factory):
    settings = BindingConfig.from_params({"site": "A:84,A:99,A:102"})
    return build(
        tmp_path_factory.mktemp("t4"), LYSOZYME / "receptor.pdb", settings, structure=LYSOZYME / "ligand.tripos.mol2"
    )


def topology(system: SimSystem, part: str = "complex") -> Topology:
    return Topology.read(system.path(f"{part}_prmtop"), system.path(f"{part}_inpcrd"))


def openmm_energy(system: SimSystem, part: str, solvent) -> float:
    prmtop = app.AmberPrmtopFile(str(system.path(f"{part}_prmtop")))
    inpcrd = app.AmberInpcrdFile(str(system.path(f"{part}_inpcrd")))
    made = prmtop.createSystem(implicitSolvent=solvent, gbsaModel=None)
    if solvent is not None:
        assert any(isinstance(force, openmm.GBSAOBCForce) for force in made.getForces())
    context = openmm.Context(made, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(inpcrd.positions)
    return context.getState(getEnergy=True).getPotentialEnergy().value_in_unit(KCAL)


def test_cb7_b2_end_to_end(cb7_b2):
    complete, ligand = topology(cb7_b2), topology(cb7_b2, "ligand")
    assert (len(complete.elements), len(ligand.elements)) == (156, 30)
    assert cb7_b2.meta["receptor_atoms"] == list(range(126)) and cb7_b2.meta["ligand_atoms"] == list(range(126, 156))
    assert len(cb7_b2.meta["site_atoms"]) == 84 and cb7_b2.meta["md"]["solvent"] == "obc2"
    assert complete.charges_e.sum() == pytest.approx(0, abs=1e-4) == ligand.charges_e.sum()
    assert ligand.elements.tolist() == complete.elements[126:].tolist()
    assert np.array_equal(ligand.positions_angstrom, complete.positions_angstrom[126:])
    assert "mbondi2" in cb7_b2.path("complex_prmtop").read_text()


def test_atoms_stay_in_the_order_of_the_files(cb7_b2):
    """The ligand's and the host's SDF, the topology and the coordinates all count alike."""
    for role, atoms in (("receptor", "receptor_atoms"), ("ligand", "ligand_atoms")):
        mol = Chem.MolFromMolFile(str(cb7_b2.path(role)), removeHs=False)
        own = cb7_b2.meta[atoms]
        assert [a.GetAtomicNum() for a in mol.GetAtoms()] == topology(cb7_b2).elements[own].tolist()
        assert np.allclose(mol.GetConformer().GetPositions(), topology(cb7_b2).positions_angstrom[own], atol=1e-3)


def test_same_input_same_bytes(cb7_b2, tmp_path):
    """Built again from the same parameters, the topology has no date in it."""
    again = build_topologies(cb7_b2, BindingConfig().md, tmp_path)
    for role in ("complex_prmtop", "complex_inpcrd", "ligand_prmtop", "ligand_inpcrd"):
        assert again.path(role).read_bytes() == cb7_b2.path(role).read_bytes()
    assert "DATE = 01/01/00  00:00:00" in again.path("complex_prmtop").read_text()[:90]


def sander_energy(prmtop, inpcrd, *, folder, igb):
    """Potential energy by sander in kcal/mol, without cutoff; igb is 5 for OBC2, 6 for vacuum."""
    settings = f"imin=1, maxcyc=1, ntb=0, igb={igb}, cut=999., rgbmax=999., ntpr=1"
    (folder / "mdin").write_text(f"single point\n&cntrl\n {settings},\n/\n")
    command = ["sander", "-O", "-i", "mdin", "-o", "mdout", "-p", str(prmtop.resolve()), "-c", str(inpcrd.resolve())]
    run_program(
        [*command, "-r", "restrt", "-inf", "mdinfo"],
        folder=folder,
        log=folder / "sander.log",
        bounds=Bounds(time_s=300),
    )
    # the terms are printed to 1e-4 kcal/mol, their sum to five digits
    terms = dict(TERM.findall((folder / "mdout").read_text().split("FINAL RESULTS")[-1]))
    assert terms
    return sum(float(value) for value in terms.values())


@pytest.mark.parametrize("part", ["complex", "ligand"])
@pytest.mark.parametrize(("igb", "solvent"), [(5, app.OBC2), (6, None)], ids=["obc2", "vacuum"])
def test_single_points_agree_with_sander(cb7_b2, tmp_path, part, igb, solvent):
    """Within 1e-4: AMBER's Coulomb constant (18.2223²) is smaller than OpenMM's by 3.5e-5."""
    files = cb7_b2.path(f"{part}_prmtop"), cb7_b2.path(f"{part}_inpcrd")
    sander = sander_energy(*files, folder=tmp_path, igb=igb)
    assert openmm_energy(cb7_b2, part, solvent) == pytest.approx(sander, rel=1e-4, abs=0.1)


def test_lysozyme_with_p_xylene(lysozyme):
    complete = topology(lysozyme)
    assert len(lysozyme.meta["ligand_atoms"]) == 18 and lysozyme.meta["ligand_atoms"][0] == 2603
    assert complete.charges_e[:2603].sum() == pytest.approx(8, abs=1e-3)
    residues = amber_protein(lysozyme.path("receptor")).residues
    sited = sorted({residues[complete.residue_of[i]].label for i in lysozyme.meta["site_atoms"]})
    assert sited == ["A:102", "A:84", "A:99"]
    assert (complete.elements[lysozyme.meta["site_atoms"]] > 1).all()


def test_single_point_of_a_protein(lysozyme, tmp_path):
    files = lysozyme.path("complex_prmtop"), lysozyme.path("complex_inpcrd")
    sander = sander_energy(*files, folder=tmp_path, igb=5)
    assert openmm_energy(lysozyme, "complex", app.OBC2) == pytest.approx(sander, rel=1e-4)


def test_without_a_site_the_residues_round_the_ligand_are_taken(lysozyme, tmp_path):
    unsited = build_topologies(lysozyme.with_meta(site=None), BindingConfig().md, tmp_path)
    residues = amber_protein(lysozyme.path("receptor")).residues
    labels = {residues[topology(unsited).residue_of[i]].label for i in unsited.meta["site_atoms"]}
    assert {"A:99", "A:102", "A:118"} <= labels and len(labels) < 25


def test_a_water_that_was_kept_is_no_part_of_the_site_that_is_found():
    """It diffuses away; an ion stays, and what is named is taken."""
    elements = np.array([6, 7, 8, 8, 1, 1, 8, 1, 1, 0, 30, 6, 6])  # a residue, two waters, zinc, the ligand
    residues = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 4, 4])
    places = np.zeros((13, 3))
    places[:, 0] = np.arange(13) * 0.3

    class Named:
        def residues_of(self, site):
            return [1]

    made = Topology(elements, residues, np.zeros(13), places)
    assert site_atoms(made, 11, Named(), None) == [0, 1, 2, 10]
    assert site_atoms(made, 11, Named(), "A:301") == [3]


def test_a_parameter_that_is_missing_is_named(cb7_b2, tmp_path):
    broken = cb7_b2.copy_to(tmp_path / "in")
    mol2 = broken.path("ligand_mol2")
    text = mol2.read_text().replace(" oh ", " zz ")
    mol2.unlink()  # a hard link to the good one
    mol2.write_text(text)
    with pytest.raises(
        ParametrisationError, match=r"guest: tleap could not build .* \(log: .*leap\.log\): For atom .* type \(zz\)"
    ):
        build_topologies(broken, BindingConfig().md, tmp_path / "out")


@pytest.mark.parametrize(
    ("sequence", "beside", "settings", "labels", "charge"),
    [
        ("ACE HIP ASH GLH LYN CYM NME", "", {}, "ACE HIP ASH GLH LYN CYM NME", 0),
        ("NALA SER CGLY", hetero("ZN", 201, "ZN", "ZN", 20.0), {"keep": "ZN"}, "ALA SER GLY ZN", 2),
        ("NALA SER CGLY", hetero("HOH", 301, "O", "O", 20.0), {"keep": "HOH"}, "ALA SER GLY WAT", 0),
    ],
)
def test_what_was_prepared_is_in_the_topology(tmp_path, sequence, beside, settings, labels, charge):
    (tmp_path / "p.pdb").write_text(peptide(sequence) + "TER\n" + beside + "END\n")
    mol = Chem.AddHs(Chem.MolFromSmiles("c1ccccc1"))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    conformer = mol.GetConformer()
    for k in range(mol.GetNumAtoms()):
        x, y, z = conformer.GetAtomPosition(k)
        conformer.SetAtomPosition(k, (x + 6, y + 3, z + 5))
    Chem.MolToMolFile(mol, str(tmp_path / "l.sdf"))
    chosen = BindingConfig.from_params({"charge_method": "gas", **settings})
    built = build(tmp_path, tmp_path / "p.pdb", chosen, structure=tmp_path / "l.sdf", pose="given")
    assert residue_labels(built.path("complex_prmtop")) == [*labels.split(), "LIG"]
    complete = topology(built)
    assert complete.charges_e.sum() == pytest.approx(charge, abs=1e-3)
    assert built.meta["ligand_atoms"][-1] == len(complete.elements) - 1 and len(built.meta["ligand_atoms"]) == 12


def test_charges_of_an_sdf_are_those_of_the_topology(tmp_path):
    """One of two records, with charges that no method gives."""
    (tmp_path / "p.pdb").write_text(peptide("ACE ALA NME") + "TER\nEND\n")
    mol = Chem.AddHs(Chem.MolFromSmiles("OC"))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    for k, place in enumerate(mol.GetConformer().GetPositions() + (6.0, 3.0, 5.0)):
        mol.GetConformer().SetAtomPosition(k, place)
    charges = (-0.6123, 0.1345, 0.4321, 0.0101, 0.0102, 0.0254)
    block, values = Chem.MolToMolBlock(mol), " ".join(map(str, charges))
    charged = f"guest{block}>  <atom.dprop.PartialCharge>\n{values}\n\n$$$$\n"
    (tmp_path / "l.sdf").write_text(f"other{block}$$$$\n{charged}")
    chosen = BindingConfig.from_params({"charge_source": "sdf"})
    built = build(tmp_path, tmp_path / "p.pdb", chosen, structure=tmp_path / "l.sdf", pose="given")
    assert topology(built).charges_e[built.meta["ligand_atoms"]] == pytest.approx(charges, abs=1e-5)
    assert topology(built, "ligand").charges_e == pytest.approx(charges, abs=1e-5)
