"""Net charges that a check has found, in few lines however many ligands there are."""

from gibbsflow.binding.campaign.foreseen.row_contents import MOST_LINES, RowContents, charge_lines


def test_ligands_of_the_same_charges_share_a_line():
    found = {f"l{k}": RowContents(-1, -8) for k in range(48)} | {"n": RowContents(0, -8), "top": RowContents()}
    assert charge_lines(found) == [
        "net charge: receptor -8 e, ligand -1 e (l0, l1, l2 and 45 more)",
        "net charge: receptor -8 e, ligand 0 e (n)",
        "net charge: read in its first task (top)",
    ]
    assert charge_lines({"a": RowContents(2)}) == ["net charge: ligand +2 e (a)"]


def test_however_many_charges_there_are_the_lines_are_few():
    told = charge_lines({f"l{k}": RowContents(k) for k in range(12)})
    assert len(told) == MOST_LINES + 1 and told[-1] == "net charge: others, of 8 ligands"
