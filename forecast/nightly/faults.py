"""What a machine did not do though it was asked rightly: a disk, a lock, a server that is gone."""

from __future__ import annotations

from forecast.errors import DataError


class FaultError(DataError):
    """A disk, a folder or a database did not do its part; the same call may work later.

    Its exit code is 1, failed, and not 2: whatever starts the refresh may try again soon.
    """

    exit_code = 1
