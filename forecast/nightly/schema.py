"""The tables of the store. Dates are ISO text, so that every database holds the same rows.

A night is a run whose status is "published"; there is one at most for each date. What belongs to
a run that is not published is never read.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

_PUBLISHED = text("status = 'published'")

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("as_of", String(10), nullable=False),
    # running, published, failed, or abandoned: killed before its end, and done again since
    Column("status", String(10), nullable=False),
    Column("version", String(40), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("began", String(27), nullable=False),  # times are UTC, as text
    Column("ended", String(27)),
    Column("reason", Text),  # of a failure
    Column("content", String(64)),  # SHA-256 of all that was published
    Column("about", Text),  # JSON; no part of the content
    Column("pruned", String(27)),  # when its forecasts were removed
    Index("one_published_a_night", "as_of", unique=True,
          sqlite_where=_PUBLISHED, postgresql_where=_PUBLISHED),
)  # fmt: skip

snapshots = Table(
    "snapshots",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("source", Text, nullable=False),
    Column("retrieved", String(40)),
    Column("sha256", String(64)),
    Column("licence", Text),
    Column("synthetic", Integer, nullable=False),
    Column("first", String(10)),  # periods, as text
    Column("last", String(10)),
    Column("about", Text),  # JSON
)

series = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("measure", String(100), nullable=False),
    Column("freq", String(5), nullable=False),
    Column("area", String(200), nullable=False),
    Column("offence", String(200), nullable=False),
    Column("area_group", String(200)),
    UniqueConstraint("measure", "freq", "area", "offence", name="one_row_a_series"),
)

forecasts = Table(
    "forecasts",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("model", String(100), primary_key=True),
    Column("series_id", Integer, ForeignKey("series.id"), primary_key=True),
    Column("position", Integer, nullable=False),  # order in which the night's series came
    Column("is_total", Integer, nullable=False),  # 1 for the sum over areas
    Column("cutoff", String(10), nullable=False),  # first period that was not seen
    Column("first", String(10), nullable=False),  # first target period
    Column("periods", Integer, nullable=False),  # how many, one after another
    Column("quantiles", LargeBinary, nullable=False),  # see packing
    Column("dependence", LargeBinary),  # see dependence; null where no draws can be made again
    sqlite_with_rowid=False,
)

scores = Table(
    "scores",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("model", String(100), primary_key=True),
    Column("origin", String(10), primary_key=True),
    Column("series_id", Integer, ForeignKey("series.id"), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("step", Integer, nullable=False),
    Column("observed", Float, nullable=False),
    *(
        Column(name, Float)
        for name in (
            *("median", "wis", "dispersion", "overprediction", "underprediction", "scale"),
            *("wis_scaled", "error_scaled", "crps", "crps_scaled", "pit", "naive_wis"),
        )
    ),
    sqlite_with_rowid=False,
)

alerts = Table(
    "alerts",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("area", String(200)),
    Column("offence", String(200)),
    Column("model", String(100)),
    Column("period", String(10)),
    Column("first", String(10)),  # first period of a run of them
    *(
        Column(name, Float)
        for name in ("observed", "expected", "lower", "upper", "p", "q", "periods")
    ),
    Column("text", Text, nullable=False),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("run_id", Integer, ForeignKey("runs.id")),  # the vintage that it took as its baseline
    Column("campaign", String(200), nullable=False),
    Column("made", String(27), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("content", Text, nullable=False),  # the JSON object of the evaluation
)
