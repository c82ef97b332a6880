"""A loopback endpoint that speaks the protocol of Seqera Platform and keeps what it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORKFLOW_ID = "1aBcDeFgHiJkLm"


@dataclass(frozen=True)
class Call:
    """One request: ``POST /trace/create``, its query, headers and JSON body."""

    what: str
    query: str
    headers: dict[str, str]
    body: Any


@dataclass
class Recorder:
    """What came in, in order."""

    url: str
    calls: list[Call] = field(default_factory=list)

    def bodies(self, what: str) -> list[Any]:
        """Bodies of all calls of one kind."""
        return [call.body for call in self.calls if call.what == what]


@contextmanager
def recording() -> Iterator[Recorder]:
    """Serve on a free port of the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            path, _, query = self.path.partition("?")
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            body = json.loads(text) if text else None
            recorder.calls.append(Call(f"{self.command} {path}", query, dict(self.headers), body))
            told = {"workflowId": WORKFLOW_ID, "watchUrl": f"{recorder.url}/watch/{WORKFLOW_ID}", "message": ""}
            answer = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recorder = Recorder(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
