"""The correction of a leg, from what tleap built: charges, ions and water as they are in its topology."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from solutes import at_rest, built, settings

from gibbsflow.binding.alchemy.finite_size.leg_correction import leg_correction, lennard_jones_radii_angstrom
from gibbsflow.binding.alchemy.finite_size.terms import discrete_solvent
from gibbsflow.engines.md_engines import engine_for
from gibbsflow.engines.openmm_systems import box_vectors_nm, read_positions_nm
from gibbsflow.errors import InputError
from gibbsflow.workflow.account import Account


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """Builder of a leg: a ligand in its box, with what the correction takes."""
    made = {}

    def make(smiles, **given):
        key = (smiles, *sorted(given.items()))
        if key not in made:
            config = settings(charge_correction="analytic", **given)
            system = at_rest(built(tmp_path_factory.mktemp("box") / "x", smiles, config))
            prmtop, inpcrd = system.path("solvent_prmtop"), system.path("solvent_inpcrd")
            engine = engine_for(config.md)
            made[key] = SimpleNamespace(
                prmtop=prmtop,
                particles=engine.nonbonded(engine.system(prmtop, config.md)),
                ligand=range(len(system.meta["ligand_atoms"])),
                frames_nm=np.tile(read_positions_nm(inpcrd), (3, 1, 1)),
                boxes_nm=np.tile(box_vectors_nm(inpcrd), (3, 1, 1)),
                md=config.md,
                solvation=system.meta["solvation"]["solvent"],
            )
        return made[key]

    return make


def correct(leg, **other):
    account = Account("x")
    given = {
        "ligand": leg.ligand,
        "receptor": (),
        "frames_nm": leg.frames_nm,
        "boxes_nm": leg.boxes_nm,
        "md": leg.md,
        "account": account,
    }
    return leg_correction(leg.prmtop, leg.particles, **given | other), account


@pytest.mark.parametrize(
    ("smiles", "solvent", "charge", "gamma"),
    [
        ("C[NH3+]", "tip3p", 1, 2 * 0.417 * 0.09572**2),
        # two hydrogens at 0.08724 nm, and the charge of the fourth site at 0.01594 nm
        ("[O-]C(=O)CC(=O)[O-]", "opc", -2, 2 * 0.67914 * 0.08724**2 - 1.35828 * 0.01594**2),
    ],
)
def test_what_a_box_holds(box, smiles, solvent, charge, gamma):
    """γ_S of TIP3P is 0.00764 e nm² (Rocklin); the box was neutralised, so ions stand against the ligand."""
    leg = box(smiles, solvent=solvent)
    found, account = correct(leg)
    assert found.charges.ligand_e == charge and found.charges.fixed_e == 0
    assert found.charges.ions_e == -charge and found.charges.ions_squared_e2 == abs(charge)
    assert found.solvent.molecules == leg.solvation["waters"]
    assert found.solvent.quadrupole_e_angstrom2 / 100 == pytest.approx(gamma, rel=2e-3)
    assert found.volume_angstrom3 == pytest.approx(float(np.linalg.det(leg.boxes_nm[0])) * 1000)
    assert found.terms.dsc == pytest.approx(discrete_solvent(charge, found.solvent, found.volume_angstrom3))
    assert math.copysign(1, found.terms.dsc) == -math.copysign(1, charge)
    assert found.decoupling_kcal_per_mol == pytest.approx(-sum(vars(found.terms).values()))
    assert 0 < found.error_kcal_per_mol < 0.5
    figures = found.as_dict()
    assert figures["dg_kcal_per_mol"] == pytest.approx(-sum(figures["charging"].values()))
    assert figures["solver"].startswith("finite differences") and not account.doubts


def test_the_spread_of_the_volume_enters_the_error(box):
    leg = box("C[NH3+]", solvent="tip3p")
    still, _ = correct(leg)
    boxes = leg.boxes_nm * np.array([0.99, 1.0, 1.01])[:, None, None]
    moving, _ = correct(leg, boxes_nm=boxes)
    # a box that stands still in three frames has the error that water's compressibility gives them: 1.8 % of 6 nm³
    thermal = 1.75e-2 * math.sqrt(6000 / still.volume_angstrom3)
    assert still.volume_error_angstrom3 / still.volume_angstrom3 == pytest.approx(thermal / math.sqrt(3), rel=0.02)
    one, two = (c.terms.dsc * c.volume_error_angstrom3 / c.volume_angstrom3 for c in (still, moving))
    assert moving.volume_error_angstrom3 / moving.volume_angstrom3 == pytest.approx(0.03 / math.sqrt(3), rel=0.01)
    assert moving.error_kcal_per_mol == pytest.approx(
        math.sqrt(still.error_kcal_per_mol**2 - one**2 + two**2), rel=0.05
    )


def test_it_matters_not_in_which_image_the_ions_are(box):
    leg = box("C[NH3+]", solvent="tip3p")
    moved = leg.frames_nm.copy()
    moved[:, len(leg.ligand) :] += leg.boxes_nm[0][0]
    there, here = (vars(correct(leg, **given)[0].terms) for given in ({"frames_nm": moved}, {}))
    assert there == pytest.approx(here, rel=1e-9)


def test_a_solute_near_its_image_is_warned_of(box):
    leg = box("C[NH3+]", solvent="tip3p")
    positions = leg.frames_nm.copy()
    positions[:, 0] += leg.boxes_nm[0][0] * 0.7
    _, account = correct(leg, frames_nm=positions)
    (warning,) = account.of_weight("warn")
    assert "between the solute and its image" in str(warning) and "padding_angstrom" in str(warning)


def test_other_molecules_than_water_and_ions_are_refused(box):
    """What is neither, such as lipids: here a part of the ligand that is said to be around."""
    leg = box("C[NH3+]", solvent="tip3p")
    particles = leg.particles.copy()
    particles[list(leg.ligand), 0] = 0.0
    with pytest.raises(InputError, match="beside the solute, as a membrane would"):
        leg_correction(
            leg.prmtop,
            particles,
            ligand=range(3),
            receptor=(),
            frames_nm=leg.frames_nm,
            boxes_nm=leg.boxes_nm,
            md=leg.md,
            account=Account("x"),
        )


def test_a_fraction_of_a_charge_is_refused(box):
    leg = box("C[NH3+]", solvent="tip3p")
    with pytest.raises(InputError, match=r"a charge of .* e \(right: whole charges"):
        correct(leg, ligand=range(3), receptor=range(3, len(leg.ligand)))


def test_frames_without_a_box_are_refused(box):
    with pytest.raises(InputError, match="frames without a box"):
        correct(box("C[NH3+]", solvent="tip3p"), boxes_nm=None)


def test_radii():
    """Half the distance of least energy, 2^(1/6) σ; a hydrogen without Lennard-Jones lies within its neighbour."""
    particles = np.array([[0.0, 0.34, 0.4], [0.4, 0.1, 0.0], [0.4, 0.01, 0.1]])
    np.testing.assert_allclose(lennard_jones_radii_angstrom(particles), [1.908, 0.5, 0.5], atol=1e-3)


def test_what_belongs_to_the_receptor_stands_still(box):
    """The counter-ion taken for a receptor: the box is neutral with the ligand, and nothing is screened."""
    leg = box("C[NH3+]", solvent="tip3p")
    ion = len(leg.ligand)
    assert leg.particles[ion, 0] == pytest.approx(-1.0)
    found, _ = correct(leg, receptor=[ion])
    assert (found.charges.fixed_e, found.charges.ions_e, found.charges.ions_squared_e2) == (-1, 0, 0)
    assert found.terms.net < 0 < found.terms.usv and found.terms.scr == 0  # 0² − 1²
    assert found.terms.rip == pytest.approx(found.potentials.others / found.volume_angstrom3)
    assert found.terms.dsc == pytest.approx(correct(leg)[0].terms.dsc)
