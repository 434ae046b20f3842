"""The two places where the refresh calls what is built elsewhere: alerts, and the pages.

`forecast/nightly/alerts.py` has a function `find_alerts`, `forecast/nightly/site.py` a function
`write_site`, with the signatures below. Where one of them is not installed the night goes on
without it, and says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, cast

import pandas as pd

from forecast.data.panel import Panel
from forecast.models.quantiles import QuantileForecast
from forecast.nightly.configuring import Configuration
from forecast.nightly.store import Store


class AlertFinder(Protocol):
    """`forecast.nightly.alerts.find_alerts`; called once a night and source."""

    def __call__(
        self,
        observed: Panel,
        forecasts: Sequence[QuantileForecast],
        memory: pd.DataFrame,
        *,
        as_of: dt.date,
        scores: pd.DataFrame,
        config: Configuration,
    ) -> pd.DataFrame:
        """Return what to warn of.

        Parameters
        ----------
        observed : Panel
            Counts of all periods that had ended before the night, all series of the source.
        forecasts : sequence of QuantileForecast
            By the main model, as published on earlier nights, of periods that have ended since
            and were not looked at by any earlier night; the latest origin first. Empty on the
            first night.
        memory : pandas.DataFrame
            Alerts of the earlier nights of the last `config.alerts.remember_days` days, as
            `Store.alerts` gives them.
        as_of : date
            Of the night.
        scores : pandas.DataFrame
            As `Store.scores` gives them, by the main model, of this source alone, of the last
            `config.alerts.remember_days` days and of this night: of each series and period the
            forecast made nearest to it, with what was observed, the median and `pit`.
        config : Configuration

        Returns
        -------
        pandas.DataFrame
            What `Run.alerts` takes: `kind`, `text`, and where they apply `area, offence, model,
            period, first, periods, observed, expected, lower, upper, p, q`. No rows where there
            is nothing to warn of.
        """


class SiteWriter(Protocol):
    """`forecast.nightly.site.write_site`; called once, after the night is in the store."""

    def __call__(
        self, store: Store, to: Path, *, config: Configuration, counts: Sequence[Panel] = ()
    ) -> Path:
        """Write all pages into `to`, an empty folder that nobody reads yet, and return it.

        The refresh puts the folder in the place of the one that readers see, in one step.

        Parameters
        ----------
        store : Store
        to : Path
        config : Configuration
        counts : sequence of Panel
            What the night was made of, one a source.
        """


def find_alert_finder() -> AlertFinder | None:
    """Return `find_alerts`, or None where it is not installed."""
    return cast("AlertFinder | None", _find("alerts", "find_alerts"))


def find_site_writer() -> SiteWriter | None:
    """Return `write_site`, or None where it is not installed."""
    return cast("SiteWriter | None", _find("site", "write_site"))


def _find(module: str, name: str) -> Any:
    """A function of this room, where there is one."""
    if find_spec(f"forecast.nightly.{module}") is None:
        return None
    return getattr(import_module(f"forecast.nightly.{module}"), name, None)
