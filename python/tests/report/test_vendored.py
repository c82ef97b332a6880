"""Programs of others: what is in the package is what was taken, with its licence, and a page can unpack it."""

import base64
import gzip
import hashlib
import json

import pytest

from gibbsflow.report import vendored
from gibbsflow.report.vendored import library, packed

FOLDER = vendored._FOLDER


def test_every_file_is_accounted_for():
    about = json.loads((FOLDER / "vendored.json").read_text())
    listed = {"vendored.json"} | {one[key] for one in about.values() for key in ("file", "licence_file")}
    assert {path.name for path in FOLDER.iterdir()} == listed
    for one in about.values():
        for key, of in (("file", "sha256"), ("licence_file", "licence_sha256")):
            assert hashlib.sha256((FOLDER / one[key]).read_bytes()).hexdigest() == one[of], one[key]
        assert one["licence"] in ("MIT", "BSD-3-Clause") and one["version"] and one["from"].startswith("npm: ")


@pytest.mark.parametrize("name", ["3dmol", "cytoscape"])
def test_a_page_unpacks_the_same_bytes(name):
    one = library(name)
    file = json.loads((FOLDER / "vendored.json").read_text())[name]["file"]
    assert gzip.decompress(base64.b64decode(one.packed)) == (FOLDER / file).read_bytes()
    assert "Permission is hereby granted" in one.licence_text
    assert len(one.packed) < 250_000


def test_packed_texts_end_no_element():
    assert not set(packed(b'</script>"<b>' * 99)) & set("<>\"'&") and packed(b"x") == packed(b"x")
