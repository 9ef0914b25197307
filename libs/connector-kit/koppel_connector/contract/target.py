"""What becomes of documents of one kind at one connection."""

from dataclasses import dataclass, field
from typing import Literal

OnAmbiguous = Literal["lookup", "review"]
"""What follows a call that may have acted and was not answered.

* ``lookup``: the vendor can be searched. ``Connector.lookup`` searches after ``settle_s``; only when it finds nothing twice, the
  document is sent again (decision 3).
* ``review``: the vendor cannot be searched. A person says whether the document is in the books; nothing is sent again before.
"""


@dataclass(frozen=True)
class Target:
    """What one delivery does at the vendor, and what follows a call without an answer.

    Until a call has left that may have changed something, it follows the settings, as far as the operation stays; then it stays.
    """

    operation: str = "book"
    """Part of the delivery's key: what it does there. It never changes, or every document would go again."""
    on_ambiguous: OnAmbiguous = "lookup"
    reads_back: bool = True
    """False where the books cannot be asked: there ``exported`` is the end."""
    may_stay_exported: bool = field(default=False, kw_only=True)
    """Somebody at the vendor books it by hand, or never: ``exported`` is a good end, and it is read back all the same, for so
    long as a booking may still come (``READ_BACK_LATE_S``)."""
    settle_s: float = field(kw_only=True)
    """How long the vendor may need before a search finds what it just stored."""
    sequence_key: str | None = None
    """One writer for each of these and operation in the same books, oldest first: a journal that numbers its entries.

    A statement has that of its account without the connector's doing (``DocumentReady.sequence_key``); one given here takes its
    place, and must hold all statements of an account together.
    While the first waits, for a person too, the others wait behind it. One that failed may still be tried again, and holds them
    as well, until a person leaves it (``abandon``), its connection is removed, or a newer revision takes its place."""

    @property
    def ends_as_exported(self) -> bool:
        """Whether ``exported`` is where it ends when all goes well."""
        return self.may_stay_exported or not self.reads_back
