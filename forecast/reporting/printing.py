"""A report as PDF, printed from its page by a browser without a window and without a network."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from forecast.data.writing import replacing
from forecast.errors import ForecastError
from forecast.reporting.browsers import find_browser

WAIT = 120.0
"""Seconds that printing may take; a report takes about two."""

_QUIET = (
    "--headless=new",
    "--no-pdf-header-footer",
    "--generate-pdf-document-outline",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--no-first-run",
    "--no-default-browser-check",
    "--mute-audio",
    # whatever a page may name, nothing is looked up and nothing is reached
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:1",
    "--proxy-bypass-list=<-loopback>",
)
_DATE = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)\d{14}")
_FIXED = b"19800101000000"


def print_pdf(page: Path, target: Path, *, wait: float = WAIT, browser: Path | None = None) -> Path:
    """Print a page as PDF: tagged for screen readers, with the headings as its outline.

    Parameters
    ----------
    page : Path
        HTML that needs nothing from elsewhere.
    target : Path
        Replaced when all is printed, and left as it was otherwise.
    wait : float, default 120
        Seconds after which printing is given up.
    browser : Path, optional
        Chromium, Chrome or Edge; found when left out.

    Returns
    -------
    Path
        The target. Its dates are fixed: the same page gives the same bytes with one browser.

    Raises
    ------
    ForecastError
        If there is no page or no browser, or if the browser fails or does not end in time.
    """
    if not page.is_file():
        raise ForecastError(
            f"Page {page.name!r} must be there to be printed: it is not. Make the report first."
        )
    program = browser or find_browser()
    if program is None:
        raise ForecastError(
            "Printing as PDF must have a browser: no Chromium, Chrome or Edge was found. Install "
            f"one of them, or open {page.name} in any browser and print it to a file there "
            "(Ctrl+P, on a Mac Cmd+P)."
        )
    with replacing(target) as half:
        _run(program, page, half, wait)
        half.write_bytes(_DATE.sub(rb"\g<1>" + _FIXED, half.read_bytes()))
    return target


def _run(program: Path, page: Path, half: Path, wait: float) -> None:
    """Let the browser print, with a profile of its own that is gone afterwards."""
    # a browser that was stopped may still hold a file of its profile for a moment
    with tempfile.TemporaryDirectory(prefix="print-", ignore_cleanup_errors=True) as own:
        log = Path(own) / "log.txt"
        order = [
            str(program),
            *_QUIET,
            *_root_only(),
            f"--user-data-dir={Path(own) / 'profile'}",
            f"--print-to-pdf={half.resolve()}",
            page.resolve().as_uri(),
        ]
        with log.open("wb") as file:
            code = _wait_for(order, file.fileno(), wait, program, page)
        if code != 0 or not _is_pdf(half):
            raise ForecastError(
                f"Browser {program.name!r} must print {page.name}: it ended with {code}"
                f"{_last_words(log)}. Try again, or open the page in a browser and print it there."
            )


def _root_only() -> list[str]:
    """Chromium's sandbox refuses root; anybody else keeps it."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return ["--no-sandbox"] if root else []


def _wait_for(order: list[str], log: int, wait: float, program: Path, page: Path) -> int:
    """Run the browser until it ends; when it does not, stop it and all that it started."""
    try:
        process = subprocess.Popen(  # noqa: S603
            order, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    except OSError as error:
        raise ForecastError(
            f"Browser {program.name!r} must start: {error.strerror or error}. Install Chromium, "
            f"Chrome or Edge again, or open {page.name} in a browser and print it there."
        ) from error
    try:
        return process.wait(wait)
    except subprocess.TimeoutExpired as error:
        raise ForecastError(
            f"Browser {program.name!r} must print {page.name} within {wait:g} seconds: it did not "
            "end and was stopped. Try again when the machine is less busy, or open the page in a "
            "browser and print it there."
        ) from error
    finally:
        if process.poll() is None:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a browser and its children."""
    if sys.platform == "win32":
        order = ["taskkill", "/PID", str(process.pid), "/T", "/F"]
        subprocess.run(order, capture_output=True, check=False)  # noqa: S603
    else:
        os.killpg(process.pid, signal.SIGKILL)  # it leads a session of its own
    process.wait()


def _is_pdf(path: Path) -> bool:
    """Whether something was printed."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(5) == b"%PDF-"


def _last_words(log: Path) -> str:
    """What the browser said last, for an error."""
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines()]
    said = [line for line in lines if line]
    return f" ({said[-1][:200]})" if said else ""
