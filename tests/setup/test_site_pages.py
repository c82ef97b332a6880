"""The hook of the site: links, anchors, lists and marks of pages as GitHub reads them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from pipeline.launcher import REPO


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_pages", REPO / "setup" / "site_pages.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("page", "link", "moved"),
    [
        ("docs/usage.md", "methods/relative.md#signs", "methods/relative.md#signs"),
        ("docs/usage.md", "../assets/demo-rbfe/README.md", "repository/assets/demo-rbfe/README.md"),
        (
            "docs/methods/analysis.md",
            "../../benchmarks/coverage/README.md",
            "../repository/benchmarks/coverage/README.md",
        ),
        ("docs/methods/analysis.md", "../../benchmarks/coverage", "../repository/benchmarks/coverage/README.md"),
        ("README.md", "docs/usage.md#modes", "../usage.md#modes"),
        ("docs/usage.md", "https://example.org", "https://example.org"),
        ("docs/usage.md", "../../elsewhere.md", "../../elsewhere.md"),
    ],
)
def test_links_lead_to_places_of_the_site(hook: ModuleType, page: str, link: str, moved: str) -> None:
    assert hook.as_mkdocs(f"see [it]({link}).\n", REPO / page) == f"see [it]({moved}).\n"


def test_lists_and_tables_may_follow_text_and_code_stays(hook: ModuleType) -> None:
    code = "```bash\necho a\n- b](../x.md)\n```\n"
    text = f"Text\n1. one\n2. two\n\nMore\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<!-- run: test -->\n{code}"
    wanted = f"Text\n\n1. one\n2. two\n\nMore\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n{code}"
    assert hook.as_mkdocs(text, REPO / "docs" / "usage.md") == wanted


def test_anchors_are_githubs(hook: ModuleType) -> None:
    assert hook.slug("λ, and `results.csv`: what?", "-") == "λ-and-resultscsv-what"


def test_the_search_takes_plain_words_and_works_in_a_folder(hook: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "search"
    folder.mkdir()
    (folder / "search_index.json").write_text('{"docs": []}')
    (folder / "main.js").write_text("var query = document.getElementById('mkdocs-search-query').value;\n")
    hook.on_post_build(SimpleNamespace(site_dir=str(tmp_path)))
    script = (folder / "main.js").read_text()
    assert script.startswith(hook.SEARCH.read_text()) and ".value.replace(/[-+:~^*]+/g, ' ');" in script
    assert (folder / "search_index.js").read_text() == 'var searchIndex = {"docs": []};\n'
    with pytest.raises(ValueError, match="in another way"):
        hook.on_post_build(SimpleNamespace(site_dir=str(tmp_path)))
