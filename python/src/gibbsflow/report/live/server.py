"""The live view as a page of this machine: read-only, of one campaign, without any file's path from outside."""

from __future__ import annotations

import hmac
import ipaddress
import json
import secrets
import socket
import sys
import time
from collections.abc import Mapping
from functools import cache
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gibbsflow.errors import GibbsflowError, InputError, MachineError, Problem
from gibbsflow.report.live.growing import GrowingLegs
from gibbsflow.version import __version__
from gibbsflow.workflow.watch.campaign_view import CampaignView
from gibbsflow.workflow.watch.snapshot import ItemRow

_COOKIE = "gibbsflow_watch"
_OFTEN_S = 1.0
"""Looks at the campaign are at least so far apart, however many pages are open."""
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Feed:
    """What pages are told: of items, only those that have changed since the page asked last.

    Parameters
    ----------
    view
        The campaign.
    """

    def __init__(self, view: CampaignView) -> None:
        self._view, self._lock = view, Lock()
        self._version, self._looked_s = 0, float("-inf")
        self._items: dict[str, tuple[int, ItemRow]] = {}
        self._gone: dict[str, int] = {}
        self._head: dict[str, Any] = {}
        self._growing = GrowingLegs()

    def since(self, version: int) -> dict[str, Any]:
        """Tell what is new.

        Parameters
        ----------
        version
            That of the last answer; 0 for all.

        Returns
        -------
        dict
            ``version``, ``head`` (a snapshot without its items), ``items`` that have changed, names that are ``gone``.
        """
        with self._lock:
            self._look()
            if version > self._version:
                version = 0  # of a server before this one
            new = [vars(one) for changed, one in self._items.values() if changed > version]
            gone = [name for name, at in self._gone.items() if at > version]
            return {"version": self._version, "all": version == 0, "head": self._head, "items": new, "gone": gone}

    def detail(self, name: str) -> dict[str, Any]:
        """Tell all of one item.

        Parameters
        ----------
        name
            Its name.

        Returns
        -------
        dict
            Fields of :class:`gibbsflow.workflow.watch.snapshot.ItemDetail`, and ``growing``: of an item that is not
            finished those of :class:`gibbsflow.report.live.growing.GrowingLeg`, of each leg with samples.
        """
        with self._lock:
            self._look()
            found, homes = self._view.detail(name), self._view.homes(name)
        grown = [] if found.item.state == "finished" else self._growing.of(homes)  # others go on looking meanwhile
        return {**found.as_dict(), "growing": grown}

    def _look(self) -> None:
        if time.monotonic() - self._looked_s < _OFTEN_S:
            return
        found = self._view.look()
        self._looked_s = time.monotonic()
        self._version += 1
        before, self._items = self._items, {}
        for one in found.items:
            known = before.get(one.name)
            self._items[one.name] = known if known is not None and known[1] == one else (self._version, one)
        self._gone |= dict.fromkeys(before.keys() - self._items.keys(), self._version)
        self._gone = {name: at for name, at in self._gone.items() if name not in self._items}
        head = {**vars(found), "items": len(found.items), "phases": [vars(one) for one in found.phases]}
        self._head = head | {"learning": None if found.learning is None else vars(found.learning)}


class PageServer(ThreadingHTTPServer):
    """Serves the page of one campaign, to GET alone.

    Parameters
    ----------
    view
        The campaign.
    host
        Address to listen on.
    port
        Port; 0 for a free one.
    token
        Whether to ask for a token on this machine's own address, too; on any other it is always asked for.

    Raises
    ------
    InputError
        For an address that is none of this machine's.
    MachineError
        Where the port is taken.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, view: CampaignView, host: str = "127.0.0.1", port: int = 0, *, token: bool = False) -> None:
        self.host, self.feed = host.strip("[]"), Feed(view)
        self.token = secrets.token_urlsafe(24) if token or not is_loopback(self.host) else ""
        self.names = {self.host.lower()} | set(_LOCAL)
        try:
            family, _, _, _, address = socket.getaddrinfo(self.host, port, type=socket.SOCK_STREAM)[0]
        except (OSError, UnicodeError) as error:
            what = f"{host!r} is no address ({error})"
            raise InputError(
                Problem("--host", what, "an address or name of this machine, such as 127.0.0.1")
            ) from error
        self.address_family = family
        try:
            super().__init__((str(address[0]), int(address[1])), _Handler)
        except (OSError, OverflowError) as error:
            raise MachineError(f"cannot listen on {host} port {port}: {error}") from error
        if not is_loopback(self.host):
            self.names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    @property
    def url(self) -> str:
        """Where the page is.

        Returns
        -------
        str
            With its token, where one is asked for.
        """
        everywhere = self.host in ("0.0.0.0", "::")  # noqa: S104 - an address to show, not to listen on
        named = socket.gethostname() if everywhere else self.host
        host = f"[{named}]" if ":" in named else named
        return f"http://{host}:{self.server_address[1]}/" + (f"?token={self.token}" if self.token else "")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong with a request, but not that a page was closed while it was answered.

        Parameters
        ----------
        request
            The connection.
        client_address
            Who asked.
        """
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def knows(self, host: str) -> bool:
        """Say whether a request is meant for this server.

        Parameters
        ----------
        host
            Its header ``Host``: another site whose name was bound to this address would send its own.

        Returns
        -------
        bool
            True for names of this machine, whatever the port (an ssh tunnel has its own); where a token is asked for on
            other addresses, for addresses as numbers, too.
        """
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        return name in self.names or (not is_loopback(self.host) and _is_address(name))


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach an address.

    Parameters
    ----------
    host
        Name or address.

    Returns
    -------
    bool
        Whether it is so.
    """
    return host.lower() == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


@cache
def _page() -> str:
    return (files("gibbsflow.report") / "templates" / "live.html").read_text()


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    server_version = f"gibbsflow/{__version__}"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:  # noqa: N802 - as http.server has it
        try:
            path, query = self._asked()
        except ValueError:
            return self._answer(400, "not an address")
        if not self.server.knows(self.headers.get("Host", "")):
            return self._answer(403, "this server is not known by that name")
        if not self._allowed(query):
            return self._answer(403, "the token is missing or wrong: open the address that gibbsflow watch has printed")
        try:
            if path == "/":
                return self._send_page()
            if path == "/api/snapshot":
                after = query.get("after", ["0"])[0]
                return self._json(self.server.feed.since(int(after) if after.isdecimal() and len(after) < 16 else 0))
            if path == "/api/item":
                return self._json(self.server.feed.detail(query.get("name", [""])[0]))
        except InputError as error:
            return self._answer(404, str(error))
        except (GibbsflowError, OSError) as error:
            return self._answer(500, f"the state cannot be read: {error}")
        return self._answer(404, "no such page")

    def _refuse(self) -> None:
        self.close_connection = True  # what else it sends is not read
        self._send(405, "text/plain; charset=utf-8", b"only GET is served\n", {"Allow": "GET"})

    do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_TRACE = do_CONNECT = _refuse  # noqa: N815

    def _asked(self) -> tuple[str, Mapping[str, list[str]]]:
        asked = urlsplit(self.path)
        return asked.path, parse_qs(asked.query, errors="surrogateescape", max_num_fields=8)

    def _allowed(self, query: Mapping[str, list[str]]) -> bool:
        if not self.server.token:
            return True
        try:
            kept = SimpleCookie(self.headers.get("Cookie", "")).get(_COOKIE)
        except CookieError:
            kept = None
        given = [*query.get("token", []), *([kept.value] if kept is not None else [])]
        wanted = self.server.token.encode()
        return any([hmac.compare_digest(one.encode(errors="replace"), wanted) for one in given])

    def _send_page(self) -> None:
        nonce = secrets.token_urlsafe(12)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
            "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        headers = {"Content-Security-Policy": policy}
        if self.server.token:
            headers["Set-Cookie"] = f"{_COOKIE}={self.server.token}; HttpOnly; SameSite=Strict; Path=/"
        self._send(200, "text/html; charset=utf-8", _page().replace("NONCE", nonce).encode(), headers)

    def _json(self, content: Mapping[str, Any]) -> None:
        text = json.dumps(content, default=list)
        self._send(200, "application/json", text.encode())

    def _answer(self, code: int, text: str) -> None:
        self._send(code, "text/plain; charset=utf-8", f"{text}\n".encode(errors="replace"))

    def _send(self, code: int, kind: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        fixed = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        self.send_response(code)
        for key, value in {**fixed, **(headers or {})}.items():
            self.send_header(key, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server has it
        """Write no log: addresses may hold the token."""
