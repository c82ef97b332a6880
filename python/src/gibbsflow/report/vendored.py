"""Programs of others that a page carries, packed, with their licences; where they are from is in ``vendored.json``."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_FOLDER = files("gibbsflow.report") / "templates" / "vendor"


@dataclass(frozen=True)
class Library:
    """A program that runs in the browser.

    Attributes
    ----------
    name, title, version
        Of its package, in words, and which.
    licence, licence_text
        Its short name, and all of it.
    packed
        The program as :func:`packed` makes it.
    """

    name: str
    title: str
    version: str
    licence: str
    licence_text: str
    packed: str


@cache
def library(name: str) -> Library:
    """Read a program for a page; the page unpacks it when it is first asked for.

    Parameters
    ----------
    name
        Key of ``vendored.json``.

    Returns
    -------
    Library
        Some 0.2 MB.
    """
    about = json.loads((_FOLDER / "vendored.json").read_text())[name]
    return Library(
        name=name,
        title=about["title"],
        version=about["version"],
        licence=about["licence"],
        licence_text=(_FOLDER / about["licence_file"]).read_text(),
        packed=packed((_FOLDER / about["file"]).read_bytes()),
    )


def packed(content: bytes) -> str:
    """Pack what a script of the page reads; no text in it can end an element or an attribute.

    Parameters
    ----------
    content
        Any bytes.

    Returns
    -------
    str
        Gzip in base64, the same for the same content.
    """
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()
