"""Passwords stay out of what is written: messages, logs, results and records are shown without them."""

from __future__ import annotations

import logging
import os
import re

_ADDRESS = re.compile(r"(?<=://)([^\s:/@'\"]*):(?!\d+/)[^\s'\"]{0,500}@")
_KEY = re.compile(r"(?i)(password|passwd|secret|token|api_?key|signature)=[^\s&'\",;]+")

_SECRET = r"password|passphrase|passwd|secret|token|(?:api|access|private)[_-]?key|credential|signature|hook_url"
_QUOTED = r"(?P<quote>\\{0,8}[\"'])(?:(?!(?P=quote))(?:\\.|.))*(?P=quote)?"
_GIVEN = re.compile(
    rf"(?i)(?P<name>(?:{_SECRET})[\w.-]{{0,40}}\\{{0,8}}[\"']?\s{{0,9}}[:=][\s\[(]{{0,40}})"
    rf"(?:{_QUOTED}|[^\s\"',;&}}\]\\]+)"
)
"""A name that tells of a secret, and its value: to the end of its quotes, also of a text within JSON, or a word.

All repeats before a match is sure are bounded: a line may be a megabyte of one word.
"""
_MASKS = (
    # the end of a key whose beginning was cut off, as from the end of a log
    (re.compile(r"(?m)^(?:[A-Za-z0-9+/=]{1,100}\r?\n){1,400}(?=-----END [A-Z ]{0,30}PRIVATE KEY-----)"), "*** "),
    (re.compile(rf"(?i)(-[\w-]{{0,40}}(?:{_SECRET})[\w-]{{0,40}}\s{{1,9}}[\"']?)(?!-)[^\s\"']+"), r"\1***"),
    (re.compile(r"(?i)(authorization\W{1,20}[a-z]{1,20}\s{1,9})[^\s\"'\\]+"), r"\1***"),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"), r"\1***"),
    (re.compile(r"(?s)(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----).*?(?=-----END|\Z)"), r"\1 *** "),
    (re.compile(r"\b((?:gh[opsru]_|github_pat_|glpat-|hf_|xox[abp]-|AKIA))[\w-]{12,}"), r"\1***"),
    # of an address that signs itself, as Azure's storage has them
    (re.compile(r"(?i)([?&]sig=)[^\s&\"'\\]+"), r"\1***"),
    (re.compile(r"(?i)(https?://)[^\s\"'\\]{0,300}hook[^\s\"'\\]*"), r"\1***"),
)


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


def masked(text: str) -> str:
    """Take out of a text what nobody else should read.

    Parameters
    ----------
    text
        Content of a file.

    Returns
    -------
    str
        The same with ``***`` in the place of passwords, tokens, keys, and of values that variables of such names have
        in this process' environment.
    """
    named = re.compile(_SECRET, re.IGNORECASE)
    for key, value in os.environ.items():
        if named.search(key) and len(value) >= 6:
            text = text.replace(value, "***")
    text = _GIVEN.sub(lambda found: f"{found['name']}{found['quote'] or ''}***{found['quote'] or ''}", text)
    for mask, shown in _MASKS:
        text = mask.sub(shown, text)
    return without_passwords(text)


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
