"""What is packed for a report of a fault, and what is not."""

import json
import tarfile

import pytest
from watched_campaigns import HOSTILE, campaign, phases

from gibbsflow.errors import InputError
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state import sentinels
from gibbsflow.workflow.watch.campaign_view import CampaignView
from gibbsflow.workflow.watch.packing import pack_item


def contents(path):
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read().decode() for member in tar}


def test_records_logs_and_inputs_without_samples_and_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_API_TOKEN", "tok-123456")
    state = campaign(tmp_path)
    home = state / "cb7/b2/solvent/replicate_0/window_01"
    (home / "md.log").write_text("began\nexport AWS_SECRET_ACCESS_KEY=abc/def\nused tok-123456\nnot finite\n")
    (home / "segment-00000.npz").write_bytes(b"PK" * 100)
    (home / "big.txt").write_text("x" * 1_000_001)
    (home / "odd").write_bytes(b"\0\1")
    (home / "link").symlink_to("/etc/passwd")
    sentinels.Sentinel("FAILED", "h", cause="Numerical", message="tok-123456 refused").write(home)
    packed = pack_item(CampaignView(state, phases), "b2", tmp_path / "b2.tar.gz")
    found = contents(tmp_path / "b2.tar.gz")
    assert set(found) == set(packed.names) and packed.size_bytes == (tmp_path / "b2.tar.gz").stat().st_size
    inside = f"state/{home.relative_to(state)}"
    assert json.loads(found[f"{inside}/FAILED"])["cause"] == "Numerical"
    assert found[f"{inside}/md.log"] == "began\nexport AWS_SECRET_ACCESS_KEY=***\nused ***\nnot finite\n"
    told = json.loads(found["item.json"])
    assert told["item"]["name"] == "b2" and any("*** refused" in part["cause"] for part in told["parts"])
    assert not any("tok-123456" in text or "abc/def" in text for text in found.values())
    out = found["LEFT_OUT.txt"]
    assert all(
        word in out for word in ("segment-00000.npz: energies", "big.txt: 1 MB", "odd: not text", "link: a link")
    )
    assert not any(name.endswith((".npz", "/link", "/odd", "big.txt")) for name in found)
    assert not any("cb7/done" in name for name in found)


def test_results_of_an_item_and_settings_of_the_run(tmp_path):
    view = CampaignView(campaign(tmp_path), phases)
    pack_item(view, "done", tmp_path / "done.tar.gz")
    found = contents(tmp_path / "done.tar.gz")
    assert "results_0/phases/done/analysis/result.json" in found and "results_0/pipeline_info/settings.json" in found


def test_what_was_killed_of_another_item_is_not_packed(tmp_path):
    state = campaign(tmp_path)
    (state / ".killed").mkdir(exist_ok=True)
    for item in ("b2", "b20"):
        (state / ".killed" / f"FE_RUN_{item}_complex.json").write_text("{}")
    pack_item(CampaignView(state, phases), "b2", tmp_path / "b2.tar.gz")
    found = contents(tmp_path / "b2.tar.gz")
    assert "killed/FE_RUN_b2_complex.json" in found and "killed/FE_RUN_b20_complex.json" not in found


def test_logs_of_all_killed_tasks_are_packed_also_of_those_without_state(tmp_path):
    state = campaign(tmp_path)
    for number, item in enumerate(["later", "later complex_replicate_0", "b2"]):
        log = tmp_path / str(number) / ".command.log"
        log.parent.mkdir()
        log.write_text(f"Killed {number}\n")
        told = {"process": "FE_RUN", "item": item, "cause": "KILLED", "log": str(log), "at": str(number)}
        write_json(state / ".killed" / f"{number}.json", told)
    pack_item(CampaignView(state, phases), "later", tmp_path / "later.tar.gz")
    found = contents(tmp_path / "later.tar.gz")
    assert {name: text for name, text in found.items() if name.endswith(".log")} == {
        "killed/FE_RUN.later.command.log": "Killed 0\n",
        "killed/FE_RUN.later_complex_replicate_0.command.log": "Killed 1\n",
    }


def test_nothing_is_written_over_or_for_no_item(tmp_path):
    view = CampaignView(campaign(tmp_path), phases)
    for name, out, text in [("nobody", "a.tar.gz", "no such item"), ("b2", "a.zip", "tar.gz")]:
        with pytest.raises(InputError, match=text):
            pack_item(view, name, tmp_path / out)
        assert not (tmp_path / out).exists()
    pack_item(view, HOSTILE, tmp_path / "a.tar.gz")
    with pytest.raises(InputError, match="there already"):
        pack_item(view, "b2", tmp_path / "a.tar.gz")
