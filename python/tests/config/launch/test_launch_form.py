"""The launch form: titles, help, patterns and what is hidden, for settings that there are."""

import re

import pytest

from gibbsflow.config.launch import generate
from gibbsflow.config.launch.launch_form import HELP, HIDDEN, PATTERNS, section_extras, setting_extras


def test_nothing_is_said_of_settings_that_are_gone():
    assert (HELP.keys() | PATTERNS.keys() | HIDDEN) <= generate.defaults().keys()


def test_every_group_has_a_title_of_its_own():
    titles = [section_extras(name)["title"] for name in generate.groups()]
    assert len(set(titles)) == len(titles)
    assert section_extras("network") == {"title": "Network", "fa_icon": "fas fa-cog"}


def test_help_ends_with_what_is_taken():
    extras = setting_extras("temperature_k", {"unit": "K"}, "number, ≥ 200")
    assert extras == {"help_text": "Takes: number, ≥ 200 K."}
    assert setting_extras("seed", {}, "whole number")["help_text"] == HELP["seed"] + " Takes: whole number."
    assert setting_extras("ph", {"hidden": True}, "number")["hidden"] is True
    assert setting_extras("segment_ps", {}, "number")["hidden"] is True


def test_a_text_that_must_match_says_so():
    assert setting_extras("site", {"pattern": r"^\S+$"}, "text")["errorMessage"] == r"right: text that matches ^\S+$"
    extras = setting_extras("receptor", {}, "text")
    assert extras["pattern"] == PATTERNS["receptor"].pattern
    assert extras["errorMessage"] == "right: a MOL2, SDF, PDB or mmCIF file"


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("input", ["l.csv", "my ligands.csv", "l.sdf"], ["l.tsv", ".csv", "l.csv.gz", ".sdf"]),
        ("receptor", ["cb7.mol2", "a/b.PDB", "x.sdf", "x.cif", "x.pdb.gz"], ["x.xyz", "pdb", "x.sdf.gz"]),
        ("config", ["si.yaml", "si.yml", "c.json"], ["si.toml", "yaml"]),
    ],
)
def test_patterns_of_files(key, good, bad):
    pattern = PATTERNS[key].pattern
    assert all(re.search(pattern, name) for name in good) and not any(re.search(pattern, name) for name in bad)
