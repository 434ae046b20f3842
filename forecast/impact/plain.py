"""Plain values for machine-readable results: undefined is None, never NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

DIGITS = 6


def clean(value: Any) -> Any:
    """Return a value for JSON: None when undefined, whole when whole, else rounded.

    Examples
    --------
    >>> clean(float("nan")), clean(3.0), clean(0.12345678), clean("text")
    (None, 3, 0.123457, 'text')
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):  # numpy's own would become 1 and 0
        return bool(value)
    number = float(value)
    if not math.isfinite(number):
        return None
    number = round(number, DIGITS)
    return int(number) if number == int(number) else number


def pair(bounds: Sequence[float]) -> list[Any] | None:
    """Return an interval for JSON: None when a bound is undefined.

    Examples
    --------
    >>> pair((1.0, 2.5)), pair((1.0, float("nan")))
    ([1, 2.5], None)
    """
    values = [clean(b) for b in bounds]
    return None if any(v is None for v in values) else values


def records(table: pd.DataFrame, *names: str) -> list[dict[str, object]]:
    """Return the rows of a table, the columns `<name>_lower` and `_upper` of each name as a pair.

    Examples
    --------
    >>> records(pd.DataFrame({"a": ["x"], "b_lower": [1.5], "b_upper": [2.0]}), "b")
    [{'a': 'x', 'b_interval': [1.5, 2]}]
    """
    bounds = {f"{name}_{end}" for name in names for end in ("lower", "upper")}
    rows = []
    for row in table.to_dict("records"):
        out: dict[str, object] = {str(k): clean(v) for k, v in row.items() if k not in bounds}
        for name in names:
            out[f"{name}_interval"] = pair([row[f"{name}_lower"], row[f"{name}_upper"]])
        rows.append(out)
    return rows
