"""Why a file could not be fetched, in words that say what to do next.

Each function returns an error to raise. Servers are named, addresses come without credentials.
"""

from __future__ import annotations

import ssl

from forecast.data.addresses import hide_secrets
from forecast.data.answers import FORMS
from forecast.errors import DataError, NotReadyError


def lost(
    name: str, server: str, reason: str, *, tries: int, size: int, resumable: bool
) -> NotReadyError:
    """Hope is lost for now.

    Examples
    --------
    >>> print(lost("a.csv", "example.org", "it answered 500", tries=5, size=0, resumable=False))
    File 'a.csv' must arrive whole from example.org: it answered 500 (5 tries). Check the \
connection and HTTPS_PROXY and fetch again later, or use what was kept with --offline.
    """
    so_far = f" with {size:,} bytes so far" if size else ""
    goes_on = "; it goes on from there" if size and resumable else ""
    return NotReadyError(
        f"File {name!r} must arrive whole from {server}: {reason} ({tries} "
        f"{'try' if tries == 1 else 'tries'}{so_far}). Check the connection and HTTPS_PROXY and "
        f"fetch again later{goes_on}, or use what was kept with --offline."
    )


def too_busy(name: str, server: str, said: str, *, asked: float, longest: float) -> NotReadyError:
    """The server wants to be left alone for longer than anybody waits."""
    return NotReadyError(
        f"File {name!r} must be there for the asking: {server} answered {said} and asks for "
        f"{asked:,.0f} seconds of patience, more than the {longest:,.0f} that are waited. Fetch "
        "again after that."
    )


def not_kept(name: str) -> NotReadyError:
    """Offline, with nothing to use."""
    return NotReadyError(
        f"File {name!r} must have been kept to work offline: it was not, or it is not as it was. "
        "Fetch it once without --offline (in Python: offline=False)."
    )


def no_file(address: str, server: str, code: int, said: str) -> DataError:
    """An answer that will be the same next time."""
    if code == 407:
        return closed_proxy(server, said)
    if code in (401, 403):
        return DataError(
            f"Address {address} must be open to you: {server} answered {said}. Check the user and "
            "the password, or ask the publisher; if it opens in a browser, ask who keeps your "
            "network about the proxy."
        )
    return DataError(
        f"Address {address} must hold a file: {server} answered {said}. The publisher may have "
        "moved it: look for it on the publisher's page and give its new address."
    )


def wrong_form(name: str, form: str, server: str, address: str, found: str) -> DataError:
    """Something else came in place of the file."""
    return DataError(
        f"File {name!r} must be {FORMS[form]}: {server} sent what is {found}. The address may "
        f"have moved, or a proxy wants you to sign in first: open {address} in a browser and look."
    )


def too_big(name: str, server: str, size: int, limit: int) -> DataError:
    """More bytes than are taken."""
    return DataError(
        f"File {name!r} must have at most {limit:,} bytes: {server} sends {size:,} or more. Check "
        "the address, or allow more (in Python: limit=)."
    )


def no_room(name: str, size: int, free: int) -> DataError:
    """A disk that is too full."""
    return DataError(
        f"Folder of {name!r} must have room for {size:,} bytes: it has {free:,}. Make room, or "
        "choose another folder."
    )


def not_writable(name: str, error: OSError) -> DataError:
    """A disk that does not take the file."""
    return DataError(
        f"File {name!r} must be writable: {error.strerror or error}. Make room, or choose "
        "another folder."
    )


def no_end(address: str, there: str, *, circle: bool, steps: int) -> DataError:
    """A server that sends us on and on."""
    how = "in a circle" if circle else f"on more than {steps} times"
    return DataError(
        f"Address {address} must lead to a file: it leads {how} (at {there}). Open it in a "
        "browser, and use the address of the file."
    )


def wrong_end(address: str, why: str) -> DataError:
    """A server that sends us to where no file can be."""
    return DataError(
        f"Address {address} must lead to a file at http:// or https://: {why}. Open it in a "
        "browser, and use the address of the file."
    )


def unguarded(address: str, there: str) -> DataError:
    """A guarded address that leads to an open one."""
    return DataError(
        f"Address {address} must stay guarded by https: it leads to {there}. Ask the publisher "
        "for an address that does."
    )


def odd_packing(server: str, encoding: str) -> DataError:
    """A body that comes packed in a way nobody asked for."""
    return DataError(
        f"Server {server} must send the file as it is: it packs it as {encoding!r}. Save the file "
        "with a browser and load that."
    )


def no_proxy(words: str) -> DataError:
    """A proxy of the environment that cannot be used."""
    return DataError(
        f"Proxy of the environment must be http:// or https://: {words}. Correct HTTP_PROXY, "
        "HTTPS_PROXY or ALL_PROXY."
    )


def closed_proxy(server: str, words: str) -> DataError:
    """A proxy that does not let us through."""
    return DataError(
        f"Proxy must let us through to {server}: it said {words}. Give the user and the password "
        "in HTTPS_PROXY, or name the server in NO_PROXY."
    )


def no_certificates(error: OSError) -> DataError:
    """A file of certificates that cannot be read."""
    return DataError(
        f"SSL_CERT_FILE must name a file of certificates: {error.strerror or error}. Correct it, "
        "or leave it out."
    )


def not_trusted(server: str, words: str) -> DataError:
    """A server that could not prove who it is."""
    return DataError(
        f"Server {server} must show a certificate that this machine trusts: {words}. Where a "
        "firewall inspects traffic, have its certificate added to the system's, or name its file "
        "in SSL_CERT_FILE."
    )


def is_distrust(error: BaseException | None) -> bool:
    """Tell whether a certificate is behind an error.

    Examples
    --------
    >>> is_distrust(OSError("CERTIFICATE_VERIFY_FAILED")), is_distrust(OSError("refused"))
    (True, False)
    """
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def words_of(error: Exception) -> str:
    """Return what another library said, without anybody's password.

    Examples
    --------
    >>> words_of(OSError("no route to http://reader:pass@proxy.example."))
    'no route to http://proxy.example'
    """
    return hide_secrets(str(error)).rstrip(".") or type(error).__name__
