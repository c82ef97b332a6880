"""A mail server of this machine that keeps what it is given, and knows one address alone."""

from __future__ import annotations

import email
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from threading import Thread

KNOWN = "me@example.org"
PASSWORD = "a-password-that-nobody-must-find"


@dataclass
class Mailbox:
    """Where the server is, and the mails that came in."""

    port: int
    mails: list[Message] = field(default_factory=list)

    def settings(self, folder: Path, *, password: bool = False) -> Path:
        """Write a settings file of Nextflow's that names the server."""
        secret = f"smtp.user = 'me'; smtp.password = '{PASSWORD}'; smtp.auth = true; " if password else ""
        path = folder / "mail.config"
        path.write_text(f"mail {{ from = 'g@localhost'; {secret}smtp.host = '127.0.0.1'; smtp.port = {self.port} }}\n")
        return path

    def texts(self) -> list[tuple[str, str]]:
        """Subject and plain text of each mail."""
        parts = ((mail, part) for mail in self.mails for part in mail.walk())
        return [
            (" ".join(str(mail["Subject"]).split()), part.get_payload(decode=True).decode().replace("\r\n", "\n"))  # type: ignore[union-attr]
            for mail, part in parts
            if part.get_content_type() == "text/plain"
        ]


@contextmanager
def receiving() -> Iterator[Mailbox]:
    """Serve on a free port of the loopback interface; any password will do."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 here")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "EHLO":
                    self.say("250-here", "250 AUTH PLAIN")
                elif verb == "AUTH":
                    self.say("235 yes")
                elif verb == "RCPT" and KNOWN not in line:
                    self.say("550 no such mailbox")
                elif verb == "DATA":
                    self.say("354 go on")
                    lines = list(iter(self.rfile.readline, b".\r\n"))
                    box.mails.append(email.message_from_bytes(b"".join(lines)))
                    self.say("250 kept")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 yes")

        def say(self, *lines: str) -> None:
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        box = Mailbox(server.server_address[1])
        Thread(target=server.serve_forever, daemon=True).start()
        yield box
        server.shutdown()
