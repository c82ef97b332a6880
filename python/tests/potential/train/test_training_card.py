"""The card of a fit."""

from labelled_sets import bare_frame

from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.training_card import errors_in_words, pareto_table, training_card

ERRORS = {
    "frames": 2, "atoms": 4, "energy_mae_mev_per_atom": 1.234, "force_mae_ev_per_angstrom": 0.05678,
    "stress_mae_gpa": None, "energy_frames": 2, "force_frames": 2,
}  # fmt: skip


def test_every_part_of_the_data_has_its_line():
    inputs = Inputs([bare_frame("Si2"), bare_frame("Ge2")], [bare_frame("SiGe")])
    with_stress = {**ERRORS, "stress_mae_gpa": 0.5, "stress_frames": 1}
    figures = {
        "split": "parent (2 groups)",
        "references": {"source": "least squares", "energy_ev": {"Ge": -4.0, "Si": -5.5}},
        "train": {**with_stress, "by_config_type": {"md": ERRORS, "strain": with_stress}},
        "test": {**ERRORS, "by_config_type": {"md": ERRORS}},
    }
    card = training_card(inputs, figures)
    assert "Elements: Ge, Si. Labels: settings not recorded." in card
    assert "Reference energies (least squares): Ge -4.000000 eV, Si -5.500000 eV." in card
    assert "Inner validation split by parent (2 groups)." in card
    assert "Fitted to energies of 2 frames, forces of 2 frames, stress of 0 frames. **Stresses are labelled" in card
    assert "not in the fit" not in training_card(inputs, {**figures, "stress_frames_used": 1})
    used = {"energy_frames_used": 9, "force_frames_used": 8}
    assert "Fitted to energies of 9 frames, forces of 8 frames" in training_card(inputs, {**figures, **used})
    assert card.splitlines()[-5:] == [
        "| train | md | 2 | 4 | 2 | 0 | 1.23 | 0.0568 | – |",
        "| train | strain | 2 | 4 | 2 | 1 | 1.23 | 0.0568 | 0.500 |",
        "| train | all | 2 | 4 | 2 | 1 | 1.23 | 0.0568 | 0.500 |",
        "| test | md | 2 | 4 | 2 | 0 | 1.23 | 0.0568 | – |",
        "| test | all | 2 | 4 | 2 | 0 | 1.23 | 0.0568 | – |",
    ]


def test_the_table_of_what_was_tried_marks_the_front_and_what_was_taken():
    def _record(cost, score, coefficients, degrees):
        return {
            "md_us_per_atom_step": cost, "validation_score": score, "coefficients": coefficients,
            "validation_energy_mae_mev_per_atom": 1.2, "validation_energy_rmse_mev_per_atom": 1.5,
            "validation_force_rmse_ev_per_angstrom": 0.1, "environments": 1, "cutoff_angstrom": 5.0,
            "radial_degrees": degrees, "energy_weight": 4.0, "ridge": 1e-8,
        }  # fmt: skip

    # two of one size, which other radial functions alone tell apart
    quick, slow, beaten = (
        _record(10.0, 2.0, 67, [4, 8]),
        _record(40.0, 1.0, 261, [4, 8]),
        _record(50.0, 1.5, 261, [3, 6]),
    )
    cutoff = {"validation_score": 1.0, "purpose": "cutoff"}
    figures = {"search": [beaten, slow, cutoff, quick], "pareto": [quick, slow], "basis": slow}
    head, *rows = pareto_table(figures).splitlines()
    assert head.split(",")[0] == "md_us_per_atom_step" and head.endswith("on_front,taken")
    assert rows == [
        "10,1.2,1.5,0.1,2,67,1,5,4 8,4,1e-08,yes,no",
        "40,1.2,1.5,0.1,1,261,1,5,4 8,4,1e-08,yes,yes",
        "50,1.2,1.5,0.1,1.5,261,1,5,3 6,4,1e-08,no,no",
    ]


def test_what_is_not_labelled_has_no_error():
    alone = {**ERRORS, "force_frames": 0, "force_mae_ev_per_angstrom": None}
    figures = {
        "split": "parent (2 groups)",
        "references": {"source": "least squares", "energy_ev": {"Si": -5.5}},
        "train": {**alone, "by_config_type": {}},
        "test": {**alone, "energy_mae_mev_per_atom": None, "energy_frames": 0, "by_config_type": {}},
    }
    card = training_card(Inputs([bare_frame("Si2")], [bare_frame("Si2")]), figures)
    assert "Fitted to energies of 2 frames, forces of 0 frames, stress of 0 frames.\n" in card
    assert card.splitlines()[-2:] == [
        "| train | all | 2 | 4 | 0 | 0 | 1.23 | – | – |",
        "| test | all | 2 | 4 | 0 | 0 | – | – | – |",
    ]
    assert errors_in_words(alone) == "energy MAE 1.23 meV/atom"
    assert errors_in_words({**ERRORS, "stress_mae_gpa": 0.5}).endswith("force MAE 0.0568 eV/Å, stress MAE 0.500 GPa")
