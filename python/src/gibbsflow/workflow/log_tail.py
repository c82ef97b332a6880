"""The last lines of the log of the verb that runs, kept for the record of a failure."""

from __future__ import annotations

import logging
from collections import deque

MOST_LINES = 20
_MOST_CHARACTERS = 500
_lines: deque[str] = deque(maxlen=MOST_LINES)


class LogTail(logging.Handler):
    """Keeps the last lines; those of a handler before are forgotten.

    Parameters
    ----------
    formatter
        Of the lines.
    """

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        _lines.clear()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message.

        Parameters
        ----------
        record
            The message; of long lines the beginning is kept.
        """
        _lines.extend(line[:_MOST_CHARACTERS] for line in self.format(record).splitlines())


def recent_lines() -> list[str]:
    """Give the last lines.

    Returns
    -------
    list of str
        Twenty at most, the newest last.
    """
    return list(_lines)
