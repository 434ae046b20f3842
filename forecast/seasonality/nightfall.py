"""Darkness as a covariate, worked out from the sun: it needs no file and never ends."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from forecast.data.covariates import DARK, EVERYWHERE, Covariates
from forecast.seasonality.calendar import dark_hours


def darkness(start: dt.date | str, end: dt.date | str) -> Covariates:
    """Return London's hours of darkness in the evening, day by day, as a covariate.

    Hours between 16:00 and 24:00 that follow sunset; longer periods have the mean of their days,
    as in `calendar_table`.

    Parameters
    ----------
    start, end : date or ISO text
        First and last day.

    Returns
    -------
    Covariates
        With one name, `dark_hours`.

    Examples
    --------
    >>> darkness("2020-10-24", "2020-10-25").values["value"].round(1).tolist()
    [6.2, 7.2]
    """
    days = pd.period_range(start, end, freq="D")
    hours = [dark_hours(day.start_time.date()) for day in days]
    values = pd.DataFrame({"area": EVERYWHERE, "period": days, "name": DARK, "value": hours})
    return Covariates(values, "D", {DARK: "mean"}, "the sun over London")
