"""What the refresh tells by notices: how it ended, and what is new since they were last told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from forecast.errors import join_problems
from forecast.nightly.channels import Notices
from forecast.nightly.configuring import Configuration
from forecast.nightly.notices import MEMORY, Outcome, Status, Told, tell
from forecast.nightly.store import open_store

_BACK = dt.timedelta(days=7)  # of alerts, for channels that could not be reached


@dataclass(frozen=True)
class Teller:
    """Tells whoever is named in the configuration.

    Attributes
    ----------
    config : Configuration
    notices : Notices
    """

    config: Configuration
    notices: Notices

    @classmethod
    def of(cls, config: Configuration) -> Teller:
        """Return the teller of a configuration.

        Raises
        ------
        DataError
            If the table of notices cannot be used.
        """
        return cls(config, Notices.build(config.notices, subject="Configuration, notices,"))

    def __call__(self, as_of: dt.date, status: Status, reason: str = "") -> tuple[Told, ...]:
        """Tell how a refresh ended; what goes wrong with that is returned, never raised."""
        if not self.notices.channels:
            return ()
        outcome = self._describe(as_of, status, reason)
        memory = self.config.work_folder() / MEMORY
        return tell(self.notices, outcome, memory=memory, title=self.config.publish.title)

    def _describe(self, as_of: dt.date, status: Status, reason: str) -> Outcome:
        """The outcome, with what the store knows, where it can be reached."""
        try:
            place = self.config.store_place()
            if isinstance(place, Path) and not place.exists():
                return Outcome(str(as_of), status, reason)
            with open_store(place, create=False) as store:
                night = store.latest(as_of)
                alerts = store.alerts(as_of - _BACK)
        except Exception:  # what is told is that the night failed, whatever else is broken
            return Outcome(str(as_of), status, reason)
        return Outcome(str(as_of), status, reason, None if night is None else night.as_of, alerts)


def tell_stale(config: Configuration, problems: Sequence[str]) -> tuple[Told, ...]:
    """Tell that what readers see is stale: a refresh that was killed, or never began, cannot.

    Parameters
    ----------
    config : Configuration
    problems : sequence of str
        Of `check_health`; nothing is told where there are none.

    Returns
    -------
    tuple of Told
    """
    if not problems:
        return ()
    today = dt.date.today()  # noqa: DTZ011 - nights are local days
    return Teller.of(config)(today, "stale", join_problems(problems))
