"""A real server on the loopback address that plays the servers that downloads meet."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Gives the answers of its server's script, one a request; the last one again and again."""

    protocol_version = "HTTP/1.1"
    server: Loopback

    def do_CONNECT(self) -> None:
        """A proxy is asked to open a way to a guarded server."""
        self.do_GET()

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.seen.append((self.path, dict(self.headers.items())))
            answers = self.server.script.get(self.path, [status(404)])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def give(self, code: int, body: bytes, headers: dict[str, str], length: bool = True) -> None:
        """Send one answer, whole."""
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if length and "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def break_off(self) -> None:
        """End the connection in the middle."""
        self.wfile.flush()
        self.close_connection = True


class Loopback(ThreadingHTTPServer):
    """The server: a script of answers by path, and the requests that came."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: dict[str, list[Answer]] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.lock = threading.Lock()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def plays(self, path: str, *answers: Answer) -> str:
        """Say what a path answers, and return its address."""
        self.script[path] = list(answers)
        return self.base + path

    def headers(self, path: str) -> list[dict[str, str]]:
        """The headers of the requests for a path, in order."""
        return [headers for asked, headers in self.seen if asked == path]


@contextmanager
def running() -> Iterator[Loopback]:
    """Run a server while a test lasts."""
    server = Loopback()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def file(
    body: bytes,
    etag: str | None = None,
    modified: float | None = None,
    ranges: bool = True,
    stop: int | None = None,
    kind: str = "text/csv",
    pause: float = 0.0,
    piece: int = 0,
) -> Answer:
    """A file as good servers give it; `stop` breaks off after so many bytes of the answer."""

    def answer(handler: Handler) -> None:
        asked = handler.headers
        headers = {"Content-Type": kind}
        if etag:
            headers["ETag"] = etag
        if modified is not None:
            headers["Last-Modified"] = formatdate(modified, usegmt=True)
        unchanged = etag and asked.get("If-None-Match") == etag
        if "If-None-Match" not in asked and modified is not None:
            unchanged = asked.get("If-Modified-Since") == headers["Last-Modified"]
        if unchanged:
            handler.give(304, b"", headers, length=False)
            return
        code, rest = 200, body
        current = (etag, headers.get("Last-Modified"))
        if ranges and "Range" in asked and asked.get("If-Range") in current:
            start = int(asked["Range"].removeprefix("bytes=").removesuffix("-"))
            code, rest = 206, body[start:]
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        if stop is None and not pause:
            handler.give(code, rest, headers)
            return
        headers["Content-Length"] = str(len(rest))
        sent = rest if stop is None else rest[:stop]
        size = piece or max(len(sent), 1)
        handler.give(code, b"", headers)
        for start in range(0, len(sent), size):
            handler.wfile.write(sent[start : start + size])
            handler.wfile.flush()
            time.sleep(pause)
        if stop is not None:
            handler.break_off()

    return answer


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer with a code; underscores in the names of headers are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.give(code, body, named)


def packed(body: bytes, cut: int = 0, encoding: str = "gzip") -> Answer:
    """A body that comes packed, perhaps without its last bytes."""
    data = gzip.compress(body)
    data = data[: len(data) - cut]
    return lambda handler: handler.give(200, data, {"Content-Encoding": encoding, "ETag": '"z"'})


def endless(body: bytes) -> Answer:
    """A body without a length: it ends where the connection does."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.give(200, body, {"Connection": "close"}, length=False)

    return answer


def chunked(body: bytes, finish: bool = True) -> Answer:
    """A body in chunks, perhaps without the one that says that it is over."""

    def answer(handler: Handler) -> None:
        handler.give(200, b"", {"Transfer-Encoding": "chunked"}, length=False)
        handler.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")
        if finish:
            handler.wfile.write(b"0\r\n\r\n")
        else:
            handler.break_off()

    return answer


def silent(seconds: float) -> Answer:
    """Nothing at all for a while."""

    def answer(handler: Handler) -> None:
        time.sleep(seconds)
        handler.close_connection = True

    return answer
