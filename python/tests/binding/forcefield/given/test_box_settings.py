"""Settings held against the boxes of a system that comes solvated."""

import numpy as np
import pytest
import solvated_systems as boxes

from gibbsflow.binding.forcefield.given import box_settings
from gibbsflow.config.binding import Fe, Md
from gibbsflow.errors import InputError


def test_settings_that_the_files_contradict_are_refused():
    assert box_settings.solvent_of({"complex": "tip3p"}, Md(), where="x").solvent == "tip3p"
    assert box_settings.solvent_of({"complex": "opc3"}, Md(), where="x").solvent == "given"
    assert box_settings.solvent_of({"complex": None}, Md(solvent="given"), where="x").solvent == "given"
    for asked in ("opc", "vacuum"):
        with pytest.raises(InputError, match=f"solvent {asked} is asked for"):
            box_settings.solvent_of({"complex": "tip3p"}, Md(solvent=asked), where="x")
    assert box_settings.width_angstrom((40, 40, 40, 109.4712190, 109.4712190, 109.4712190)) == pytest.approx(
        40 * np.sqrt(2 / 3), abs=1e-3
    )
    assert not box_settings.cutoff_problems({"complex": 18.5}, Md(), where="x")
    assert "18.2 Å is too small" in str(box_settings.cutoff_problems({"complex": 18.2}, Md(), where="x")[0])


def test_the_analytic_correction_is_refused_where_its_theory_ends():
    given = {"complex": boxes.parts(boxes.boxes("tip3p", "Na+ 2 Cl- 2"), "complex")}
    fe, tip3p = Fe(charge_correction="analytic"), Md(solvent="tip3p")
    assert box_settings.medium_problems(given, -1, tip3p, fe, where="x") == []
    (told,) = box_settings.medium_problems(given, -1, Md(solvent="given"), fe, where="x")
    assert "permittivity of this water model is not known" in told.what and told.field == "charge_correction"
    assert box_settings.medium_problems(given, 0, Md(solvent="given"), fe, where="x") == []
    assert box_settings.medium_problems(given, -1, Md(solvent="given"), None, where="x") == []
