"""Numbers with separators in them: 1,234 and 1.234 and 1 234, read only when they are certain.

A dot before three digits is a thousand in Berlin and a thousandth in London. What the table
itself proves is taken; what it leaves open is refused until its user says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forecast.errors import DataError, name_offenders

THOUSANDS = (",", ".", " ", "'")
"""What may stand between thousands; a space is any kind of space."""

_SUSPECT = re.compile(r"[0-9][,.'\u2019 \u00a0\u2009\u202f][0-9]")
_SPACED = re.compile(r"[+-]?[0-9]{1,3}([ \u00a0\u2009\u202f'\u2019][0-9]{3})+([.,]0*)?")
_SPACES = re.compile(r"[ \u00a0\u2009\u202f'\u2019]")


def _grouped(thousands: str, decimal: str) -> re.Pattern[str]:
    """Numbers whose thousands are set apart."""
    t, d = re.escape(thousands), re.escape(decimal)
    return re.compile(rf"[+-]?[0-9]{{1,3}}(?:{t}[0-9]{{3}})+(?:{d}[0-9]*)?")


_GROUPED = {",": _grouped(",", "."), ".": _grouped(".", ",")}
_OTHER = {",": ".", ".": ","}


@dataclass(frozen=True)
class Separators:
    """What separates thousands and decimals in the numbers of a table.

    Attributes
    ----------
    thousands : str
        "," or "." or nothing. Spaces and apostrophes are always thousands.
    decimal : str
        "." or ",".
    """

    thousands: str = ""
    decimal: str = "."

    def read(self, cell: str) -> str:
        """Return a number with a dot for decimals alone; anything else comes back as it was.

        Examples
        --------
        >>> Separators(".", ",").read("1.234,5"), Separators(",").read("1,234")
        ('1234.5', '1234')
        """
        text = cell.strip()
        if _SPACED.fullmatch(text):
            text = _SPACES.sub("", text)
        if self.thousands and _GROUPED[self.thousands].fullmatch(text):
            text = text.replace(self.thousands, "")
        if self.decimal == "," and re.fullmatch(r"[+-]?[0-9]+,[0-9]*", text):
            text = text.replace(",", ".")
        return text


def find_separators(
    cells: Iterable[str], *, delimiter: str, thousands: str | None = None, name: str = "Table"
) -> Separators:
    """Tell what separates thousands and decimals, from all numbers of a table.

    Proof is a number that can be read one way only: 1.234.567 or 1.234,5 (dots are thousands),
    12,5 (a comma is the decimal). Commas are thousands where commas stand between the cells, for
    no program writes a decimal comma there.

    Parameters
    ----------
    cells : iterable of str
    delimiter : str
        What stands between the cells of the table.
    thousands : {",", ".", " ", "'"}, optional
        What its user says.
    name : str
        What messages call the table.

    Returns
    -------
    Separators

    Raises
    ------
    DataError
        If the numbers prove both, or may be thousands or decimals.

    Examples
    --------
    >>> find_separators(["1.234.567", "1.234"], delimiter=";")
    Separators(thousands='.', decimal=',')
    """
    if thousands is not None:
        return Separators(thousands if thousands in _OTHER else "", _OTHER.get(thousands, "."))
    suspect = [c for cell in dict.fromkeys(cells) if _SUSPECT.search(c := cell.strip())]
    proofs = {mark: [c for c in suspect if _proves(c, mark, delimiter)] for mark in _OTHER}
    if proofs[","] and proofs["."]:
        raise DataError(
            f"{name} must separate thousands in one way: found {_quote(proofs[','])} (commas) "
            f"beside {_quote(proofs['.'])} (dots). Write numbers without separators."
        )
    for mark, other in _OTHER.items():
        if proofs[mark]:
            return Separators(mark, other)
    _refuse_unsure(suspect, delimiter, name)
    return Separators()


def _proves(cell: str, mark: str, delimiter: str) -> bool:
    """Whether a number shows that a mark separates thousands."""
    other = _OTHER[mark]
    if _GROUPED[mark].fullmatch(cell):
        return cell.count(mark) > 1 or other in cell or (mark == delimiter == ",")
    # A decimal comma, told by what follows it: then dots are thousands. A decimal dot is the
    # usual case, and proves nothing of commas.
    decimal = re.fullmatch(r"[+-]?[0-9]+,([0-9]*)", cell)
    return mark == "." and delimiter != "," and decimal is not None and len(decimal[1]) != 3


def _refuse_unsure(suspect: Sequence[str], delimiter: str, name: str) -> None:
    """Refuse numbers that are thousands to some readers and decimals to others."""
    marks = [","] if delimiter == "," else [",", "."]  # beside commas a dot is the decimal
    unsure = [c for c in suspect if any(_GROUPED[mark].fullmatch(c) for mark in marks)]
    if unsure:
        mark = "," if "," in unsure[0] else "."
        raise DataError(
            f"{name} must have numbers that can be read one way: {_quote(unsure)} may be "
            f"thousands or decimals. Say thousands={mark!r} if they are thousands, or write "
            "numbers without separators."
        )


def _quote(cells: Sequence[str]) -> str:
    """Some cells as examples."""
    return name_offenders([repr(cell) for cell in cells])
