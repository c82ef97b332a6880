from __future__ import annotations

from dataclasses import replace

from gibbsflow.potential.label.recovery.scf_settings import ScfSettings


def test_what_changes_and_what_changes_the_physics() -> None:
    scf = ScfSettings(80, 0.7)
    other = replace(scf, beta=0.4, from_density=True, symmetry=False, pools=2, lean=True)
    assert scf.changes_to(other) == {
        "beta": [0.7, 0.4], "from_density": [False, True], "symmetry": [True, False], "pools": [1, 2],
        "lean": [False, True],
    }  # fmt: skip
    assert not scf.changes_to(scf) and not other.changes_physics
    # a moment that is held at zero is another thing, too
    assert replace(scf, widening=2.0).changes_physics and replace(scf, fixed_moment_ub=0.0).changes_physics
