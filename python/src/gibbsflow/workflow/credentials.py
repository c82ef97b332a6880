"""Passwords stay out of what is written: messages, logs, results and records are shown without them."""

from __future__ import annotations

import logging
import re

_ADDRESS = re.compile(r"(?<=://)([^\s:/@'\"]*):(?!\d+/)[^\s'\"]{0,500}@")
_KEY = re.compile(r"(?i)(password|passwd|secret|token|api_?key|signature)=[^\s&'\",;]+")


def without_passwords(text: str) -> str:
    """Give a text as it may be shown.

    Parameters
    ----------
    text
        Message, path or address.

    Returns
    -------
    str
        The same without the password of an address (``postgresql://me:…@host``), and with ``***`` for the value of such
        words as ``password=`` and ``token=``.
    """
    return _KEY.sub(r"\1=***", _ADDRESS.sub(r"\1@", text))


def holds_password(text: str) -> bool:
    """Say whether something in a text would not be shown.

    Parameters
    ----------
    text
        A parameter, or the content of a file.

    Returns
    -------
    bool
        Whether it holds an address with a password, or a word such as ``password=``.
    """
    return without_passwords(text) != text


class DiscreetFormatter(logging.Formatter):
    """Log lines without passwords, whoever writes them."""

    def format(self, record: logging.LogRecord) -> str:
        """Lay a record out.

        Parameters
        ----------
        record
            What is logged.

        Returns
        -------
        str
            Its line, and its traceback where it has one.
        """
        return without_passwords(super().format(record))
