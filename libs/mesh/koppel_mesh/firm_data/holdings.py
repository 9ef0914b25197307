"""The declaration of a table: whose rows they are, how long a duty keeps them, what of them is secret.

Years are counted from the first of January after a day: the row of a day in 2026 is kept for ten years until 31 December 2036
(Belgian VAT code, article 60 §§ 1 and 4; Code of companies' bookkeeping, WER III.88: seven years). The right to erasure ends
where such a duty begins (GDPR article 17(3)(b)).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import Table


@dataclass(frozen=True)
class Age:
    """An age at which the owner of a table ends rows of it by itself, whether or not their firm stays."""

    days: int | str
    """A number, or the name of the setting that gives it."""
    only: str = ""
    """What goes then and what becomes of the others, in words, where not every row goes."""

    def days_of(self, settings: object) -> int:
        """Return how many days that is by the settings of a process."""
        return self.days if isinstance(self.days, int) else int(getattr(settings, self.days))


@dataclass(frozen=True, eq=False)
class Holding:
    """A table with rows of firms. The conditions are SQL over its columns by their names."""

    table: Table
    of_firm: str
    """Which rows are those of the firm ``:firm_id``."""
    since: str | None = None
    """The day from whose year the years of keeping are counted, or a moment; null where the row belongs to no such day."""
    kept_because: str = ""
    """Why it stays although its firm leaves, for as long as ``since`` says; empty: it goes with the firm."""
    withheld: Sequence[str] = ()
    """Columns that hold secrets: no export shows them."""
    blanked: Mapping[str, str] = field(default_factory=dict)
    """Columns that get another value, as SQL, when the firm leaves and the row is kept."""
    under_way: str = ""
    """Which rows are being worked on: nothing of the firm is deleted before that has come to an end."""
    to_do: str = ""
    """What a person does about those that do not end by themselves; ``{service}`` stands for the name of the service."""
    aged_by: str | None = None
    """A column of ids (UUIDv7), the first of an index, that are never younger than ``since``: it finds what is old."""
    stays_with_firm: bool = False
    """Whether it stays, however old, as long as its firm does: a dossier, a connection, a book that is still written in."""
    goes_after: Age | None = None
    """The age at which its owner ends these rows, though ``since`` may keep them for longer."""
    ended_by: str = ""
    """The setting whose years count here instead of ``retention_years``: its owner ends the rows, mesh deletes none of them."""

    def __post_init__(self) -> None:
        """Refuse what means nothing.

        Raises:
            ValueError: kept from no day on, or columns that the table does not have.
        """
        if self.kept_because and self.since is None:
            raise ValueError(f"{self.table.name} is kept since no day")
        if unknown := {*self.withheld, *self.blanked, *filter(None, [self.aged_by])} - set(self.table.c.keys()):
            raise ValueError(f"{self.table.name} has no column {', '.join(sorted(unknown))}")

    @property
    def key(self) -> tuple[str, ...]:
        """Return the columns of its primary key."""
        return tuple(column.name for column in self.table.primary_key.columns)

    def kept_until(self, since: date, settings: object) -> date:
        """Return the last day on which a row is kept that belongs to the day ``since``."""
        until = date(since.year + self.years_of(settings), 12, 31)
        if self.goes_after is None or self.goes_after.only:
            return until
        return min(until, since + timedelta(days=self.goes_after.days_of(settings)))

    def years_of(self, settings: object) -> int:
        """Return for how many years a duty keeps these rows."""
        return int(getattr(settings, self.ended_by or "retention_years"))

    @property
    def ends_by_age(self) -> bool:
        """Whether a row goes once its years are over, although its firm stays."""
        return self.since is not None and not self.stays_with_firm and not self.ended_by


@dataclass(frozen=True, eq=False)
class FirmData:
    """What the tables of one lineage hold of firms; each of them stands in one of the two lists."""

    holdings: Sequence[Holding] = ()
    """In the order in which rows can be deleted: what refers to another table stands before it."""
    nothing_of_a_firm: Mapping[str, str] = field(default_factory=dict)
    """Tables without data of a firm, and why."""
