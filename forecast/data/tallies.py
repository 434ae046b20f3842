"""What became of every row that was read: counted or quarantined, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from forecast.errors import DataError, name_offenders


@dataclass(frozen=True)
class Tally:
    """Rows read, counted and quarantined; the first is always the sum of the others.

    Attributes
    ----------
    read : int
        Records of the source, without its line of headers and blank lines.
    counted : int
        Records that could be used.
    quarantined : int
        Records that could not, each with a reason; copies of an incident among them.
    reasons : tuple of (str, int)
        Why records were quarantined, and how many, the most frequent first.
    duplicates : int
        Copies among the quarantined.
    left_out : int
        Of the records counted, those of areas and offences that were not asked for: they are
        not in the panel.

    Raises
    ------
    DataError
        If the numbers do not add up.

    Examples
    --------
    >>> Tally(100, 98, 2, (("no date", 2),)).sentence()
    '100 read = 98 counted + 2 quarantined (no date 2)'
    """

    read: int
    counted: int
    quarantined: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    duplicates: int = 0
    left_out: int = 0

    def __post_init__(self) -> None:
        by_reason = sum(number for _, number in self.reasons)
        if self.read != self.counted + self.quarantined or by_reason != self.quarantined:
            raise DataError(
                f"Tally must add up: found {self.read:,} rows read, {self.counted:,} counted, "
                f"{self.quarantined:,} quarantined, {by_reason:,} of them with a reason. Count the "
                "source again, from a copy that nobody writes to."
            )

    def _repr_html_(self) -> str:
        from forecast.reporting.data_cards import show_tally

        return show_tally(self)

    @property
    def share(self) -> float:
        """Part of the rows read that were quarantined, from 0 to 1."""
        return self.quarantined / self.read if self.read else 0.0

    def sentence(self) -> str:
        """Return the sum in one line."""
        why = name_offenders([f"{reason} {number:,}" for reason, number in self.reasons], 6)
        text = f"{self.read:,} read = {self.counted:,} counted + {self.quarantined:,} quarantined"
        text += f" ({why})" if why else ""
        return text + (f"; {self.left_out:,} of the counted not asked for" if self.left_out else "")

    def to_dict(self) -> dict[str, object]:
        """Return the numbers for JSON."""
        return {
            "read": self.read,
            "counted": self.counted,
            "quarantined": self.quarantined,
            "reasons": dict(self.reasons),
            "duplicates": self.duplicates,
            "left_out": self.left_out,
        }
