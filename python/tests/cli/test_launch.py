"""`gibbsflow launch`: one question before the first task, one answer in JSON."""

import pytest
from launch_questions import DEMO

from gibbsflow.errors import EXIT_INPUT


def test_the_demo_is_right(ask, tmp_path):
    code, answer = ask(DEMO | {"window_ps": 0.5, "segment_ps": 0.5, "window_equil_ps": 0, "sample_ps": 0.1})
    assert (code, answer["problem"]) == (0, None)
    assert answer["notes"] == ["net charge: receptor 0 e, ligand 0 e (b2, adamantanol)"]
    assert [(row["ligand"], row["pose"]) for row in answer["rows"]] == [("b2", "place"), ("adamantanol", "place")]
    assert answer["takeover"] is None and answer["runs_elsewhere"] is False
    told = answer["campaign"]  # for the head to write down
    assert (told["mode"], [one["outdir"] for one in told["results"]]) == ("abfe", [str(tmp_path / "out")])
    assert not (tmp_path / "state").exists()  # asking leaves nothing behind


def test_a_dry_run_has_a_plan_and_takes_nothing_in_hand(ask, tmp_path):
    code, answer = ask(DEMO | {"dry_run": True, "clean_failures": True, "replicates": 2})
    assert code == 0 and "Tasks: 23\n" in answer["plan"] and "Estimate: " in answer["plan"]
    assert "campaign" not in answer and not (tmp_path / "state").exists()


def test_wrong_parameters_are_all_that_is_looked_at(ask):
    code, answer = ask(DEMO | {"windows_ps": 1, "ph": 15, "input": "none.csv"})
    assert code == EXIT_INPUT
    assert answer["problem"] == (
        "3 problems in the parameters:\n  --windows_ps: unknown parameter (right: did you mean --window_ps?)\n"
        "  --ph: 15 is out of range (right: number >= 0 <= 14)\n  --input: no such file none.csv\n"
        "  Nothing was started; --help_full lists all parameters."
    )


def test_a_wrong_samplesheet_is_refused_as_by_the_check(ask, tmp_path):
    (tmp_path / "ligands.csv").write_text("ligand,smiles\nb2,CCO\nb2,CC(\n")
    code, answer = ask(DEMO | {"input": "ligands.csv", "complex_schedule": "complex_61"})
    assert code == EXIT_INPUT
    assert answer["problem"].startswith("error: 2 problems in the input:\n  ")
    assert "complex_61: neither a shipped" in answer["problem"]
    assert "ligands.csv, row 3, ligand: 'b2' is already" in answer["problem"]
    assert "what to do: Mend the input" in answer["problem"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"outdir": "dd/.."}, "--outdir: dd/.. is the launch folder"),
        ({"outdir": "state/out/x"}, "--outdir: state/out/x is the campaign's state"),
        ({"param_cache": "state/out/cache"}, "--param_cache"),
        ({"campaign": ".x"}, "--campaign: '.x' is not usable"),
        ({"campaign": "x" * 101}, "--campaign: "),
    ],
)
def test_places_that_are_refused_at_once(ask, tmp_path, given, told):
    code, answer = ask(DEMO | given)
    assert code == EXIT_INPUT and told in answer["problem"]
    assert {path.name for path in tmp_path.iterdir()} == {"params.json"}
