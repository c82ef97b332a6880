"""What is found in the folder that a user names."""

import json
import shutil

import pytest
from labelled_sets import fitted_copper, rattled

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError
from gibbsflow.potential.data.structures import write_frames
from gibbsflow.potential.export.handed_over import Source, read_verdict
from gibbsflow.potential.train.fit import fingerprint


def test_a_fit_and_its_potential_alone():
    folder, _ = fitted_copper()
    for begin in (folder, folder / "potential"):
        source = Source.find(begin, folder / "train.extxyz", folder / "test.extxyz")
        assert source.potential.species == ("Cu",)
        assert {name: len(own) for name, own in source.frames.items()} == {"train": 24, "holdout": 6}
        assert source.require_grade().upper >= 10


def test_a_generation(tmp_path):
    folder, figures = fitted_copper()
    shutil.copytree(folder / "potential", tmp_path / "potential")
    plain = json.loads(json.dumps(figures, default=lambda value: value.tolist()))
    (tmp_path / "metrics.json").write_text(json.dumps({"fit": plain}))
    PotentialConfig.from_mapping({"elements": ["Cu"]}, where="here").write(tmp_path / "config.json")
    for name, count in (("train", 3), ("holdout", 2)):
        frames = rattled(count, count)
        for frame in frames:
            frame.info["settings_hash"] = "emt-1"
        write_frames(tmp_path / f"dataset/{name}.extxyz", frames)
    source = Source.find(tmp_path)
    assert (source.settings_hash, len(source.labelled)) == ("emt-1", 5)
    assert source.figures["coefficients"] == figures["coefficients"]
    assert source.config.target.elements == ("Cu",)


def test_figures_are_those_of_the_last_generation(tmp_path):
    folder, _ = fitted_copper()
    shutil.copytree(folder / "potential", tmp_path / "potential")
    for number in (9, 99, 100):
        home = tmp_path / f"generation_{number:02d}"
        home.mkdir()
        (home / "metrics.json").write_text(json.dumps({"fit": {"coefficients": number}}))
    assert Source.find(tmp_path).figures["coefficients"] == 100


def test_labels_of_two_settings_are_refused(tmp_path):
    folder, _ = fitted_copper()
    frames = rattled(2, 5)
    frames[1].info["settings_hash"] = "emt-2"
    write_frames(tmp_path / "mixed.extxyz", frames)
    with pytest.raises(InputError, match="mixes labels of different settings"):
        Source.find(folder, tmp_path / "mixed.extxyz")


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="holds no potential"):
        Source.find(tmp_path)
    with pytest.raises(InputError, match=r"nowhere\.extxyz: no such file"):
        Source.find(fitted_copper()[0], tmp_path / "nowhere.extxyz")


def test_a_verdict(tmp_path):
    source = Source.find(fitted_copper()[0])
    content = {"verdict": "PASS", "reasons": [], "potential_sha256": fingerprint(source.folder)}
    (tmp_path / "result.json").write_text(json.dumps(content))
    assert read_verdict(tmp_path, source)["reasons"] == []
    (tmp_path / "result.json").write_text('{"verdict": "PASS", "reasons": []}')
    told = read_verdict(tmp_path, source)
    assert (told["verdict"], told["reasons"]) == ("PASS", ["it does not say which potential it was of"])
    (tmp_path / "result.json").write_text(json.dumps(content | {"potential_sha256": "0" * 64}))
    with pytest.raises(InputError, match="is of another potential than"):
        read_verdict(tmp_path, source)
    (tmp_path / "result.json").write_text('{"status": "finished"}')
    with pytest.raises(InputError, match="holds no verdict"):
        read_verdict(tmp_path, source)
