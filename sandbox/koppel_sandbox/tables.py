"""A sandbox that keeps everything in tables: plain records by name and key, so that it needs no layout of its own."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from .clock import Clock
from .rows import Layout, Table

Record = dict[str, Any]
"""Fields of the vendor, spelled as it spells them; what is ours begins with ``@`` and is never answered."""


class InTables(Protocol):
    """What is kept of such a sandbox."""

    clock: Clock
    switches: Any
    tables: dict[str, Table[Record]]


InTablesT = TypeVar("InTablesT", bound=InTables)


def no_tables() -> dict[str, Table[Record]]:
    """Return tables that are made when they are first used."""
    return defaultdict(Table)


def wire(record: Record) -> Record:
    """Return a record as the vendor answers it."""
    return {name: value for name, value in record.items() if not name.startswith("@")}


class TablesLayout(Layout[InTablesT]):
    """A row for each record, one for the clock and one for the switches."""

    def __init__(self, seeded: Callable[[], InTablesT]) -> None:
        self._seeded = seeded

    def seeded(self) -> InTablesT:
        """Return the sandbox as it begins."""
        return self._seeded()

    def little(self, state: InTablesT) -> Iterator[tuple[list[Any], Any]]:
        """Return the clock and the switches."""
        yield ["clock"], state.clock.ahead_s
        yield ["switches"], vars(state.switches)

    def tables(self, state: InTablesT) -> Iterator[tuple[list[Any], Table[Record]]]:
        """Return every table."""
        for name, table in state.tables.items():
            yield ["table", name], table

    def emptied(self) -> InTablesT:
        """Return a sandbox without records."""
        state = self._seeded()
        state.tables = no_tables()
        return state

    def restore(self, state: InTablesT, place: list[Any], value: Any) -> None:
        """Put what was kept in one place back."""
        match place:
            case ["clock"]:
                state.clock.ahead_s = value
            case ["switches"]:
                state.switches = type(state.switches)(**value)
            case ["table", name, key]:
                state.tables[name][key] = value
            case _:
                raise ValueError(f"it holds a {place[0]}, which this sandbox does not know")

    def check(self, state: InTablesT) -> None:
        """Refuse a sandbox without records."""
        if not state.tables:
            raise ValueError("it holds no records")
