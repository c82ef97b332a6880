"""`analysis standard-state` as a user types it."""

import pytest
from typer.testing import CliRunner

from gibbsflow.cli.analysis import app


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    ("r0", "theta_a", "theta_b", "k_r", "k_angle", "analytic", "numeric"),
    [
        (5, 90, 90, 10, 100, "-10.2416", "-10.2437"),
        (8, 90, 90, 10, 500, "-12.0686", "-12.0687"),
        (5, 60, 120, 10, 80, "-10.0815", "-10.0845"),
        (5, 30, 90, 10, 80, "-10.3217", "-10.3247"),
        (5, 90, 90, 1, 10, "-6.1488", "-6.1701"),
    ],
)
def test_standard_state(r0, theta_a, theta_b, k_r, k_angle, analytic, numeric):
    geometry = ["--r0", r0, "--theta-a", theta_a, "--theta-b", theta_b]
    done = run("standard-state", *geometry, "--k-r", k_r, "--k-angle", k_angle, "--temperature", 298.15)
    assert done.exit_code == 0, done.output
    assert f"analytic {analytic} kcal/mol" in done.stdout
    assert f"numeric  {numeric} kcal/mol" in done.stdout


def test_standard_state_of_a_centre_of_mass_restraint():
    done = run("standard-state", "--com", "--k", 10, "--temperature", 298.15)
    assert done.stdout.splitlines() == ["analytic -5.2714 kcal/mol", "numeric  -5.2714 kcal/mol"]
    assert run("standard-state", "--temperature", 298.15).exit_code == 65


@pytest.mark.parametrize("wrong", [("--theta-a", 180), ("--theta-b", 0), ("--k-r", -1), ("--k-dihedral", "nan")])
def test_standard_state_of_what_is_no_restraint(wrong):
    done = run("standard-state", "--r0", 5, "--temperature", 298.15, *wrong)
    assert done.exit_code == 65 and "Traceback" not in done.output and "is not usable (right: a number" in done.output
