"""Many files in the forecast hubs' columns out of one forecast, one for each page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd

from forecast.models.hub import COLUMNS
from forecast.models.quantiles import QuantileForecast, lay_out_cells
from forecast.periods import first_day, last_day


class HubFiles:
    """Forecasts held in one database in memory, from which each file takes its series.

    Opening a database takes ten times as long as writing a page's file, so that it is done once.

    Parameters
    ----------
    blocks : sequence of QuantileForecast
        Each of one model and origin.
    """

    def __init__(self, blocks: Sequence[QuantileForecast]) -> None:
        import duckdb  # takes longer to import than a small night takes to write

        self._blocks = blocks
        self._errors = duckdb.IOException
        self._database = duckdb.connect(config={"autoinstall_known_extensions": False})
        self._database.execute("SET threads = 1")
        for number, block in enumerate(blocks):
            self._database.register("wide", _lay_wide(block))
            self._database.execute(f"CREATE TABLE cells_{number} AS SELECT * FROM wide")  # noqa: S608
            self._database.unregister("wide")

    def __enter__(self) -> HubFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def write(self, number: int, path: Path, *, area: str | None, offence: str | None) -> None:
        """Write the series of an area or an offence of one block; all without either.

        Parameters
        ----------
        number : int
            Of the block.
        path : Path
        area, offence : str or None

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        block = self._blocks[number]
        order = {
            "origin_date": f"DATE '{first_day(block.cutoff)}'",
            "target_end_date": "target_end_date::DATE",
            "output_type": "'quantile'",
            "output_type_id": f"UNNEST({list(block.levels)!r})",
            "value": f"UNNEST([{', '.join(f'q{k}' for k in range(len(block.levels)))}])",
            "model_id": "$model",
        }
        asked = ", ".join(f"{order[name]} AS {name}" if name in order else name for name in COLUMNS)
        wanted: dict[str, Any] = {"location": area, "target": offence}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(["true", *(f"{name} = ${name}" for name in wanted)])
        try:
            found = self._database.sql(
                f"SELECT {asked} FROM cells_{number} WHERE {where}",  # noqa: S608
                params={"model": block.model, **wanted},
            )
            found.write_parquet(str(path), compression="zstd")
        except self._errors as error:
            raise OSError(str(error).partition("\n")[0]) from None


def _lay_wide(block: QuantileForecast) -> pd.DataFrame:
    """One row a series and period, one column a level."""
    cells = lay_out_cells(block)
    ends = [str(last_day(period)) for period in block.periods]
    frame = {
        "target": cells["offence"].to_numpy(),
        "horizon": cells["step"].to_numpy(),
        "target_end_date": np.tile(np.array(ends), len(block.series)),
        "location": cells["area"].to_numpy(),
    }
    values = np.moveaxis(block.values, 0, 2).reshape(len(cells), len(block.levels))
    return pd.DataFrame(frame | {f"q{k}": column for k, column in enumerate(values.T)})
