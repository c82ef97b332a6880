"""Names and places of folders: none leads out of where it is put."""

from pathlib import Path

import pytest

from gibbsflow.workflow.folders.places import LONGEST_NAME, folder_fault, place_problems


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".hidden",
        "a/b",
        "param_cache",
        "Param_Cache",
        "superseded-000",
        "a\nb",
        "a\x1b",
        "é" * 51,
        "a" * 101,
    ],
)
def test_names_that_no_folder_may_have(name):
    assert folder_fault(name)


@pytest.mark.parametrize(
    "name", ["results", "o'brien", "a b", "-x", "é" * 50, "a" * LONGEST_NAME, "superseded", "x.pdb"]
)
def test_names_that_folders_have(name):
    assert folder_fault(name) is None


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A launch folder below a home, beside a pipeline."""
    for name in ("home/launch", "pipeline/bin", "home/launch/dd"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "pipeline" / "main.nf").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "home" / "launch")
    return tmp_path


@pytest.mark.parametrize(
    ("outdir", "words"),
    [
        (".", "the launch folder"),
        ("dd/..", "the launch folder"),
        ("none/..", "the launch folder"),
        ("dd/../.", "the launch folder"),
        ("../launch", "the launch folder"),
        ("dd/../..", "the home folder"),
        ("~home~", "the home folder"),
        ("/", "the root of all folders"),
        ("dd/../../../../../../../../../../../..", "the root of all folders"),
        ("../../pipeline", "the folder of the pipeline"),
        ("../../pipeline/bin/..", "the folder of the pipeline"),
        ("../../pipeline/bin", "among the sources"),
        ("../../pipeline/conf/x", "among the sources"),
        ("link/..", "the home folder"),
        ("state/c", "the campaign's state"),
        ("state/c/cb7", "the campaign's state"),
    ],
)
def test_results_are_not_put_where_something_else_lies(here, outdir, words):
    Path("link").symlink_to(here / "home" / "sub")
    (here / "home" / "sub").mkdir()
    outdir = Path(outdir.replace("~home~", str(here / "home")))
    (problem,) = place_problems(outdir, state=Path("state/c"), project=here / "pipeline")
    assert problem.where == "--outdir" and words in problem.what


@pytest.mark.parametrize(
    "outdir", ["results", "dd/../results", "../results", "../../pipeline/results", "state/results", "o'b"]
)
def test_places_for_results(here, outdir):
    assert place_problems(Path(outdir), state=Path("state/c"), project=here / "pipeline") == []


def test_a_campaign_and_its_cache_have_places_of_their_own(here):
    (problem,) = place_problems(Path("out"), state=Path("state/.out"))
    assert problem.where == "--campaign" and "begins with a dot" in problem.what
    (problem,) = place_problems(Path("out"), state=Path("state/out"), cache=Path("state/out/cache"))
    assert problem.where == "--param_cache"
    assert place_problems(Path("out"), state=Path("state/out"), cache="state/param_cache") == []
