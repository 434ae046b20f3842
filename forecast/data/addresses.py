"""Addresses on the web: said without their secrets, and made into safe names of files."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from forecast.errors import DataError

HIDDEN = "hidden"
"""What stands in an address in place of a key or a signature."""

_SECRET = re.compile(
    r"(^|[^a-z]|api|access)[_-]?key(id)?$|token|secret|passw|^pwd$|signature|^sig$|credential"
    r"|^auth(orization)?$",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(?<=://)[^/?#\s'\"]*@")
_LIKE_PASSWORD = re.compile(r":[^\\]*@|\b(pwd|passw(or)?d)\s*=", re.IGNORECASE)
_UNSAFE = re.compile(r"[^\w .()+,=&'-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
_LONGEST_NAME = 120


def split_credentials(address: str) -> tuple[str, tuple[str, str] | None]:
    """Take the user and the password out of an address.

    Libraries write addresses to logs; one without credentials can be written anywhere.

    Parameters
    ----------
    address : str
        Beginning with http:// or https://.

    Returns
    -------
    str
        The address without user, password and fragment.
    tuple of str or None
        User and password, when there were any.

    Raises
    ------
    DataError
        If it is not an address of the web.

    Examples
    --------
    >>> split_credentials("https://reader:pass@example.org/a.csv#top")
    ('https://example.org/a.csv', ('reader', 'pass'))
    """
    try:
        parts = urlsplit(address.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme.lower() not in ("http", "https") or not host:
        # A password with a slash in it ends the server's name too early: then show no more of it.
        shown = f"{address.partition('://')[0]}://..." if "@" in address else address
        raise DataError(
            f"Address must begin with http:// or https:// and name a server: found {shown!r}. "
            "Write it like https://example.org/figures.csv, and in a user or a password write / "
            "as %2F, ? as %3F and @ as %40."
        )
    named = parts.netloc.rpartition("@")[2]
    clean = urlunsplit((parts.scheme.lower(), named, quote(parts.path, "/%:@!$&'()*+,;=~"),
                        quote(parts.query, "/%:@!$&'()*+,;=~?"), ""))  # fmt: skip
    if parts.username is None:
        return clean, None
    return clean, (unquote(parts.username), unquote(parts.password or ""))


def plain_address(address: str) -> str:
    """Return an address as it may be printed and kept: no user, password, key or signature.

    Examples
    --------
    >>> plain_address("https://reader:pass@example.org/a.csv?year=2020&token=s3cret")
    'https://example.org/a.csv?year=2020&token=hidden'
    """
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return _USER_INFO.sub("", address)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = parts.query
    if any(_SECRET.search(name) for name, _ in pairs):
        query = urlencode([(n, HIDDEN if _SECRET.search(n) else v) for n, v in pairs])
    named = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, named, parts.path, query, ""))


def hide_secrets(text: str) -> str:
    """Take users and passwords of addresses out of any text, such as another library's message.

    Examples
    --------
    >>> hide_secrets("no answer from http://reader:pass@proxy.example:8080")
    'no answer from http://proxy.example:8080'
    """
    hidden = _USER_INFO.sub("", text)
    return re.sub(r"https?://\S+", lambda found: plain_address(found.group()), hidden)


def quote_source(text: str) -> str:
    """Return what was given as a source in quotation marks, unless it may hold a password.

    Examples
    --------
    >>> quote_source("counts.csv")
    "'counts.csv'"
    >>> quote_source("me:secret@host/crime")
    "'...' (not repeated, as it may hold a password)"
    """
    if _LIKE_PASSWORD.search(text):
        return "'...' (not repeated, as it may hold a password)"
    return repr(text)


def file_name_of(address: str, default: str = "download") -> str:
    """Return a name for the file behind an address that is safe in any folder.

    Only the last part of the path is used, without separators, leading dots, control characters
    and the names that Windows keeps for itself.

    Examples
    --------
    >>> file_name_of("https://example.org/a/MPS%20Borough%20Level%20Crime.csv?x=1")
    'MPS Borough Level Crime.csv'
    >>> file_name_of("https://example.org/a/..%2F..%2Fetc%2Fpasswd")
    'passwd'
    """
    last = unquote(urlsplit(address).path).replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = _UNSAFE.sub("_", last).strip(" .")
    if not name or not any(letter.isalnum() for letter in name):
        return default
    stem, dot, ending = name.rpartition(".")
    if len(name) > _LONGEST_NAME:
        name = (stem or ending)[: _LONGEST_NAME - len(ending) - 1].rstrip(" .") + dot + ending
        name = name[:_LONGEST_NAME]
    if _RESERVED.fullmatch(name.partition(".")[0]):
        name = f"_{name}"
    return name
