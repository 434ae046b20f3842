"""Cells that are numbers and dates already, as workbooks and databases give them, as text.

One text for one value, so that every source goes through the same checks.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

from forecast.errors import DataError


def write_cell(value: Any) -> str:
    """Return the text of a cell: whole numbers without a point, dates in ISO form.

    Raises
    ------
    DataError
        If it is binary data.

    Examples
    --------
    >>> write_cell(3.0), write_cell(dt.datetime(2020, 10, 19)), write_cell(None)
    ('3', '2020-10-19', '')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return _write_number(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time() and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        raise DataError(
            "Cells must be text, numbers or dates: found binary data. Leave that column out, or "
            "convert it in the query."
        )
    return str(value)


def _write_number(value: float | Decimal) -> str:
    """A number; whole ones as an integer."""
    if not math.isfinite(value):
        return "" if math.isnan(value) else str(value)
    if value == int(value):
        return str(int(value))
    text = f"{value:f}" if isinstance(value, Decimal) else repr(value)
    # A number knows that its point is a decimal: with three digits behind it, text would not.
    return f"{text}0" if len(text.partition(".")[2]) == 3 else text
