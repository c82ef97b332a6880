"""What makes all results WARN by the settings alone is told before anything is sampled."""

import pytest

from gibbsflow.binding.campaign.check import check_campaign


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("run: {mode: asfe}\nfe: {sampler: independent}", "2"),
        ("run: {mode: asfe, replicates: 4}\nfe: {sampler: independent}", "4"),
        ("run: {mode: asfe, replicates: 5}\nfe: {sampler: independent}", ""),
        ("run: {mode: asfe, replicates: 1}\nfe: {sampler: independent}", ""),
        ("run: {mode: asfe}", ""),
    ],
)
def test_fewer_replicates_than_windows_without_exchange_need(tmp_path, given, told):
    sheet, config = tmp_path / "l.csv", tmp_path / "c.yaml"
    sheet.write_text("ligand,smiles\nmethane,C\n")
    config.write_text(given + "\n")
    found = check_campaign(sheet, None, config, None)
    notes = [note for note in found.notes if "exchange" in note]
    assert not found.problems and len(notes) == bool(told)
    if told:
        assert notes[0].startswith(
            f"settings, replicates: {told} of windows that do not exchange: every result will be"
        )
        assert "(right: 5, or sampler exchange" in notes[0]
