"""Fetching files over HTTP: the only code of the package that touches the network.

A file arrives whole or not at all. What was kept is asked about first and left alone when the
server says that nothing changed; a download that broke off goes on where it stopped, when the
server can prove that the file is still the same; bytes are counted and hashed before the file
takes its place.

Proxies come from the environment (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY). Certificates are
the system's own: httpx2 asks Windows and macOS through truststore, reads the places of OpenSSL
elsewhere, and SSL_CERT_FILE or SSL_CERT_DIR go before all.

What could not be tried here: the certificate stores of Windows and macOS, and the publishers' own
servers. All else is tested against a real server on the loopback address.

Sources: RFC 9110 (HTTP Semantics, 2022), sections 8.8 (validators), 10.2.3 (Retry-After),
13 (conditional requests) and 14 (range requests).
"""

from __future__ import annotations

import shutil
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from forecast.data import answers, refusals
from forecast.data.addresses import hide_secrets, plain_address, split_credentials
from forecast.data.downloads import Fetched, Known, Patience, Progress
from forecast.data.partials import Notes, Partial, open_partial
from forecast.data.records import now

if TYPE_CHECKING:
    import httpx2
    from tenacity import RetryCallState

LIMIT = 4 * 2**30
"""Bytes that one file may have: 4 GiB, above the largest archive known (2.6 GB)."""

_REDIRECTS = 10
_ALL_TRIES = 1000
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_START = 4096


class _TryAgain(Exception):  # noqa: N818 - it never leaves this file as an error
    """What went wrong may pass: the reason, and the seconds that the server asked for."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


def fetch(
    address: str,
    to: Path,
    *,
    known: Known | None = None,
    form: str | None = None,
    progress: Progress | None = None,
    limit: int = LIMIT,
    patience: Patience | None = None,
    offline: bool = False,
) -> Fetched:
    """Fetch one file, unless the server says that what was kept is still what it has.

    Tried again, with growing pauses: broken connections, silence, bodies cut short, 408, 425, 429
    and the passing errors of servers (500, 502, 503, 504). Never tried again: 401, 403, 404 and
    the like, certificates that are not trusted, web pages where figures should be.

    Parameters
    ----------
    address : str
        Beginning with http:// or https://; a user and a password in it are used and never shown.
    to : pathlib.Path
        Where the file shall stand. Its folder must exist. A file there is replaced in one step,
        and only by a whole one.
    known : Known, optional
        What was kept of this address.
    form : {"csv", "json", "zip"}, optional
        What the file must be. A web page in its place is refused.
    progress : callable, optional
        Called with the bytes so far, and those of the whole or None.
    limit : int
        Bytes, the most that is taken.
    patience : Patience, optional
    offline : bool
        Ask nobody: what was kept, or an error.

    Returns
    -------
    Fetched

    Raises
    ------
    NotReadyError
        If the server does not answer, breaks off again and again, or asks to come back later;
        offline, if nothing was kept. A later call goes on where this one stopped.
    DataError
        If there is no such file, it is not open to us, too big, or not what was asked for.

    Examples
    --------
    >>> kept = Known(sha256="5891b5b5", bytes=6, retrieved="2024-11-05T06:30:00Z")
    >>> fetch("https://example.org/a.csv", Path("a.csv"), known=kept, offline=True).status
    'kept'
    """
    clean, credentials = split_credentials(address)
    if offline:
        if known is None:
            raise refusals.not_kept(to.name)
        return known.answer(plain_address(clean), status="kept", checked=known.retrieved)
    patience = patience or Patience()
    with open_partial(to) as partial, _client(patience) as client:
        download = _Download(
            client=client,
            address=clean,
            credentials=credentials,
            partial=partial,
            known=known,
            form=form,
            progress=progress or (lambda _done, _of: None),
            limit=limit,
            patience=patience,
        )
        return download.run()


@contextmanager
def _client(patience: Patience) -> Iterator[httpx2.Client]:
    """A client with the system's proxies and certificates."""
    import httpx2

    timeout = httpx2.Timeout(patience.read, connect=patience.connect)
    headers = {"User-Agent": f"violence-forecast/{version('violence-forecast')}"}
    try:
        client = httpx2.Client(timeout=timeout, headers=headers)
    except (ValueError, ImportError) as error:
        raise refusals.no_proxy(hide_secrets(str(error))) from error
    except OSError as error:
        raise refusals.no_certificates(error) from error
    with client:
        yield client


@dataclass
class _Download:
    """One file on its way: as many requests as it takes."""

    client: httpx2.Client
    address: str
    credentials: tuple[str, str] | None
    partial: Partial
    known: Known | None
    form: str | None
    progress: Progress
    limit: int
    patience: Patience
    tries: int = 0
    fruitless: int = 0
    furthest: int = 0
    continued: int = 0
    length_stated: bool = True
    end: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the clock."""
        self.end = time.monotonic() + self.patience.whole

    @property
    def name(self) -> str:
        """What the file is called in messages."""
        return self.partial.target.name

    @property
    def plain(self) -> str:
        """The address as it may be shown and kept."""
        return plain_address(self.address)

    @property
    def server(self) -> str:
        """The server's name, for messages."""
        return self.address.split("/")[2]

    def run(self) -> Fetched:
        """Ask until the file is whole, or hope is lost."""
        from tenacity import Retrying, retry_if_exception_type, wait_exponential_jitter

        spread = wait_exponential_jitter(
            initial=self.patience.first, max=self.patience.longest, jitter=self.patience.first
        )

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.after if isinstance(error, _TryAgain) else 0.0
            return max(asked, spread(state))

        def stop(_state: RetryCallState) -> bool:
            late = time.monotonic() > self.end
            return late or self.fruitless >= self.patience.tries or self.tries >= _ALL_TRIES

        again = Retrying(
            retry=retry_if_exception_type(_TryAgain),
            wait=wait,
            stop=stop,
            sleep=self.patience.sleep,
            reraise=True,
        )
        try:
            return again(self._attempt)
        except _TryAgain as error:
            notes = self.partial.notes
            raise refusals.lost(
                self.name,
                self.server,
                str(error),
                tries=self.tries,
                size=self.partial.size,
                resumable=notes is not None and notes.validator is not None,
            ) from error

    def _attempt(self) -> Fetched:
        """Make one request and see how far it brings us."""
        self.tries += 1
        self.fruitless += 1
        with self._translating():
            with self._open(self._headers()) as response:
                if response.status_code == 304 and self.known is not None:
                    self.partial.drop()
                    return self.known.answer(
                        self.plain, status="unchanged", checked=now(), tries=self.tries
                    )
                if response.status_code == 206:
                    self._continue(response)
                elif response.status_code == 200:
                    self._begin(response)
                else:
                    self._refuse(response)
                self._read(response)
            return self._finish()

    def _headers(self) -> dict[str, str]:
        """Ask about what was kept, and for the rest of what was begun."""
        headers = {"Accept-Encoding": "identity"}  # lengths and ranges are of the file itself
        if self.known is not None and self.known.etag:
            headers["If-None-Match"] = self.known.etag
        if self.known is not None and self.known.last_modified:
            headers["If-Modified-Since"] = self.known.last_modified
        notes = self.partial.notes
        if notes is None or notes.validator is None or notes.address != self.plain:
            self.partial.drop()
            return headers
        if notes.total is not None and self.partial.size >= notes.total:
            self.partial.cut(max(notes.total - 1, 0))  # a range must not be empty
        if self.partial.size:
            headers |= {"Range": f"bytes={self.partial.size}-", "If-Range": notes.validator}
        return headers

    @contextmanager
    def _open(self, headers: dict[str, str]) -> Iterator[httpx2.Response]:
        """Send the request, and follow where the server sends us."""
        request = self.client.build_request("GET", self.address, headers=headers)
        response = self.client.send(request, stream=True, auth=self.credentials)
        seen = {str(request.url)}
        while response.next_request is not None:
            request = response.next_request
            response.close()
            self._check_way(str(response.url), str(request.url), seen)
            seen.add(str(request.url))
            response = self.client.send(request, stream=True)
        try:
            yield response
        finally:
            response.close()

    def _check_way(self, here: str, there: str, seen: set[str]) -> None:
        """Refuse to go in circles, or from a guarded address to an open one."""
        if there in seen or len(seen) > _REDIRECTS:
            shown, circle = plain_address(there), there in seen
            raise refusals.no_end(self.plain, shown, circle=circle, steps=_REDIRECTS)
        if here.startswith("https:") and not there.startswith("https:"):
            raise refusals.unguarded(self.plain, plain_address(there))

    def _begin(self, response: httpx2.Response) -> None:
        """Start a version from its first byte."""
        headers = response.headers
        if self.form and answers.is_web_page(headers.get("content-type", "")):
            start = next(response.iter_bytes(), b"")
            self._refuse_form(answers.misfit("csv", start) or "a web page")
        packing = headers.get("content-encoding", "identity").strip().casefold()
        if packing not in answers.PACKINGS:
            raise refusals.odd_packing(self.server, packing)
        encoded = packing != "identity"
        self.length_stated = answers.ends_clearly(headers)
        notes = Notes(
            self.plain,
            validator=None if encoded else answers.validator_of(headers),
            total=None if encoded else answers.length_of(headers),
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
        )
        self._check_room(notes.total or 0)
        self.partial.begin(notes)
        self.continued = 0

    def _continue(self, response: httpx2.Response) -> None:
        """Go on with the version that was begun, if these are the bytes that follow."""
        notes, span = self.partial.notes, answers.span_of(response.headers)
        fits = (
            notes is not None
            and span is not None
            and span[0] == self.partial.size
            and span[1] in (None, notes.total)
            and response.headers.get("etag", notes.etag) == notes.etag
            and "content-encoding" not in response.headers
        )
        if not fits:
            self.partial.drop()
            raise _TryAgain("its parts did not fit together")
        self.continued = self.continued or self.partial.size
        self.furthest = max(self.furthest, self.partial.size)

    def _read(self, response: httpx2.Response) -> None:
        """Take the body in, piece by piece."""
        total = self.partial.notes.total if self.partial.notes else None
        # Pieces as they come: waiting for larger ones would lose what came before a break.
        packing = response.headers.get("content-encoding", "identity").strip().casefold()
        for piece in answers.unpack_body(response.iter_raw(), packing):
            if self.partial.size + len(piece) > self.limit:
                self._check_room(self.partial.size + len(piece))
            self.partial.write(piece)
            self.progress(self.partial.size, total)
            if self.partial.size > self.furthest:
                self.furthest, self.fruitless = self.partial.size, 0
            if time.monotonic() > self.end:
                raise _TryAgain(f"it took more than {self.patience.whole:,.0f} seconds")
        sent = self.partial.size
        if total is not None and sent != total:
            if sent > total:
                self.partial.drop()
            raise _TryAgain(f"it sent {sent:,} of {total:,} bytes")

    def _finish(self) -> Fetched:
        """Look at what came, hash it, and put it in its place."""
        if self.form and (found := answers.misfit(self.form, self.partial.start(_START))):
            self._refuse_form(found)
        notes, size, sha256 = self.partial.notes, self.partial.size, self.partial.digest()
        path, retrieved, status = self.partial.target, now(), "fetched"
        if self.known is not None and self.known.sha256 == sha256:
            status, retrieved = "unchanged", self.known.retrieved
        if status == "unchanged" and self.known is not None and self.known.path is not None:
            path = self.known.path
            self.partial.drop()
        else:
            self.partial.finish()
        return Fetched(
            address=self.plain,
            status=status,
            path=path,
            sha256=sha256,
            bytes=size,
            retrieved=retrieved,
            checked=now(),
            etag=notes.etag if notes else None,
            last_modified=notes.last_modified if notes else None,
            continued=self.continued,
            tries=self.tries,
            length_stated=self.length_stated,
        )

    def _check_room(self, size: int) -> None:
        """Refuse a file above the limit, and one for which the disk has no room."""
        if size > self.limit:
            self.partial.drop()
            raise refusals.too_big(self.name, self.server, size, self.limit)
        free = shutil.disk_usage(self.partial.target.parent).free
        if size - self.partial.size > free:
            raise refusals.no_room(self.name, size, free)

    def _refuse_form(self, found: str) -> NoReturn:
        """Say what came in place of the file."""
        self.partial.drop()
        raise refusals.wrong_form(self.name, str(self.form), self.server, self.plain, found)

    def _refuse(self, response: httpx2.Response) -> NoReturn:
        """Say why an answer is no file; some answers may be another one next time."""
        code = response.status_code
        said = f"{code} {response.reason_phrase}".strip()
        if code == 416:
            self.partial.drop()
            raise _TryAgain("it has no such part any more")
        if code not in _PASSING:
            raise refusals.no_file(self.plain, self.server, code, said)
        asked, longest = answers.seconds_asked(response.headers), self.patience.longest
        if asked > longest:
            raise refusals.too_busy(self.name, self.server, said, asked=asked, longest=longest)
        raise _TryAgain(f"it answered {said}", asked)

    @contextmanager
    def _translating(self) -> Iterator[None]:
        """Turn what goes wrong on the way into "try again", or into what to do about it."""
        import httpx2

        try:
            yield
        except httpx2.TimeoutException as error:
            raise _TryAgain(f"it was silent for too long ({type(error).__name__})") from error
        except httpx2.ProxyError as error:
            words = refusals.words_of(error)
            if words.startswith("4"):  # it wants a password, or does not let us through
                raise refusals.closed_proxy(self.server, words) from error
            raise _TryAgain(f"the proxy said {words}") from error
        except httpx2.UnsupportedProtocol as error:
            raise refusals.wrong_end(self.plain, "it leads elsewhere") from error
        except httpx2.TransportError as error:
            if refusals.is_distrust(error):
                raise refusals.not_trusted(self.server, refusals.words_of(error)) from error
            raise _TryAgain(f"the connection broke ({refusals.words_of(error)})") from error
        except (httpx2.InvalidURL, httpx2.RequestError) as error:
            raise refusals.wrong_end(self.plain, refusals.words_of(error)) from error
        except zlib.error as error:
            raise _TryAgain(f"what it packed could not be unpacked ({error})") from error
        except OSError as error:
            raise refusals.not_writable(self.name, error) from error
