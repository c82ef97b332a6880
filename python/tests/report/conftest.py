"""A campaign of four ligands: two with results, one unbound, one that was never begun."""

import pytest
from campaign_records import record_folder

from gibbsflow.config.binding import BindingConfig
from gibbsflow.report.campaign import write_campaign
from gibbsflow.workflow.state.sentinels import Sentinel


@pytest.fixture(scope="session")
def campaign(tmp_path_factory):
    root = tmp_path_factory.mktemp("campaign")
    folders = [record_folder(root, "first"), record_folder(root, "second", replicates=1, ligand_smiles="<b>C</b>")]
    (root / "state" / "host" / "gone" / "equil").mkdir(parents=True)
    sentinel = Sentinel("FAILED", "x", cause="Unbound", message="left <its> site")
    sentinel.write(root / "state" / "host" / "gone" / "equil")
    sheet = root / "ligands.csv"
    sheet.write_text("ligand,smiles,experimental_dg_kcal_per_mol\nsecond,C,-9.5\ngone,C,\nfirst,C,-8\nnever,C,\n")
    out = root / "results"
    out.mkdir()
    rows = write_campaign(sheet, folders, BindingConfig(), root / "state", out)
    return root, out, rows
