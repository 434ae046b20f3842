"""What went wrong though it was asked rightly: a disk, a lock, a server, a mistake of the code."""

from __future__ import annotations

from forecast.data.addresses import hide_secrets
from forecast.errors import DataError, ForecastError


class FaultError(DataError):
    """A disk, a folder or a database did not do its part; the same call may work later.

    Its exit code is 1, failed, and not 2: whatever starts the refresh may try again soon.
    """

    exit_code = 1


def say_why(error: BaseException) -> str:
    """Return why a night failed, as it is kept in the store, written to the log and told.

    An error made for people says it itself; of any other the kind is told too, on one line and
    without users and passwords of addresses.

    Examples
    --------
    >>> say_why(KeyError("area"))
    "KeyError: 'area'"
    >>> say_why(DataError("Counts must be there: found none."))
    'Counts must be there: found none.'
    """
    if isinstance(error, ForecastError):
        return str(error)
    kind, said = type(error).__name__, str(error).partition("\n")[0].strip()
    return f"{kind}: {hide_secrets(said)}" if said else kind
