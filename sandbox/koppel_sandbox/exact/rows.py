"""The sandbox Exact Online as rows."""

from collections.abc import Iterable, Iterator
from typing import Any

from koppel_sandbox import rows
from koppel_sandbox.rows import Row, Table

from .seed import seeded
from .state import Division, State, Switches, Token, User


class ExactLayout(rows.Layout[State]):
    """A row for each user, token and webhook, one for the head of each company and one for each of its records."""

    def seeded(self) -> State:
        """Return the sandbox as it begins."""
        return seeded()

    def little(self, state: State) -> Iterator[tuple[list[Any], Any]]:
        """Return the clock, the switches, users, tokens, webhooks and the heads of companies."""
        yield ["clock"], state.clock.ahead_s
        yield ["switches"], vars(state.switches)
        for user in state.users.values():
            yield ["user", user.id], vars(user)
        for code, token in state.codes.items():
            yield ["code", code], vars(token)
        for pair in state.refresh.values():
            yield ["pair", pair.refresh], vars(pair)
        for webhook_id, webhook in state.webhooks.items():
            yield ["webhook", webhook_id], webhook
        for division in state.divisions.values():
            # Keys of JSON objects are texts; these are pairs.
            numbers = [[journal, year, number] for (journal, year), number in division.last_number.items()]
            head = {name: value for name, value in vars(division).items() if name not in {"tables", "hidden_until"}}
            yield ["division", division.code], {**head, "last_number": numbers}

    def tables(self, state: State) -> Iterator[tuple[list[Any], Table[Any]]]:
        """Return what each company holds."""
        for division in state.divisions.values():
            for name, table in division.tables.items():
                yield ["record", division.code, name], table
            yield ["hidden", division.code], division.hidden_until

    def emptied(self) -> State:
        """Return a sandbox with its apps and nothing else."""
        state = seeded()
        state.users, state.divisions = {}, {}
        return state

    def restore(self, state: State, place: list[Any], value: Any) -> None:
        """Put what was kept in one place back."""
        match place:
            case ["clock"]:
                state.clock.ahead_s = value
            case ["switches"]:
                state.switches = Switches(**value)
            case ["user", user_id]:
                state.users[user_id] = User(**value)
            case ["code", code]:
                state.codes[code] = Token(**value)
            case ["pair", refresh]:
                # Access and refresh token are two ways to one pair; it is kept once.
                pair = Token(**value)
                state.refresh[refresh] = state.access[pair.access] = pair
            case ["webhook", webhook_id]:
                state.webhooks[webhook_id] = value
            case ["division", code]:
                numbers = {(journal, year): number for journal, year, number in value["last_number"]}
                state.divisions[code] = Division(**{**value, "last_number": numbers})
            case ["record", code, table, key]:
                state.divisions[code].tables[table][key] = value
            case ["hidden", code, key]:
                state.divisions[code].hidden_until[key] = value
            case _:
                raise ValueError(f"it holds a {place[0]}, which this sandbox does not know")

    def check(self, state: State) -> None:
        """Refuse a sandbox without users or companies."""
        if not state.users or not state.divisions:
            raise ValueError("it holds no users or no companies")


LAYOUT = ExactLayout()


class ChangeLog(rows.ChangeLog[State]):
    """What has changed in a sandbox since it was asked last."""

    def __init__(self, state: State) -> None:
        super().__init__(LAYOUT, state)


def rows_of(state: State) -> Iterator[Row]:
    """Return everything that is kept of a sandbox."""
    return LAYOUT.rows_of(state)


def state_of(kept: Iterable[Row]) -> State:
    """Return the sandbox that was kept as these rows.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: these are not such rows.
    """
    return LAYOUT.state_of(kept)
