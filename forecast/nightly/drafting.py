"""A night while it is made, and what is told of it: to later nights, to people, to programs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from forecast.models.quantiles import QuantileForecast
from forecast.nightly.inserting import to_rows
from forecast.nightly.making import Made
from forecast.nightly.recording import Night
from forecast.nightly.scoring_nights import summarise
from forecast.nightly.sourcing import Reading
from forecast.nightly.summing_up import NightMade
from forecast.periods import label


@dataclass(eq=False)
class Draft:
    """What a night consists of while it is made.

    Attributes
    ----------
    as_of : date
    readings : list of Reading
        Sources that the night is made of.
    made : list of Made
        Forecasts, by source and model.
    main : dict
        The main model of each source.
    fits : dict
        How the engine of each source came by its state.
    scores : list of (str, pandas.DataFrame)
        What came true, by source.
    scored, origins, order, drift : list of dict
        What of it later nights and the pages are told.
    come_true : dict
        Forecasts of the main model that came true, by source.
    alerts : pandas.DataFrame
    left_out, notes : list of str
    """

    as_of: dt.date
    readings: list[Reading] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    main: dict[str, str] = field(default_factory=dict)
    fits: dict[str, dict[str, str]] = field(default_factory=dict)
    scores: list[tuple[str, pd.DataFrame]] = field(default_factory=list)
    scored: list[dict[str, Any]] = field(default_factory=list)
    origins: list[dict[str, Any]] = field(default_factory=list)
    come_true: dict[str, list[QuantileForecast]] = field(default_factory=dict)
    order: list[dict[str, Any]] = field(default_factory=list)
    drift: list[dict[str, Any]] = field(default_factory=list)
    alerts: pd.DataFrame = field(default_factory=pd.DataFrame)
    left_out: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def describe(self, run: str, seconds: float) -> dict[str, Any]:
        """Return what later nights and the pages are told of this one.

        Parameters
        ----------
        run : str
            Names it in the log.
        seconds : float
            That it took.
        """
        return {
            "sources": {r.source.name: r.describe() for r in self.readings},
            "forecasts": [made.describe() for made in self.made],
            "main": self.main,
            "order": self.order,
            "scored": self.scored,
            "origins": self.origins,
            "drift": self.drift,
            "fits": self.fits,
            "left_out": self.left_out,
            "notes": self.notes,
            "log_run": run,
            "seconds": round(seconds, 3),
        }

    def tell(self, status: str, night: Night | None) -> NightMade:
        """Return what was done, for people and programs."""
        frames = [frame for _, frame in self.scores]
        table = summarise(pd.concat(frames, ignore_index=True)) if frames else pd.DataFrame()
        sources = {
            r.source.name: {
                "last": label(r.panel.periods[-1]),
                "series": len(r.panel.series),
                "measure": r.panel.measure,
                "snapshot": None if r.entry is None else r.entry.name,
            }
            | self.fits.get(r.source.name, {})
            for r in self.readings
        }
        forecasts = [
            made.describe()
            | {
                "series": sum(len(part.series) for part in made.parts),
                "main": self.main[made.source] == made.model,
            }
            for made in self.made
        ]
        return NightMade(
            str(self.as_of),
            status,
            run=None if night is None else night.run_id,
            sources=sources,
            forecasts=tuple(forecasts),
            order=tuple(self.order),
            scored=sum(map(len, frames)),
            scores=tuple(to_rows(table)),
            drift=tuple(told["text"] for told in self.drift),
            alerts=len(self.alerts),
            left_out=tuple(self.left_out),
            notes=tuple(self.notes),
        )
