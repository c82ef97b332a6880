"""`gibbsflow watch` and `gibbsflow pack` as commands."""

import json
import signal
import subprocess
import sys
import urllib.request

from typer.testing import CliRunner
from watched_campaigns import campaign

from gibbsflow.cli.gibbsflow import app
from gibbsflow.cli.watch import _phases


def call(*args):
    return CliRunner().invoke(app, [str(one) for one in args])


def test_away_from_a_terminal_one_table(tmp_path):
    state = campaign(tmp_path)
    once, piped = call("watch", state, "--once"), call("watch", state.parent)
    assert once.exit_code == 0 and "no charges" in once.stdout and "-6.50 ± 0.25" in once.stdout
    assert piped.stdout.splitlines()[2:] == once.stdout.splitlines()[2:]
    found = json.loads(call("watch", state, "--json").stdout)
    assert found["campaign"] == "demo" and len(found["items"]) == 5


def test_what_is_wrong_is_one_line(tmp_path):
    wrong = call("watch", tmp_path / "nowhere")
    assert wrong.exit_code == 65 and "no such folder" in wrong.output and "Traceback" not in wrong.output
    assert call("watch", campaign(tmp_path), "--serve", "--host", "no such host").exit_code == 65


def test_a_page_until_it_is_ended(tmp_path):
    words = [sys.executable, "-m", "gibbsflow.cli.gibbsflow", "watch", campaign(tmp_path), "--serve", "--token"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        address = server.stdout.readline().strip()
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert answer.status == 200
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0 and "Traceback" not in server.stderr.read()


def test_an_item_is_packed(tmp_path):
    done = call("pack", campaign(tmp_path), "a1", "--out", tmp_path / "a1.tar.gz")
    assert done.exit_code == 0 and "left out" in done.stdout and (tmp_path / "a1.tar.gz").stat().st_size > 100
    assert call("pack", tmp_path / "state", "a1", "--out", tmp_path / "a1.tar.gz").exit_code == 65


def test_phases_of_items():
    assert list(_phases("abfe", "b2"))[-1] == "analysis" and _phases("potential", "") == []
    assert list(_phases("rbfe", "a"))[-1] == "equil_analysis" and next(iter(_phases("rbfe", "a~b"))) == "prepare_fe"
    assert "plan_network" in _phases("rbfe", "") and _phases("rbfe", "network") == ["plan_network"]
