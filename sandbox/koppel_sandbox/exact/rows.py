"""A sandbox as rows, one for everything that changes by itself, and the rows that changed since the last look.

The place of a row is a JSON list: ``["record", 3090901, "Entries", "…"]``. Records are many, so whoever changes one notes it
(``Table``); everything else is little, and is compared.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .json_tags import tagged, untagged
from .seed import seeded
from .state import Division, State, Switches, Table, Token, User


class Row(NamedTuple):
    """What is kept in one place."""

    place: str
    value: str | None
    """JSON; None where the place is empty now."""


class ChangeLog:
    """What has changed in a sandbox since it was asked last."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._little: dict[str, str] = {}
        self._divisions: dict[int, Division] = {}
        self._records: dict[int, dict[str, None]] = {}
        """Places of what each division holds."""
        self.changes()

    def changes(self) -> list[Row]:
        """Return the rows that changed, each as it is now."""
        little = dict(_little(self._state))
        gone = self._little.keys() - little.keys()
        changed: dict[str, str | None] = dict.fromkeys(gone)
        changed |= {place: value for place, value in little.items() if self._little.get(place) != value}
        self._little = little
        for code in self._divisions.keys() | self._state.divisions.keys():
            before, division = self._divisions.get(code), self._state.divisions.get(code)
            if before is not division:
                # Another one in its place, or none: a control request began anew.
                changed |= dict.fromkeys(self._records.pop(code, {}))
            if division is not None:
                changed |= self._records_changed(division)
        self._divisions = dict(self._state.divisions)
        return [Row(place, value) for place, value in changed.items()]

    def _records_changed(self, division: Division) -> dict[str, str | None]:
        known = self._records.setdefault(division.code, {})
        changed: dict[str, str | None] = {}
        for path, table in _tables(division):
            for key in table.take_changed():
                place = _place(*path, key)
                if key in table:
                    changed[place] = _json(table[key])
                    known[place] = None
                else:
                    changed[place] = None
                    known.pop(place, None)
        return changed


def rows_of(state: State) -> Iterator[Row]:
    """Return everything that is kept of a sandbox."""
    for place, value in _little(state):
        yield Row(place, value)
    for division in state.divisions.values():
        for path, table in _tables(division):
            for key, value in table.items():
                yield Row(_place(*path, key), _json(value))


def state_of(rows: Iterable[Row]) -> State:
    """Return the sandbox that was kept as these rows.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: these are not such rows.
    """
    state = seeded()
    state.users, state.divisions = {}, {}
    for row in rows:
        kind, *path = json.loads(row.place)
        _restore(state, kind, path, json.loads(str(row.value), object_hook=untagged))
    if not state.users or not state.divisions:
        raise ValueError("it holds no users or no companies")
    return state


def _restore(state: State, kind: str, path: list[Any], value: Any) -> None:
    match kind, path:
        case "clock", []:
            state.clock.ahead_s = value
        case "switches", []:
            state.switches = Switches(**value)
        case "user", [user_id]:
            state.users[user_id] = User(**value)
        case "code", [code]:
            state.codes[code] = Token(**value)
        case "pair", [refresh]:
            # Access and refresh token are two ways to one pair; it is kept once.
            pair = Token(**value)
            state.refresh[refresh] = state.access[pair.access] = pair
        case "webhook", [webhook_id]:
            state.webhooks[webhook_id] = value
        case "division", [code]:
            numbers = {(journal, year): number for journal, year, number in value["last_number"]}
            state.divisions[code] = Division(**{**value, "last_number": numbers})
        case "record", [code, table, key]:
            state.divisions[code].tables[table][key] = value
        case "hidden", [code, key]:
            state.divisions[code].hidden_until[key] = value
        case _:
            raise ValueError(f"it holds a {kind}, which this sandbox does not know")


def _little(state: State) -> Iterator[tuple[str, str]]:
    yield _place("clock"), _json(state.clock.ahead_s)
    yield _place("switches"), _json(vars(state.switches))
    for user in state.users.values():
        yield _place("user", user.id), _json(vars(user))
    for code, token in state.codes.items():
        yield _place("code", code), _json(vars(token))
    for pair in state.refresh.values():
        yield _place("pair", pair.refresh), _json(vars(pair))
    for webhook_id, webhook in state.webhooks.items():
        yield _place("webhook", webhook_id), _json(webhook)
    for division in state.divisions.values():
        # Keys of JSON objects are texts; these are pairs.
        numbers = [[journal, year, number] for (journal, year), number in division.last_number.items()]
        head = {name: value for name, value in vars(division).items() if name not in {"tables", "hidden_until"}}
        yield _place("division", division.code), _json({**head, "last_number": numbers})


def _tables(division: Division) -> Iterator[tuple[list[Any], Table[Any]]]:
    for name, table in division.tables.items():
        yield ["record", division.code, name], table
    yield ["hidden", division.code], division.hidden_until


def _place(*path: Any) -> str:
    return json.dumps(path, separators=(",", ":"))


def _json(value: Any) -> str:
    return json.dumps(value, default=tagged, separators=(",", ":"))
