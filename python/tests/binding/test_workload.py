"""What tasks ask for, by size; and how many legs share a GPU."""

import pytest

from gibbsflow.binding.system import SimSystem
from gibbsflow.binding.workload import Workload, equilibration_work
from gibbsflow.config.binding import Md
from gibbsflow.errors import InputError


def cuda(**changed):
    return Md(platform="CUDA", solvent="tip3p", **changed)


def test_a_cpu_keeps_its_time_and_asks_for_memory_by_size():
    assert Workload(156, 1, 16).asks(Md()) == {
        "atoms": 156,
        "memory_gb": 1,
        "hours": None,
        "legs_per_gpu": 1,
        "gpus": 0,
    }
    large = Workload(32_512, 16, 100).asks(Md(solvent="tip3p", legs_per_gpu="4"))
    assert large["memory_gb"] == 2 and large["legs_per_gpu"] == 1


def test_a_gpu_gets_time_for_a_quarter_of_the_measured_rate():
    """16 walkers × 1 ns at 6,156 atoms: measured 4,525 ns/day, so 5 minutes; four times that and half an hour."""
    asked = Workload(6_156, 16, 16).asks(cuda())
    assert asked["hours"] == 1 and asked["memory_gb"] == 5
    assert Workload(6_156, 16, 800).asks(cuda())["hours"] == pytest.approx(4 * 24 * 800 / 4525, rel=0.1)
    assert Workload(32_512, 16, 400).asks(cuda())["hours"] == pytest.approx(4 * 24 * 400 / 2818, rel=0.25)
    assert Workload(32_512, 16, 10_000).asks(cuda())["hours"] == 24  # goes on in another task


@pytest.mark.parametrize(
    ("atoms", "walkers", "legs"), [(6_156, 16, 1), (4_428, 6, 2), (4_428, 4, 4), (156, 1, 8), (120_000, 4, 1)]
)
def test_small_legs_share_a_gpu(atoms, walkers, legs):
    assert Workload(atoms, walkers, 1).asks(cuda())["legs_per_gpu"] == legs
    assert Workload(atoms, walkers, 1).asks(cuda(legs_per_gpu="3"))["legs_per_gpu"] == 3
    assert Workload(atoms, walkers, 1).asks(Md(platform="OpenCL"))["legs_per_gpu"] == 1  # MPS is CUDA's


def test_windows_of_pmemd_ask_for_a_card_on_the_platform_of_sander():
    amber = Md(engine="amber", solvent="tip3p")
    asked = Workload(6_156, 1, 16).asks(amber, pmemd=True)
    assert asked["gpus"] == 1 and asked["hours"] == 2 and asked["legs_per_gpu"] == 1
    assert Workload(6_156, 1, 16).asks(amber)["gpus"] == 0 and Workload(6_156, 1, 16).asks(cuda())["gpus"] == 1


@pytest.mark.parametrize("wrong", ["0", "49", "all", "1.5", "-1", " 2"])
def test_legs_per_gpu_is_auto_or_a_number(wrong):
    from gibbsflow.config.binding import BindingConfig

    with pytest.raises(InputError, match="legs_per_gpu"):
        BindingConfig.from_params({"legs_per_gpu": wrong})


def test_an_equilibration_is_of_its_largest_box_and_as_long_as_all(tmp_path):
    for box, atoms in (("complex", 7976), ("solvent", 2944)):
        (tmp_path / f"{box}.inpcrd").write_text(f"\n{atoms}\n")
    files = {f"{box}_inpcrd": f"{box}.inpcrd" for box in ("complex", "solvent")}
    assert equilibration_work(SimSystem("x", tmp_path, files), 110.0) == Workload(7976, 1, 0.22)
    assert equilibration_work(SimSystem("x", tmp_path, {}), 110.0) == Workload(0, 1, 0.0)
