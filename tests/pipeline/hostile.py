"""What nobody should be called, and which parameters a schema has that could be given it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.launcher import REPO

MARKER = "hacked"
"""A file of this name anywhere says that something was run."""
STILLINGER_WEBER = "Si Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333333333333 7.049556277 0.6022245584 4.0 0.0 0.0\n"
"""A file for pair_style sw (Stillinger and Weber, Phys. Rev. B 1985, 31, 5262)."""
WORDS = (
    f"'; touch {MARKER}; '", f'"; touch {MARKER}; "', f"`touch {MARKER}`", f"$(touch {MARKER})", f"; touch {MARKER} ;",
    f"a & touch {MARKER} & b", f"a | touch {MARKER}", f"a > {MARKER}", f"<(touch {MARKER})", "a b", "*", "?", "[1]",
    "{a,b}", "-x", "--help", "~", "#a", "!a", "$HOME", "a\\b", "é", "o'brien", "END", "%j", "a:b", "a=b",
)  # fmt: skip
"""Texts of one line without a slash, so that they can name files."""
LINES = (f"a\ntouch {MARKER}\n", f"a\nEND\ntouch {MARKER}\n", "a\rb", "a\tb", "a\x1b[2Jb", " a", "a ", "a\x00b", " ")
"""Texts that no parameter takes, refused by the rule of one line."""


def parameters() -> dict[str, dict[str, Any]]:
    """Schema of each parameter."""
    schema = json.loads((REPO / "nextflow_schema.json").read_text())
    return {key: item for group in schema["$defs"].values() for key, item in group["properties"].items()}


def free_texts() -> list[str]:
    """Parameters that take any line of text and are no paths: what is in it is a verb's to understand."""
    return [
        key
        for key, item in parameters().items()
        if item["type"] == "string" and not {"enum", "pattern", "format"} & set(item)
    ]


def markers(*folders: Path) -> list[Path]:
    """What was run, by what it left."""
    return [path for folder in folders for path in folder.rglob(f"{MARKER}*")]
