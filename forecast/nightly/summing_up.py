"""What a refresh did, as people and programs read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

SCHEMA = "forecast.refresh/1"


@dataclass(frozen=True)
class NightMade:
    """What was done about one night.

    Attributes
    ----------
    as_of : str
    status : str
        "published", "already published", "dry run" or "not ready".
    reason : str or None
        Why it was not made.
    run : int or None
        Of the store.
    sources : dict
        By name: last period, series, snapshot, and how the engine came by its state.
    forecasts : tuple of dict
        By source and model: cutoff, periods, series; `main` for the one that readers see first.
    order : tuple of dict
        Models in the order in which one stands in for another, with their recent scores.
    scored : int
        Cells that came true.
    scores : tuple of dict
        Of these cells, by model.
    drift : tuple of str
        Where coverage has left its band.
    alerts : int
    left_out : tuple of str
        Series and sources that the night goes without.
    notes : tuple of str
    """

    as_of: str
    status: str
    reason: str | None = None
    run: int | None = None
    sources: Mapping[str, Any] = field(default_factory=dict)
    forecasts: tuple[Mapping[str, Any], ...] = ()
    order: tuple[Mapping[str, Any], ...] = ()
    scored: int = 0
    scores: tuple[Mapping[str, Any], ...] = ()
    drift: tuple[str, ...] = ()
    alerts: int = 0
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def not_ready(cls, as_of: str, reason: str) -> NightMade:
        """Return a night that was not made."""
        return cls(as_of, "not ready", reason)

    def sentence(self) -> str:
        """Say in one line what was done.

        Examples
        --------
        >>> NightMade("2024-01-05", "already published", run=3).sentence()
        'Night of 2024-01-05: already published, nothing changed.'
        """
        if self.status == "already published":
            return f"Night of {self.as_of}: already published, nothing changed."
        if self.status == "not ready":
            return f"Night of {self.as_of}: not ready, nothing new was published."
        series = sum(int(told["series"]) for told in self.forecasts if told["main"])
        models = len({told["model"] for told in self.forecasts})
        return (
            f"Night of {self.as_of}: {self.status}, {series:,} series by {models} "
            f"{'model' if models == 1 else 'models'}, {self.scored:,} cells scored, "
            f"{self.alerts:,} {'alert' if self.alerts == 1 else 'alerts'}."
        )


@dataclass(frozen=True)
class Refreshed:
    """What a refresh did.

    Attributes
    ----------
    nights : tuple of NightMade
        The one that was asked for comes last.
    pages : str or None
        "written", "already there", or None where none are wanted.
    notes : tuple of str
    run : str
        Names the run in the log.
    seconds : dict
        How long each step took.
    notices : tuple of dict
        Who was told: `channel, status, text`.
    """

    nights: tuple[NightMade, ...]
    pages: str | None
    notes: tuple[str, ...]
    run: str
    seconds: Mapping[str, float]
    notices: tuple[Mapping[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Refreshed({' '.join(night.sentence() for night in self.nights[-3:])})"

    @property
    def last(self) -> NightMade:
        """The night that was asked for."""
        return self.nights[-1]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of `forecast refresh --json`."""
        return {
            "schema": SCHEMA,
            **_plain(asdict(self.last)),
            "earlier": [_plain(asdict(night)) for night in self.nights[:-1]],
            "pages": self.pages,
            "refresh_notes": list(self.notes),
            "notices": [dict(told) for told in self.notices],
            "log_run": self.run,
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "version": version("violence-forecast"),
        }


def _plain(value: Any) -> Any:
    """What JSON can hold: no tuples, and null for what is undefined."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return None if value != value else round(value, 6)
    return value
