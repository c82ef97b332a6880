"""Passwords stay out of what is written: messages, logs, results and records are shown without them."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable

_ADDRESS = re.compile(r"(?<=://)([^\s:/@'\"]*):(?!\d+/)[^\s'\"]{0,500}@")
_KEY = re.compile(r"(?i)(password|passwd|secret|token|api_?key|signature)=[^\s&'\",;]+")

_SECRET = (
    r"password|passphrase|passwd|secret(?!ase|e[ds]?\b|in\b|ion|or[yi]|agog|ary\b)|token|(?:api|access|private)[_-]?key"
    r"|credential|signature|hook_url|(?<![a-z])jwt"
)
_QUOTED = r"(?P<quote>\\{0,8}[\"'])(?:(?!(?P=quote))(?:\\.|.))*(?P=quote)?"
_NO_VALUE = r"(?!(?:null|none|true|false|~)(?![^\s,;}\]]))"
_GIVEN = re.compile(
    rf"(?i)(?P<name>(?:{_SECRET})[\w.-]{{0,40}}\\{{0,8}}[\"']?\s{{0,9}}[:=][\s\[(]{{0,40}}(?:[|>][+-]?\s{{1,40}})?)"
    rf"(?:{_QUOTED}|{_NO_VALUE}[^\s\"',;&}}\]\\]+)"
)
"""A name that tells of a secret, and its value: to the end of its quotes, also of a text within JSON, or a word.

All repeats before a match is sure are bounded: a line may be a megabyte of one word.
"""
_NO_WORD = r"[^\s\"'\\]{0,200}?(?:\d|[a-z][A-Z]|=)"
"""What the words of a language have none of, and most secrets have."""
_PROSE = (
    "for|of|is|was|has|had|are|and|or|not|no|in|to|by|on|at|from|with|without|if|as|the|a|an|that|this|which|be|can|may|"
    "must|should|will|would|cannot|does|did|auth|authentication|authenticate|required|requires|needed|missing|prompt|"
    "given|file|field|files|entry|check|hash|wrong|invalid|incorrect|expired|rejected|accepted|refused|denied|failed|"
    "failure|protected|protection|manager|reset|change|changed|too|only|policy|empty|error|stays?|stay|out"
)
_COPIES = re.compile(
    r"(?<![\w-])(?:scp|rsync)[ \t](?:(?!(?<![\w-])(?:curl|wget|https?|lftp|docker|podman|skopeo|ssh)(?![\w-]))"
    r"[^\n;|&<>()`])*\Z"
)
"""The beginning of a command whose -u names no user: what follows is a file elsewhere."""


def _user_or_place(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - 300) : found.start()]
    return found[0] if _COPIES.search(before) and found[1].startswith("-u") else f"{found[1]}***"


_SURE = (
    # the end of a key whose beginning was cut off, as from the end of a log
    (
        re.compile(r"(?m)^(?:[A-Za-z0-9+/=]{1,100}\r?\n){1,400}(?=-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----)"),
        "*** ",
    ),
    (re.compile(r"(?s)(-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----).*?(?=-----END|\Z)"), r"\1 *** "),
    (re.compile(rf"(?i:(\b(?:bearer|basic)\s{{1,9}}))(?={_NO_WORD}|\S{{24}})[A-Za-z0-9._~+/=-]{{8,}}"), r"\1***"),
    # a JSON Web Token, with two parts or more after its head; a token of Seqera Platform, which is one text of base64
    (re.compile(r"\beyJ[\w-]{6,4000}\.[\w-]{6,}(?:\.[\w-]*){0,3}"), "eyJ***"),
    (re.compile(r"\beyJ0aWQi[\w+/=-]{8,}"), "eyJ***"),
    (re.compile(r"\b(MUNGE:)[A-Za-z0-9+/=]{16,}"), r"\1***"),
    # by what services begin their keys with; lengths keep out columns such as hf_energy and keys of molecules
    (re.compile(r"\b(gh[oprsu]_)[A-Za-z0-9]{12,}"), r"\1***"),
    (re.compile(r"\b(github_pat_|glpat-|xox[abeprs]-|xapp-|dckr_pat_)[\w-]{12,}"), r"\1***"),
    (re.compile(r"\b(hf_|npm_)[A-Za-z0-9]{30,}"), r"\1***"),
    (re.compile(r"\b(pypi-AgE|AIza|ya29\.)[\w-]{20,}"), r"\1***"),
    (re.compile(r"\b([sr]k_(?:live|test)_)[A-Za-z0-9]{12,}"), r"\1***"),
    (re.compile(r"\b(sk-)(?:(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[A-Z])[\w-]{16,}|(?=\w{0,200}\d)\w{20,})"), r"\1***"),
    # the secret of an access key of AWS has no mark of its own, so what stands beside one counts
    (
        re.compile(
            r"\b((?:AKIA|ASIA)[A-Z0-9]{16}\b[^A-Za-z0-9+/]{1,20}(?:\w{1,30}\W{1,5})??)[A-Za-z0-9+/]{40}(?![\w+/=])"
        ),
        r"\1***",
    ),
    (re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"), r"\1***"),
)
"""What is a secret wherever it stands, by its own form."""
_MASKS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"(?i)(-[\w-]{{0,40}}(?:{_SECRET})[\w-]{{0,40}}\s{{1,9}}[\"']?)(?!-)[^\s\"']+"), r"\1***"),
    (
        re.compile(
            r"(?i)(authorization(?!\W{1,20}(?:[a-z]{1,20}\s{1,9})?\*\*\*)\W{1,20}(?:[a-z]{1,20}\s{1,9})?)[^\s\"'\\]+"
        ),
        r"\1***",
    ),
    # said in words, as of a prompt or in a .netrc
    (
        re.compile(
            rf"(?i)(\b(?:password|passphrase|passwd)[ \t]{{1,9}}(?:(?:is|was)[ \t]{{1,9}})?[\"']?)"
            rf"(?!(?:{_PROSE})\b|\*\*\*)[^\s\"'\\:=(]{{3,}}"
        ),
        r"\1***",
    ),
    (
        re.compile(
            rf"(?i:(\b(?:token|secret|api key)[ \t]{{1,9}}))(?={_NO_WORD})(?=\S{{0,200}}[A-Za-z])[\w.+/=-]{{12,}}"
        ),
        r"\1***",
    ),
    (re.compile(r"((?<!\w)(?:-u|--user)[ =][\"']?[^\s:/\"']{1,100}:)(?!\d+\b|/)[^\s\"']+"), _user_or_place),
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
        The same without the password of an address (``postgresql://me:…@host``), with ``***`` for the value of such
        words as ``password=`` and ``token=``, and for what is a secret by its own form: a private key, a web token, or
        the key of a known service.
    """
    for mask, shown in _SURE:
        text = mask.sub(shown, text)
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
        Whether it holds an address with a password, a word such as ``password=``, or a key of a known form.
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
