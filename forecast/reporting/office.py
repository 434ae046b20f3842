"""What Word and Excel files share: letters that XML allows, one date, and the words of a banner."""

from __future__ import annotations

import datetime as dt
import re

EPOCH = dt.datetime(1980, 1, 1)
"""When every office file says it was made, so that the same report gives the same bytes."""

SIMULATED = "SIMULATED FIGURES: made by a program to try the method on. Nothing here happened."

_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""All but what XML 1.0 (section 2.2, Char) allows; every kind of line end is a line feed first."""


def keep_legal(text: str) -> str:
    """Return a text without the characters that XML cannot hold; line ends become line feeds.

    Everything that is written, emoji among it, stays. What goes are control characters and
    halves of characters, which no reader sees and which make a file that does not open.

    Examples
    --------
    >>> keep_legal("T\\x00ŷ \\x1b[1m\\ud800😀\\r\\n")
    'Tŷ [1m😀\\n'
    """
    return _ILLEGAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
