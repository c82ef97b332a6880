"""The page's server: what it tells, and what it refuses."""

import json
import socket
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from left_states import leave
from watched_campaigns import HOSTILE, campaign, phases

from gibbsflow.errors import InputError, MachineError
from gibbsflow.report.live import server as module
from gibbsflow.report.live.server import PageServer, is_loopback
from gibbsflow.workflow.watch.campaign_view import CampaignView


@contextmanager
def serving(state, host="127.0.0.1", **options):
    with PageServer(CampaignView(state, phases), host, **options) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def get(server, path="/", method="GET", **headers):
    """Status, headers and text."""
    address = f"http://127.0.0.1:{server.server_address[1]}{path}"
    request = urllib.request.Request(
        address, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(module, "_OFTEN_S", 0.0)


def test_items_are_told_once_and_then_where_they_have_changed(tmp_path, often):
    state = campaign(tmp_path)
    with serving(state) as server:
        assert not server.token and server.url.startswith("http://127.0.0.1:")
        first = json.loads(get(server, "/api/snapshot?after=0")[2])
        assert first["all"] and {one["name"] for one in first["items"]} == {"a1", "b2", "done", "later", HOSTILE}
        assert first["head"]["items"] == 5 and first["head"]["counts"]["pruned"] == 3
        leave(state / "cb7/b2/solvent/replicate_1/window_00", window=0, done=100)
        second = json.loads(get(server, f"/api/snapshot?after={first['version']}")[2])
        assert not second["all"] and [one["name"] for one in second["items"]] == ["b2"]
        for after in ("-1", "x", "9" * 20, str(10**9)):
            assert len(json.loads(get(server, f"/api/snapshot?after={after}")[2])["items"]) == 5


def test_an_item_by_its_name_alone(tmp_path):
    with serving(campaign(tmp_path)) as server:
        code, headers, text = get(server, f"/api/item?name={quote(HOSTILE)}")
        assert code == 200 and headers["Content-Type"] == "application/json"
        assert json.loads(text)["item"]["cause"].endswith("equil: Numerical: not finite")
        for name in ("nobody", "../a1", "/etc/passwd", "", "%00", "%ff"):
            assert get(server, f"/api/item?name={name}")[0] == 404
        for path in ("/etc/passwd", "/../../etc/passwd", "/%2e%2e/x", "/live.html", "/api/", "/api/item/x"):
            assert get(server, path)[0] == 404


def test_nothing_of_a_name_is_in_the_page_itself(tmp_path):
    with serving(campaign(tmp_path)) as server:
        code, headers, text = get(server)
    assert code == 200 and "onerror" not in text and "NONCE" not in text
    policy = headers["Content-Security-Policy"]
    nonce = policy.split("script-src 'nonce-")[1].split("'")[0]
    assert f'<script nonce="{nonce}">' in text and "default-src 'none'" in policy and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"
    assert "http://" not in text and "https://" not in text and "innerHTML" not in text


def test_only_get_and_only_by_its_own_name(tmp_path):
    with serving(campaign(tmp_path)) as server:
        for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
            code, headers, _ = get(server, "/api/snapshot", method)
            assert code == 405 and headers["Allow"] == "GET"
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil", "", "[", "10.0.0.1:80"):
            assert get(server, "/api/snapshot", Host=host)[0] in (400, 403)
        for host in ("localhost:9999", "127.0.0.1", "[::1]:80", "LOCALHOST"):
            assert get(server, Host=host)[0] == 200
        for text in (b"GET / HTTP/1.0\r\n\r\n", b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            with socket.create_connection(server.server_address[:2]) as line:
                line.sendall(text)
                assert line.recv(100).split()[1] in (b"400", b"403")


def test_a_token_is_asked_for_on_other_addresses(tmp_path):
    state = campaign(tmp_path)
    with serving(state, "0.0.0.0") as server:  # noqa: S104 - what the token is for
        token = server.token
        assert len(token) >= 32 and server.url.endswith(f"/?token={token}")
        assert socket.gethostname() in server.url  # the wildcard is no address to open elsewhere
        for path in ("/", "/api/snapshot", "/?token=", "/?token=x", f"/?token={token}x", "/?token=%C3%A9"):
            assert get(server, path)[0] == 403
        assert get(server, "/", Cookie=f"gibbsflow_watch={token}x")[0] == 403
        code, headers, _ = get(server, f"/?token={token}")
        cookie = headers["Set-Cookie"]
        assert code == 200 and "HttpOnly" in cookie and "SameSite=Strict" in cookie
        assert get(server, "/api/snapshot", Cookie=cookie.split(";")[0])[0] == 200
        assert get(server, f"/?token={token}", Host="10.0.0.1")[0] == 200
        assert get(server, f"/?token={token}", Host="evil.example")[0] == 403
    with serving(state, token=True) as server:
        assert get(server)[0] == 403 and get(server, f"/?token={server.token}")[0] == 200


def test_a_port_that_is_taken_and_an_address_that_is_none(tmp_path):
    view = CampaignView(campaign(tmp_path), phases)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(MachineError, match="cannot listen"):
        PageServer(view, port=taken.getsockname()[1])
    with pytest.raises(InputError, match="is no address"):
        PageServer(view, "no such host")


def test_state_that_goes_away_is_said(tmp_path, often):
    state = campaign(tmp_path)
    with serving(state) as server:
        get(server, "/api/snapshot")
        state.rename(tmp_path / "moved")
        code, _, text = get(server, "/api/snapshot")
        assert code == 404 and "no such folder any more" in text


@pytest.mark.parametrize(
    ("host", "own"), [("localhost", True), ("127.0.0.2", True), ("::1", True), ("0.0.0.0", False), ("node3", False)]
)
def test_loopback(host, own):
    assert is_loopback(host) is own
