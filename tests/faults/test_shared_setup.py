"""A set-up that is shared and read-only, a home that cannot be written to, and secrets that stay where they are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from faults.child import run
from pipeline.launcher import REPO
from silicon import si8

from gibbsflow.potential.data.structures import write_frames

CANARY = "canary" + "7f3a"  # in two parts, so that this file does not hold it
SECRETS = {
    name: CANARY
    for name in ("AWS_SECRET_ACCESS_KEY", "TOWER_ACCESS_TOKEN", "GITHUB_TOKEN", "PGPASSWORD", "DB_PASSWORD")
}
ADDRESS = f"postgresql://user:{CANARY}@127.0.0.1:9/db"


def holding_it(root: Path) -> list[str]:
    """Files in which the canary is found, links not followed."""
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    return [str(path.relative_to(root)) for path in files if CANARY.encode() in path.read_bytes()]


@pytest.mark.root
@pytest.mark.slow
def test_a_run_from_a_read_only_setup_and_home_with_secrets_around_it(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    shared = Path(os.environ.get("GIBBSFLOW_HOME", REPO / ".gibbsflow")).resolve()
    home, root = tmp_path / "home", tmp_path / "run"
    home.mkdir()
    root.mkdir()
    (root / "ligands.csv").write_text("ligand,smiles\nb2,OCC12CCC(CC1)(CC2)CO\n")
    locked = "".join(
        f"mount --bind '{place}' '{place}'; mount -o remount,ro,bind '{place}'; " for place in (shared, home)
    )
    words = f"'{REPO}/nextfloww' run '{REPO}/main.nf' -profile test --outdir out --mode md --input ligands.csv"
    env = {key: value for key, value in os.environ.items() if key != "NXF_HOME"}
    env |= {"HOME": str(home), "GIBBSFLOW_HOME": str(shared), "NXF_ANSI_LOG": "false", **SECRETS}
    script = f"set -e; {locked}! touch '{shared}/x' '{home}/x' 2>/dev/null; exec {words}"
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", script], cwd=root, env=env, capture_output=True, text=True, timeout=900
    )
    if "unshare failed" in done.stderr:
        pytest.skip("cannot mount here")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (root / "out/results.csv").exists() and (root / "out/ro-crate-metadata.json").exists()
    assert (root / ".nextflow.log").exists() and list((root / "work").glob("*/*/.command.run"))
    assert holding_it(root) == [] and CANARY not in done.stdout + done.stderr
    assert not list(home.iterdir())


def test_an_address_with_a_password_is_refused_and_nowhere_written(tmp_path):
    words = [REPO / "nextfloww", "run", REPO / "main.nf", "-profile", "test", "--registry", ADDRESS]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1 and "an address with a password" in done.stderr
    assert CANARY not in done.stdout + done.stderr and list(tmp_path.iterdir()) == []
    (tmp_path / "settings.yaml").write_text(f"elements: [Si]\ndft: {{pseudo_dir: '{ADDRESS}'}}\n")
    given = tmp_path / "given.json"
    given.write_text(
        f'{{"mode": "potential", "config": "{tmp_path}/settings.yaml", "outdir": "out", "site": "{ADDRESS}"}}'
    )
    ended = run("gibbsflow", "launch", "--params", given, "--state", tmp_path / "state")
    assert ended.code == 65 and ended.text.count("holds a password") == 2 and CANARY not in ended.text


@pytest.mark.parametrize("address", [ADDRESS, f"mysql://user:{CANARY}@host/db", f"postgresql://h/db?password={CANARY}"])
def test_no_verb_repeats_a_password(tmp_path, address):
    write_frames(tmp_path / "s.extxyz", [si8(1)])
    (tmp_path / "run.yaml").write_text("target: {elements: [Si]}\ndft: {engine: tblite}\n")
    words = ["--input", tmp_path / "s.extxyz", "--config", tmp_path / "run.yaml", "--state", tmp_path / "state"]
    for command in (["label", *words, "--out", tmp_path / "out"], ["status"], ["explain", "gf-1"]):
        ended = run("dft", *command, "--database", address)
        assert ended.code != 0 and CANARY not in ended.text, ended.text
    assert holding_it(tmp_path) == []
