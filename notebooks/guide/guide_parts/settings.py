"""The grids of the count engine, from where the engine itself takes them."""

from __future__ import annotations

import numpy as np

from forecast.models import grids
from guide_parts.markdown import table

_UNITS = {"M": "months", "W-SUN": "weeks", "D": "days"}


def write_grids() -> str:
    """Return what is averaged over, and the constants beside it, by frequency."""
    total = {freq: grids.total_settings(freq) for freq in _UNITS}
    share = {freq: grids.share_settings(freq) for freq in _UNITS}
    rows = [
        ("total: $\\delta$", *(_list(total[freq][:, 0]) for freq in _UNITS)),
        ("total: $\\tau^2$", *(_list(total[freq][:, 1]) for freq in _UNITS)),
        ("total: $\\sigma_b$", *(_list(np.sqrt(total[freq][:, 2])) for freq in _UNITS)),
        ("total: settings", *(len(total[freq]) for freq in _UNITS)),
        ("share: $\\delta$", *(_list(share[freq][:, 0]) for freq in _UNITS)),
        ("share: $\\tau^2$", *(_list(share[freq][:, 1]) for freq in _UNITS)),
        ("share: settings", *(len(share[freq]) for freq in _UNITS)),
        ("damping $\\phi$", *(f"{grids.DAMPINGS[freq]:g}" for freq in _UNITS)),
        ("season discount", *(f"{grids.SEASON_DISCOUNTS[freq]:g}" for freq in _UNITS)),
        ("$\\kappa$ of totals", *(f"{grids.FORGETTING[freq]:g}" for freq in _UNITS)),
        ("$\\kappa$ of shares", *(f"{grids.SHARE_FORGETTING[freq]:g}" for freq in _UNITS)),
        ("steps judged", *(_list(np.array(grids.JUDGED_STEPS[freq])) for freq in _UNITS)),
    ]
    return table(["setting", *_UNITS.values()], rows)


def _list(values: np.ndarray) -> str:
    """The values of a grid, each once."""
    return ", ".join(f"{value:g}" for value in np.unique(values))
