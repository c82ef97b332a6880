"""Hook of MkDocs: pages of docs/, written as GitHub reads them, become a site that is whole without network.

What they link to outside of docs/ comes into the site, below ``repository/``; titles have GitHub's anchors; lists and
tables may follow a line of text; comments that say how a block of commands is run are left out. The search works in
pages that are opened from a folder, too, and takes what is asked for as plain words.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
SEARCH = Path(__file__).with_name("site_search.js")
_QUERY = "document.getElementById('mkdocs-search-query').value;"
_PLAIN = _QUERY.replace(";", ".replace(/[-+:~^*]+/g, ' ');")
"""What lunr would read as operators, and refuse in most messages of programs."""
_LINK = re.compile(r"(?<=\]\()([^)#\s:]+)(?=[)#])")
_FENCE = re.compile(r"^( *```.*?^ *```)$", re.M | re.S)
_MARK = re.compile(r"^ *<!-- (?:run|not run|file): .*-->\n", re.M)
_FOLLOWS = re.compile(r"^(?! *(?:[-*|>#]|\d+\.) ?)(?=\S)(.+)\n(?=(?:[-*] |1\. |\| ?))", re.M)
"""A line of text before the first line of a list or table."""


def slug(title: str, separator: str) -> str:
    """Anchor of a title, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", separator)


def target_of(link: str, source: Path) -> Path | None:
    """File that a link in a file means; of a folder its README; None where it leaves the repository or is no file."""
    found = (source.parent / link).resolve()
    found = found / "README.md" if found.is_dir() else found
    return found if found.is_file() and found.is_relative_to(ROOT) else None


def place_of(path: Path) -> str:
    """Place of a file among the sources of the site."""
    inside = path.is_relative_to(DOCS)
    return path.relative_to(DOCS).as_posix() if inside else f"repository/{path.relative_to(ROOT).as_posix()}"


def links_of(path: Path) -> list[Path]:
    """Files of the repository that a page links to."""
    found = (target_of(link, path) for link in _LINK.findall(_FENCE.sub("", path.read_text())))
    return [target for target in found if target is not None]


def as_mkdocs(text: str, source: Path) -> str:
    """Text of a page as MkDocs reads it.

    Parameters
    ----------
    text
        As it stands in the file.
    source
        The file.

    Returns
    -------
    str
        With links between places of the site, blank lines before lists and tables, and no marks.
    """
    start = Path(place_of(source)).parent

    def moved(link: re.Match[str]) -> str:
        target = target_of(link[1], source)
        return link[1] if target is None else os.path.relpath(place_of(target), start)

    parts = _FENCE.split(_MARK.sub("", text))
    # every second part is a block of code, which stays as it is
    parts[::2] = [_FOLLOWS.sub(r"\1\n\n", _LINK.sub(moved, part)) for part in parts[::2]]
    return "".join(parts)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give titles GitHub's anchors."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = slug
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what pages link to outside of docs/, and what these pages link to in turn."""
    from mkdocs.structure.files import File, InclusionLevel

    todo = [Path(file.abs_src_path) for file in files.documentation_pages() if file.abs_src_path]
    seen = set(todo)
    while todo:
        for target in links_of(todo.pop()):
            if target in seen:
                continue
            seen.add(target)
            if not target.is_relative_to(DOCS):
                added = File.generated(config, place_of(target), abs_src_path=str(target))
                added.inclusion = InclusionLevel.NOT_IN_NAV
                files.append(added)
            if target.suffix == ".md":
                todo.append(target)
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lay a page out for MkDocs."""
    return as_mkdocs(markdown, Path(page.file.abs_src_path or ""))


def on_post_build(config: MkDocsConfig) -> None:
    """Have the search work without a server.

    Raises
    ------
    ValueError
        MkDocs' script is another one than that which this was written for.
    """
    folder = Path(config.site_dir) / "search"
    script = (folder / "main.js").read_text()
    if script.count(_QUERY) != 1:
        raise ValueError("search/main.js of MkDocs reads what is asked for in another way")
    (folder / "main.js").write_text(SEARCH.read_text() + script.replace(_QUERY, _PLAIN))
    (folder / "search_index.js").write_text(f"var searchIndex = {(folder / 'search_index.json').read_text()};\n")
