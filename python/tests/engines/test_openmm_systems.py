"""Systems and Contexts: what is written in them, and what OpenMM's complaints become."""

import host_guest as hg
import numpy as np
import openmm
import pytest

from gibbsflow.config.binding import Fe, Md
from gibbsflow.engines.openmm_systems import (
    check_platform,
    create_system,
    load_topology,
    minimise,
    new_context,
    numerical,
    positions_nm,
    potential_kj_per_mol,
    read_positions_nm,
    velocities_nm_per_ps,
)
from gibbsflow.errors import GpuMemoryError, InputError, MachineError, NumericalError, StoppedEarly


def spring(system=None):
    system = system or openmm.System()
    for mass in (12.0, 0.0):
        system.addParticle(mass)
    force = openmm.HarmonicBondForce()
    force.addBond(0, 1, 0.0, 1000.0)
    system.addForce(force)
    return system


@pytest.fixture
def context():
    made = new_context(spring(), Md(platform="Reference"), 1)
    made.setPositions([[0.1, 0, 0], [0, 0, 0]])
    return made


@pytest.mark.parametrize(("solvent", "born"), [("obc2", 1), ("vacuum", 0)])
def test_solvent_is_the_native_force(solvent, born):
    system = create_system(hg.data("ligand.prmtop"), Md(solvent=solvent))
    assert sum(isinstance(force, openmm.GBSAOBCForce) for force in system.getForces()) == born
    assert system.getNumConstraints() == 18  # bonds to hydrogen


def test_what_is_no_topology(tmp_path):
    (tmp_path / "x.prmtop").write_text("no topology")
    with pytest.raises(InputError, match="not readable as an AMBER topology"):
        load_topology(tmp_path / "x.prmtop")


def test_positions_of_a_coordinate_file_are_in_nm():
    lines = hg.data("ligand.inpcrd").read_text().splitlines()
    first = [float(lines[2][i : i + 12]) for i in (0, 12, 24)]
    positions = read_positions_nm(hg.data("ligand.inpcrd"))
    assert positions.shape == (30, 3) and positions[0] * 10 == pytest.approx(first)


def test_numbers_of_a_context(context):
    assert potential_kj_per_mol(context) == pytest.approx(0.5 * 1000 * 0.1**2)
    assert positions_nm(context).tolist() == [[0.1, 0, 0], [0, 0, 0]]
    assert velocities_nm_per_ps(context).shape == (2, 3)


def test_minimisation_ends_at_the_minimum_or_where_it_is_stopped(context):
    assert minimise(context, 0) == pytest.approx(5.0)
    assert minimise(context, 100) < 0.1

    def stop():
        raise StoppedEarly("enough")

    context.setPositions([[0.1, 0, 0], [0, 0, 0]])
    with pytest.raises(StoppedEarly):
        minimise(context, 100, stop)


def test_an_energy_that_is_not_finite_after_minimisation(context):
    context.setPositions(np.full((2, 3), np.nan))
    with pytest.raises(NumericalError, match="potential energy after minimisation is nan"):
        minimise(context, 0)


@pytest.mark.parametrize(("what", "before"), [("MD", "MD: "), ("", "")])
def test_only_nan_becomes_a_numerical_error(what, before):
    with pytest.raises(NumericalError) as caught, numerical(what):
        raise openmm.OpenMMException("Particle coordinate is NaN")
    assert str(caught.value) == before + "Particle coordinate is NaN"
    with pytest.raises(openmm.OpenMMException), numerical(what):
        raise openmm.OpenMMException("out of memory")


def test_a_topology_that_was_cut_short_is_refused(tmp_path):
    """Without its radii OpenMM would make some up."""
    whole = (
        hg.make_leg(tmp_path / "leg", "solvent", fe=Fe(solvent_schedule="solvent_6")).folder / "topology.prmtop"
    ).read_text()
    assert load_topology(_written(tmp_path, whole)).topology.getNumAtoms() > 10
    for cut in (whole[: whole.index("%FLAG SCREEN")], whole[: whole.index("%FLAG SCREEN") + 400], whole[:-1]):
        with pytest.raises(InputError, match="cut short"):
            load_topology(_written(tmp_path, cut))
    with pytest.raises(InputError, match="not readable as an AMBER topology"):
        create_system(_written(tmp_path, whole[: len(whole) // 2]), Md())


def _written(folder, text):
    path = folder / "x.prmtop"
    path.write_text(text)
    return path


FULL = (
    "Error creating array interactingAtoms: CUDA_ERROR_OUT_OF_MEMORY (2)",
    "Error initializing Context: CUDA_ERROR_OUT_OF_MEMORY (2) at /home/conda/CudaContext.cpp:217",
    "Error initializing FFT: 2",
    "Error creating array posq: clCreateBuffer (-4)",
    "Error initializing context: clEnqueueNDRangeKernel (-5)",
)
NOT_FULL = (
    "Error initializing FFT: 27",
    "Error creating array posq: CUDA_ERROR_INVALID_VALUE (1)",
    "clGetDeviceIDs (-40)",
    "Error invoking kernel: CUDA_ERROR_LAUNCH_FAILED (719)",
)
GONE = (
    "Error downloading array energyBuffer: CUDA_ERROR_MPS_RPC_FAILURE (806)",
    "Error invoking kernel: CUDA_ERROR_ECC_UNCORRECTABLE (214)",
    "Error initializing Context: CUDA_ERROR_NO_DEVICE (100) at /openmm/platforms/cuda/src/CudaContext.cpp:128",
    "Error synchronizing: CUDA_ERROR_UNKNOWN (999)",
)


@pytest.mark.parametrize("words", FULL)
def test_full_memory_is_the_machines_matter(words, monkeypatch):
    def full(*_):
        raise openmm.OpenMMException(words)

    with pytest.raises(GpuMemoryError, match="the GPU's memory is full") as raised, numerical():
        full()
    assert raised.value.exit_code == 78 and "nvidia-smi" in raised.value.what_to_do
    monkeypatch.setattr(openmm, "Context", full)
    with pytest.raises(GpuMemoryError):
        new_context(spring(), Md(), 1)


@pytest.mark.parametrize("words", GONE)
def test_a_card_that_has_gone_fails_no_ligand(words):
    with pytest.raises(MachineError, match="the GPU cannot be used any more") as raised, numerical():
        raise openmm.OpenMMException(words)
    assert raised.value.exit_code == 78 and not raised.value.of_item and "goes on" in raised.value.what_to_do


@pytest.mark.parametrize("words", NOT_FULL)
def test_other_faults_are_not_taken_for_full_memory(words):
    with pytest.raises(openmm.OpenMMException, match=r"Error|cl"), numerical():
        raise openmm.OpenMMException(words)


def test_a_platform_is_there_or_said_to_be_missing():
    check_platform("CPU")
    with pytest.raises(MachineError, match="platform Abacus cannot be used on this machine"):
        check_platform("Abacus")
