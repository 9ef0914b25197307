"""Everything a sandbox Exact Online knows: its clock, its switches, its users, its companies and their books.

Records are plain dicts with Exact's own field names, so that what is stored is what is answered.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from koppel_sandbox.clock import Clock
from koppel_sandbox.rows import Table

Record = dict[str, Any]


@dataclass
class Switches:
    """What the sources leave open, each with the behaviour we take as the likelier one (the points of exact §6 marked ``??``)."""

    early_refresh_status: int = 400
    """Point 5: 400 as seen in 2026; 401 as the vendor wrote until 2021."""
    early_refresh_breaks_chain: bool = False
    """Point 6."""
    ignore_division_of_bootstrap: bool = False
    """Point 13: answer ``system/Divisions`` whatever division the URL names."""
    unauthorised_as_html: bool = True
    """Point 10."""
    foreign_guid_stored_as_null: bool = False
    """Point 33: 201 with null instead of "Invalid reference"."""
    half_even_rounding: bool = False
    """Point 34: how VAT per line is rounded; half up by default."""
    renumber_lower_hints: bool = True
    """Point 36: an entry number below the last one is silently replaced."""
    overwrite_taken_numbers: bool = False
    """Not of exact §6: what other products report of number reuse; True lets a taken number overwrite its entry."""
    type_by_sign: bool = True
    """Point 37: credit notes are recognised by their negative total; False: by the journal's type."""
    ignore_lines_in_put: bool = False
    """Point 39: a header PUT with lines is refused; True: its lines are ignored."""
    header_rows: bool = True
    """exact §2: the receivable or payable is line 0 of TransactionLines as in ``sync/``; False: the last, except in ``sync/``."""
    too_large_status: int = 400
    """Point 40."""
    block_status: int = 429
    """Point 45: how an endpoint answers while its errors block it."""
    count_functional_errors: bool = True
    """Point 45: whether a functional 500 counts as an error, as a Belgian product reports."""
    date_skew_s: float = 0.0
    """Point 44: how far the ``Date`` header is off."""
    redirect_to_loopback: bool = True
    """Any http://127.0.0.1 or localhost address is a registered redirect URI."""
    minute_limit: int = 60
    day_limit: int = 5000
    error_limit: int = 10
    latency_s: float = 0.0
    search_lag_s: float = 0.0
    """How long searches and reads do not show what was just created."""
    own_ids_kept: Literal["all", "entries"] = "all"
    """Where a client's own id is kept: proven for ``EntryID`` only (exact §3.6). Elsewhere ``entries`` gives a new one."""
    unknown_properties: str = "ignore"
    """exact §8 point 11: ``ignore`` or ``refuse`` what a body holds and the resource does not."""


@dataclass
class App:
    """An app registration: one client of the token endpoint."""

    client_id: str
    client_secret: str
    webhook_secret: str
    redirect_uris: list[str]
    scopes: set[str] | None = None
    """Resources the app may use; None: all. Breaking it answers "Application Scope Violated"."""


@dataclass
class User:
    """Somebody with a login."""

    id: str
    name: str
    full_name: str
    language: str
    active: bool = True
    blocked: bool = False
    divisions: set[int] = field(default_factory=set)
    """Companies the user has access to."""
    granted: set[int] = field(default_factory=set)
    """Companies the user granted to the app."""
    denied: set[tuple[int, str, str]] = field(default_factory=set)
    """Rights taken away: (division, resource, method)."""
    current_division: int = 0


@dataclass
class Token:
    """A pair of tokens, or a code on its way to one."""

    user_id: str
    client_id: str
    issued_at: float
    access: str = ""
    refresh: str = ""
    consumed: bool = False
    redirect_uri: str = ""
    successor: str = ""
    """Access token of the pair that a refresh made of this one."""
    shown: bool = False
    """Whether a call has shown its access token."""


@dataclass
class Division:
    """One company and its books."""

    code: int
    name: str
    vat_number: str
    licence: set[str] = field(default_factory=lambda: {"financial", "crm", "documents", "mailbox", "bank"})
    blocked: bool = False
    licence_expired: bool = False
    tables: dict[str, Table[Record]] = field(default_factory=lambda: defaultdict(Table))
    closed: set[tuple[str, int, int]] = field(default_factory=set)
    """Closed periods: (journal code, year, period)."""
    years: set[int] = field(default_factory=set)
    last_number: dict[tuple[str, int], int] = field(default_factory=dict)
    timestamp: int = 1000
    hidden_until: Table[float] = field(default_factory=Table)
    """Keys that searches do not show yet (the switch ``search_lag_s``, the fault ``index_late``)."""

    def put(self, table: str, key: str, record: Record) -> Record:
        """Store a record with the next row version."""
        self.timestamp += 1
        record["Timestamp"] = str(self.timestamp)
        record.setdefault("Division", self.code)
        self.tables[table][key] = record
        return record

    def remove(self, table: str, key: str) -> None:
        """Delete a record and note it for ``sync/Deleted``."""
        del self.tables[table][key]
        self.timestamp += 1
        self.tables["Deleted"][f"{table}/{key}"] = {
            "EntityKey": key,
            "EntityType": DELETED_TYPES.get(table, 0),
            "Timestamp": str(self.timestamp),
            "Division": self.code,
            "ID": key,
        }


DELETED_TYPES = {"Entries": 1, "Accounts": 2, "DocumentAttachments": 4, "Documents": 6, "GLAccounts": 7}
"""EntityType of sync/Deleted (exact §2)."""


@dataclass
class Request:
    """One line of the request log."""

    at: float
    method: str
    path: str
    query: str
    division: int | None
    resource: str
    status: int
    key: str | None = None


@dataclass
class State:
    """One sandbox."""

    clock: Clock = field(default_factory=Clock)
    switches: Switches = field(default_factory=Switches)
    apps: dict[str, App] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    divisions: dict[int, Division] = field(default_factory=dict)
    codes: dict[str, Token] = field(default_factory=dict)
    access: dict[str, Token] = field(default_factory=dict)
    refresh: dict[str, Token] = field(default_factory=dict)
    calls: dict[tuple[str, int, str, int], int] = field(default_factory=lambda: defaultdict(int))
    errors: dict[tuple[str, str, int, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    log: list[Request] = field(default_factory=list)
    faults: list[Any] = field(default_factory=list)
    webhooks: dict[str, Record] = field(default_factory=dict)
    notifications: list[Record] = field(default_factory=list)
    proofs: dict[str, asyncio.Task[bool]] = field(default_factory=dict)
    """By id of the subscription, whether its address answered the empty POST. Like notifications, not kept on disk."""
    token_calls: list[Record] = field(default_factory=list)

    def requests(self, **like: Any) -> Iterator[Request]:
        """Return the logged requests whose fields equal those given."""
        return (line for line in self.log if all(getattr(line, name) == value for name, value in like.items()))
