"""A real SMTP server on the loopback address that plays the mail servers that notices meet.

It holds clients to RFC 5321: commands in order, lines that end by CR LF, and dots doubled.
"""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Manners:
    """How a server behaves; each answer by command, the last of several again and again."""

    answers: dict[str, list[str]] = field(default_factory=dict)
    login: tuple[str, str] | None = None
    context: ssl.SSLContext | None = None
    at_once: bool = False  # TLS from the first byte
    silent: bool = False
    dripping: float = 0.0  # seconds between the bytes of a greeting that never ends
    hangs_up: int = 0  # connections that end before the greeting


class Handler(socketserver.StreamRequestHandler):
    """One session."""

    server: Mailserver

    def handle(self) -> None:
        """Talk until the client has had enough."""
        manners = self.server.manners
        self.server.sessions += 1
        self.guarded = self.known = False
        self.sender = ""
        self.to: list[str] = []
        try:
            if manners.at_once:
                self.guard()
            if self.misbehave():
                return
            self.say(self.planned("greeting") or "220 mail.example ESMTP")
            while self.answer():
                pass
        except (OSError, ssl.SSLError):
            pass
        finally:
            for each in (self.rfile, self.wfile, self.request):
                each.close()  # those of the encrypted connection, which nobody else knows

    def misbehave(self) -> bool:
        """Hang up, say nothing, or never come to an end."""
        manners = self.server.manners
        if self.server.sessions <= manners.hangs_up:
            return True
        if manners.silent:
            self.server.over.wait(20)
            return True
        if manners.dripping:
            self.wfile.write(b"220-")
            while not self.server.over.is_set():
                self.wfile.write(b"x")
                time.sleep(manners.dripping)
            return True
        return False

    def guard(self) -> None:
        """Go on encrypted."""
        context = self.server.manners.context
        assert context is not None
        self.request = context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.guarded = True

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def planned(self, command: str) -> str | None:
        """What the test wants this command to be answered with."""
        answers = self.server.manners.answers.get(command)
        if not answers:
            return None
        return (answers.pop(0) if len(answers) > 1 else answers[0]) or None

    def answer(self) -> bool:
        """Answer one command; False at the end."""
        line = self.rfile.readline(2000)
        if not line:
            return False
        assert line.endswith(b"\r\n"), line
        text = line.decode("ascii").removesuffix("\r\n")
        self.server.lines.append(text)
        command = text.partition(" ")[0].upper()
        if (planned := self.planned(command)) is not None:
            self.say(planned)
            return command != "QUIT"
        if command == "QUIT":
            self.say("221 bye")
            return False
        getattr(self, f"do_{command.lower()}")(text)
        return True

    def do_ehlo(self, _text: str) -> None:
        """Say what is offered."""
        manners = self.server.manners
        offers = ["mail.example"]
        if manners.context is not None and not self.guarded:
            offers.append("STARTTLS")
        if manners.login is not None:
            offers.append("AUTH PLAIN")
        for offer in offers[:-1]:
            self.say(f"250-{offer}")
        self.say(f"250 {offers[-1]}")

    def do_starttls(self, _text: str) -> None:
        self.say("220 go on")
        self.guard()

    def do_auth(self, text: str) -> None:
        """Let in who knows the password."""
        assert text.startswith("AUTH PLAIN ")
        _, user, password = base64.b64decode(text.split(" ")[2]).decode().split("\0")
        self.known = (user, password) == self.server.manners.login
        self.say("235 welcome" if self.known else f"535 no: {text.split(' ')[2]} {password}")

    def do_mail(self, text: str) -> None:
        self.sender, self.to = text, []
        self.say("250 ok" if self.known or not self.server.manners.login else "530 log in first")

    def do_rcpt(self, text: str) -> None:
        if "nobody@" in text:
            self.say("550 no such mailbox")
            return
        self.to.append(text)
        self.say("250 ok")

    def do_rset(self, _text: str) -> None:
        self.say("250 ok")

    def do_data(self, _text: str) -> None:
        """Take a message in, up to the line with a dot."""
        self.say("354 go on")
        lines: list[bytes] = []
        while (line := self.rfile.readline(2000)) != b".\r\n":
            assert line.endswith(b"\r\n"), line
            assert len(line) <= 1000, "RFC 5321, 4.5.3.1.6"
            lines.append(line[1:] if line.startswith(b".") else line)
        self.server.letters.append((self.sender, tuple(self.to), b"".join(lines)))
        self.say(self.planned("sent") or "250 taken")


class Mailserver(socketserver.ThreadingTCPServer):
    """The server, the letters that came, and all lines that clients said."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, manners: Manners) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.manners = manners
        self.letters: list[tuple[str, tuple[str, ...], bytes]] = []
        self.lines: list[str] = []
        self.sessions = 0
        self.over = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


@contextmanager
def running(manners: Manners | None = None) -> Iterator[Mailserver]:
    """Run a server while a test lasts."""
    server = Mailserver(manners or Manners())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
