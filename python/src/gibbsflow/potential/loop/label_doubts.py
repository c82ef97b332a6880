"""What `system_prep structures` and `dft label` had to say of a loop's structures, over batches and generations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import TypeAdapter

from gibbsflow.workflow.files import as_written, read_json, write_json

FILE = "label_doubts.json"
"""In a state folder; absent where nothing was said."""
WEIGHTS = ("warnings", "notes")
_COUNTED = re.compile(r"(\d+) frames? (?:is|are) (.*)", re.DOTALL)


def read(folder: Path) -> dict[str, list[str]]:
    """Read what was said so far.

    Parameters
    ----------
    folder
        State folder.

    Returns
    -------
    dict
        ``warnings`` and ``notes``, as sentences.
    """
    return _said(Path(folder) / FILE, "the loop")


def hand_on(source: Path, target: Path, labels: Iterable[Path] = ()) -> None:
    """Write into the next state what was said before, and what new batches add to it.

    Parameters
    ----------
    source, target
        State folders.
    labels
        Folders that ``dft label`` or ``system_prep structures`` wrote.
    """
    said = read(source)
    for folder in labels:
        told = _said(Path(folder) / "result.json", "`dft label` or `system_prep structures`")
        said = {weight: [*said[weight], *told[weight]] for weight in WEIGHTS}
    summed = {weight: _summed(sentences) for weight, sentences in said.items()}
    if any(summed.values()):
        write_json(Path(target) / FILE, summed)
    elif source != target:
        (Path(target) / FILE).unlink(missing_ok=True)


def add_note(folder: Path, sentence: str) -> None:
    """Add a note of the loop's own.

    Parameters
    ----------
    folder
        State folder.
    sentence
        The note.
    """
    said = read(folder)
    write_json(Path(folder) / FILE, {**said, "notes": [*said["notes"], sentence]})


def _said(path: Path, by: str) -> dict[str, list[str]]:
    """Sentences of a file by their weight; none where there is no file."""
    content = read_json(path) if path.exists() or path.is_symlink() else {}
    with as_written(path, by):
        found = {weight: content.get(weight) or [] for weight in WEIGHTS}
        return TypeAdapter(dict[str, list[str]]).validate_python(found)


def _summed(sentences: Iterable[str]) -> list[str]:
    """Each sentence once, with the frames of all that say the same counted together."""
    counts: dict[str, int] = {}
    for sentence in sentences:
        found = _COUNTED.fullmatch(sentence)
        text, count = (found[2], int(found[1])) if found else (sentence, 0)
        counts[text] = counts.get(text, 0) + count
    return [
        f"{count} frame{' is' if count == 1 else 's are'} {text}" if count else text for text, count in counts.items()
    ]
