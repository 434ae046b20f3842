"""Runs, snapshots, series, forecasts, scores, alerts and evaluations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    published = sa.text("status = 'published'")
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("as_of", sa.String(10), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("began", sa.String(27), nullable=False),
        sa.Column("ended", sa.String(27)),
        sa.Column("reason", sa.Text),
        sa.Column("content", sa.String(64)),
        sa.Column("about", sa.Text),
        sa.Column("pruned", sa.String(27)),
    )
    op.create_index(
        "one_published_a_night", "runs", ["as_of"], unique=True,
        sqlite_where=published, postgresql_where=published,
    )  # fmt: skip
    op.create_table(
        "snapshots",
        _of("runs", "run_id"),
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("retrieved", sa.String(40)),
        sa.Column("sha256", sa.String(64)),
        sa.Column("licence", sa.Text),
        sa.Column("synthetic", sa.Integer, nullable=False),
        sa.Column("first", sa.String(10)),
        sa.Column("last", sa.String(10)),
        sa.Column("about", sa.Text),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("measure", sa.String(100), nullable=False),
        sa.Column("freq", sa.String(5), nullable=False),
        sa.Column("area", sa.String(200), nullable=False),
        sa.Column("offence", sa.String(200), nullable=False),
        sa.Column("area_group", sa.String(200)),
        sa.UniqueConstraint("measure", "freq", "area", "offence", name="one_row_a_series"),
    )
    op.create_table(
        "forecasts",
        _of("runs", "run_id"),
        sa.Column("model", sa.String(100), primary_key=True),
        _of("series", "series_id"),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("is_total", sa.Integer, nullable=False),
        sa.Column("cutoff", sa.String(10), nullable=False),
        sa.Column("first", sa.String(10), nullable=False),
        sa.Column("periods", sa.Integer, nullable=False),
        sa.Column("quantiles", sa.LargeBinary, nullable=False),
        sa.Column("dependence", sa.LargeBinary),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "scores",
        _of("runs", "run_id"),
        sa.Column("model", sa.String(100), primary_key=True),
        sa.Column("origin", sa.String(10), primary_key=True),
        _of("series", "series_id"),
        sa.Column("period", sa.String(10), primary_key=True),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("observed", sa.Float, nullable=False),
        *_numbers("median", "wis", "dispersion", "overprediction", "underprediction", "scale"),
        *_numbers("wis_scaled", "error_scaled", "crps", "crps_scaled", "pit", "naive_wis"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alerts",
        _of("runs", "run_id"),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("area", sa.String(200)),
        sa.Column("offence", sa.String(200)),
        sa.Column("model", sa.String(100)),
        sa.Column("period", sa.String(10)),
        sa.Column("first", sa.String(10)),
        *_numbers("observed", "expected", "lower", "upper", "p", "q", "periods"),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "evaluations",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id")),
        sa.Column("campaign", sa.String(200), nullable=False),
        sa.Column("made", sa.String(27), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("content", sa.Text, nullable=False),
    )


def _of(table: str, name: str) -> sa.Column[int]:
    """A part of the key that names a row of another table."""
    return sa.Column(name, sa.Integer, sa.ForeignKey(f"{table}.id"), primary_key=True)


def _numbers(*names: str) -> list[sa.Column[float]]:
    """Columns of numbers that may be undefined."""
    return [sa.Column(name, sa.Float) for name in names]
