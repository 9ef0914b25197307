"""What a sandbox knows as rows, one for everything that changes by itself, and the rows that changed since the last look.

The place of a row is a JSON list: ``["record", 3090901, "Entries", "…"]``. Records are many, so whoever changes one notes it
(``Table``); everything else is little, and is compared.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, KeysView
from typing import Any, Generic, NamedTuple, TypeVar

from .json_tags import tagged, untagged

Value = TypeVar("Value")
StateT = TypeVar("StateT")


class Table(dict[str, Value]):
    """Values by key, and which of them changed: whoever changes a value in its place says so with ``touch``."""

    def __init__(self, values: dict[str, Value] | None = None) -> None:
        super().__init__(values or {})
        self._changed = dict.fromkeys(self)

    def __setitem__(self, key: str, value: Value) -> None:
        super().__setitem__(key, value)
        self._changed[key] = None

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._changed[key] = None

    def touch(self, key: str) -> None:
        """Note that the value of ``key`` was changed in its place."""
        self._changed[key] = None

    def take_changed(self) -> KeysView[str]:
        """Return the keys that changed since the last time, in order, those that are gone included."""
        changed, self._changed = self._changed, {}
        return changed.keys()


class Row(NamedTuple):
    """What is kept in one place."""

    place: str
    value: str | None
    """JSON; None where the place is empty now."""


class Layout(ABC, Generic[StateT]):
    """How one sandbox lies in rows."""

    @abstractmethod
    def seeded(self) -> StateT:
        """Return the sandbox as it begins."""

    @abstractmethod
    def little(self, state: StateT) -> Iterator[tuple[list[Any], Any]]:
        """Return everything but the tables, each with its place."""

    @abstractmethod
    def tables(self, state: StateT) -> Iterator[tuple[list[Any], Table[Any]]]:
        """Return the tables, each with its place."""

    @abstractmethod
    def emptied(self) -> StateT:
        """Return the sandbox into which the rows that were kept are put."""

    @abstractmethod
    def restore(self, state: StateT, place: list[Any], value: Any) -> None:
        """Put what was kept in one place back.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: there is no such place, or this does not fit it.
        """

    def check(self, state: StateT) -> None:
        """Refuse a sandbox that was not restored whole.

        Raises:
            ValueError: something is missing.
        """
        del state

    def rows_of(self, state: StateT) -> Iterator[Row]:
        """Return everything that is kept of a sandbox."""
        for place, value in self.little(state):
            yield Row(_json(place), _json(value))
        for place, table in self.tables(state):
            for key, value in table.items():
                yield Row(_json([*place, key]), _json(value))

    def state_of(self, rows: Iterable[Row]) -> StateT:
        """Return the sandbox that was kept as these rows.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: these are not such rows.
        """
        state = self.emptied()
        for row in rows:
            self.restore(state, json.loads(row.place), json.loads(str(row.value), object_hook=untagged))
        self.check(state)
        return state


class ChangeLog(Generic[StateT]):
    """What has changed in a sandbox since it was asked last."""

    def __init__(self, layout: Layout[StateT], state: StateT) -> None:
        self._layout = layout
        self._state = state
        self._little: dict[str, str] = {}
        self._tables: dict[str, Table[Any]] = {}
        self._keys: dict[str, dict[str, None]] = {}
        """Keys of what each table holds, by the table's place."""
        self.changes()

    def changes(self) -> list[Row]:
        """Return the rows that changed, each as it is now."""
        little = {_json(place): _json(value) for place, value in self._layout.little(self._state)}
        changed: dict[str, str | None] = dict.fromkeys(self._little.keys() - little.keys())
        changed |= {place: value for place, value in little.items() if self._little.get(place) != value}
        self._little = little
        before, self._tables = self._tables, {}
        places: dict[str, list[Any]] = {}
        for place, table in self._layout.tables(self._state):
            self._tables[_json(place)], places[_json(place)] = table, place
        for name, table in before.items():
            if self._tables.get(name) is not table:
                # Another one in its place, or none: a control request began anew.
                changed |= dict.fromkeys(_json([*json.loads(name), key]) for key in self._keys.pop(name, {}))
        for name, table in self._tables.items():
            changed |= self._records_changed(places[name], table, self._keys.setdefault(name, {}))
        return [Row(place, value) for place, value in changed.items()]

    def _records_changed(self, place: list[Any], table: Table[Any], known: dict[str, None]) -> dict[str, str | None]:
        changed: dict[str, str | None] = {}
        for key in table.take_changed():
            if key in table:
                changed[_json([*place, key])] = _json(table[key])
                known[key] = None
            else:
                changed[_json([*place, key])] = None
                known.pop(key, None)
        return changed


def _json(value: Any) -> str:
    return json.dumps(value, default=tagged, separators=(",", ":"))
