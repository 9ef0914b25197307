"""The file of format 1: everything in one JSON document, as the sandbox kept it until November 2026. It is only read."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from koppel_sandbox.json_tags import untagged
from koppel_sandbox.rows import Table

from .seed import seeded
from .state import Division, State, Switches, Token, User

FORMAT = 1


def read_state_file(data: bytes) -> State:
    """Return the sandbox that such a file holds.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: these are not its bytes.
    """
    kept = json.loads(data, object_hook=untagged)
    if kept["format"] != FORMAT:
        raise ValueError(f"it has format {kept['format']}, this sandbox reads format {FORMAT} of such a file")
    state = seeded()
    state.clock.advance(kept["ahead_s"])
    state.switches = Switches(**kept["switches"])
    state.users = {user["id"]: User(**user) for user in kept["users"]}
    state.divisions = {division["code"]: _division(division) for division in kept["divisions"]}
    state.codes = {code: Token(**token) for code, token in kept["codes"].items()}
    pairs = [Token(**pair) for pair in kept["pairs"]]
    state.access = {pair.access: pair for pair in pairs}
    state.refresh = {pair.refresh: pair for pair in pairs}
    state.webhooks = kept["webhooks"]
    return state


def _division(kept: Mapping[str, Any]) -> Division:
    numbers = {(journal, year): number for journal, year, number in kept["last_number"]}
    tables = defaultdict(Table, {name: Table(records) for name, records in kept["tables"].items()})
    hidden_until = Table(kept["hidden_until"])
    return Division(**{**kept, "tables": tables, "last_number": numbers, "hidden_until": hidden_until})
