"""How time and memory grow: all wards of London by month, and up to 100,000 daily series.

Daily series are simulated and come a thousand at a time, 200 areas and five whole offences, as a
force with more offences would have them. Each size runs in a process of its own. Run with
`make bench`.
"""

from __future__ import annotations

import pandas as pd
from goals import Goal, print_goals
from measured import HORIZON_MONTHS, measured

THOUSANDS = (1, 10, 100)


def measure_wards() -> Goal:
    """All wards and minor categories: time to read, fit and forecast."""
    found = measured("all_wards")
    data = f"all wards x minor categories, {found['series']:,} series by month"
    asked = "read, fit and 3 months x 23 quantiles: CPU and peak memory"
    if "error" in found:
        print(f"\nAll wards: {found['error']}")
        return Goal(data, asked, "15 s, 1 GB", "could not be fitted")
    spent = found["read"] + found["fit"] + found["quantiles"]
    print(f"\nAll wards: {found['series']:,} series by month: read {found['read']:.1f} s, "
          f"fit {found['fit']:.1f} s, {HORIZON_MONTHS} months x 23 quantiles "
          f"{found['quantiles']:.1f} s, peak {found['peak']:.0f} MB")  # fmt: skip
    return Goal(data, asked, "15 s, 1 GB", f"{spent:.1f} s, {found['peak'] / 1024:.2f} GB")


def measure_growth() -> list[Goal]:
    """A thousand, ten thousand and a hundred thousand daily series."""
    rows = []
    for thousands in THOUSANDS:
        found = measured("chunks", thousands)
        spent = found["panel"] + found["fit"] + found["quantiles"]
        rows.append(
            {"series": 1000 * thousands, "CPU s": spent, "CPU ms a series": spent / thousands,
             "peak MB": found["peak"]}
        )  # fmt: skip
        print(f"{rows[-1]['series']:,} daily series: {spent:.1f} s")
    table = pd.DataFrame(rows)
    print(table.round(2).to_string(index=False))
    data = "1,000 / 10,000 / 100,000 daily series, a thousand at a time"
    each = " / ".join(f"{x:.2f}" for x in table["CPU ms a series"])
    peaks = " / ".join(f"{x:.0f}" for x in table["peak MB"])
    return [
        Goal(data, "growth of CPU: ms a series", "linear: the same", each),
        Goal(data, "growth of peak memory: MB", "flat: the same", peaks),
    ]


def measure() -> list[Goal]:
    """Print what was found, and return the lines of the last table."""
    return [measure_wards(), *measure_growth()]


if __name__ == "__main__":
    print_goals(measure())
