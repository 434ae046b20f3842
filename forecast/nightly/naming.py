"""Names of files made of names of areas and offences, whatever these hold."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_RESERVED = {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}
_LONGEST = 60


def name_files(names: Iterable[str]) -> dict[str, str]:
    """Return a name of a file for each name: small letters, digits and dashes, no two the same.

    A name keeps its file whatever other names there are, unless two would share one: then both
    get a few figures of their own. Nothing of a name can lead out of its folder.

    Examples
    --------
    >>> name_files(["Kensington & Chelsea", "../../x", "=A1", "a1", "CON"])
    {'Kensington & Chelsea': 'kensington-chelsea', '../../x': 'x', '=A1': 'a1-06da18', 'a1': 'a1-f55ff1', 'CON': 'con-a3dbc4'}
    """  # noqa: E501
    wanted = list(dict.fromkeys(names))
    plain = {name: _make_plain(name) for name in wanted}
    often = Counter(plain.values())
    return {
        name: stem
        if stem and often[stem] == 1 and stem not in _RESERVED and stem != "index"
        else f"{stem or 'name'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
        for name, stem in plain.items()
    }


def _make_plain(name: str) -> str:
    """Letters and digits of a name, with dashes between words."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")[:_LONGEST].rstrip("-")
