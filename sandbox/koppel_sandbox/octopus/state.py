"""Everything a sandbox Octopus knows: its clock, its switches, its users, its dossiers and their books.

Records are plain dicts with Octopus's own field names, its slips included, so that what is stored is what is answered.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from koppel_sandbox.clock import Clock
from koppel_sandbox.faults import Fault
from koppel_sandbox.rows import Table
from koppel_sandbox.tables import Record, no_tables


@dataclass
class Switches:
    """What the sources leave open, each with what octopus §5 assumes; the number is the behaviour's."""

    bad_login_code: int = -1
    """3."""
    lock_out_after: int = 5
    """3: so many wrong passwords in a row lock the user (octopus §4 "lock-out risk"); 0: never."""
    unknown_software_house_status: int = 401
    """4."""
    tokens_prolonged_by_use: bool = False
    """5."""
    no_access_status: int = 403
    """9."""
    no_access_code: int = -3
    """9."""
    unknown_dossier_status: int = 400
    """10."""
    unknown_dossier_code: int = -4
    """10."""
    dead_dossier_token_code: int = -6
    """11: -6 or -2."""
    dossier_token_outlives_login: bool = True
    """11 (octopus §1.3)."""
    foreign_dossier_token_refused: bool = True
    """12."""
    cookies_offered: bool = True
    """14."""
    missing_parameter_status: int = 400
    """18."""
    missing_parameter_code: int = -79
    """18."""
    strict_vat_filter: bool = False
    """21: compare VAT numbers with their dots and blanks."""
    bad_relation_status: int = 400
    """23."""
    vat_type_mandatory: bool = True
    """23: octopus §2.4 calls ``vatType`` effectively mandatory."""
    vat_numbers_checked: bool = True
    """23: a Belgian VAT number with wrong check digits is refused (octopus §4)."""
    sparse_put_blanks: bool = True
    """22: a PUT blanks what it leaves out (octopus §6)."""
    new_relation_answer: Literal["record", "numbers", "key", "number", "nothing"] = "record"
    """22: the body of a 201: the record, its two numbers, ``{"id": 6}``, ``6``, or none (octopus §2.4: "with the new key")."""
    relation_side_checked: bool = False
    """28: a sale wants a client, a purchase a supplier; otherwise -16."""
    wrong_number_status: int = 500
    """25."""
    gaps_allowed: bool = False
    """25: any number above the last one is taken."""
    closed_status: int = 403
    """26."""
    protected_period_status: int = 403
    """26."""
    unknown_period_status: int = 500
    """26."""
    data_error_status: int = 500
    """28: -9, -10, -16 … -25, -29 … -32, -38, -40, -50, -75."""
    sums_checked: bool = True
    """30."""
    negative_credit_lines_refused: bool = True
    """31: False takes a credit note whose lines are as negative as its total."""
    files_listed: bool = True
    """33: whether ``bookingfiles`` shows what was attached."""
    booking_read_parameters: Literal["both", "2020", "2026"] = "both"
    """34: ``bookyearId`` and ``documentSeqNr`` (2020), ``bookyearKeyId`` and ``documentSequenceNr`` (2026) of the list read."""
    feed_time_zone: str = "Europe/Brussels"
    """34: of ``modifiedTimeStamp`` (octopus §2.7)."""
    feed_lag_s: float = 0.0
    """34: how long the feeds do not show what was just stored."""
    empty_object_feed_is_404: bool = False
    """35: what ``bookings/modified`` answers when nothing changed."""
    deleted_key: Literal["booking", "without_bookyear", "document"] = "booking"
    """35: how a deletion is named: as a booking, without the year of the path, or as files name theirs (octopus §2.8)."""
    lists_refused_code: int = -79
    """36."""
    accounts_feed_as_object: bool = False
    """36: ``accounts/modified`` answers an object with ``modified`` (octopus §2.10)."""
    daily_limits: bool = False
    """37: whether calls are counted."""
    write_limit: int = 400
    """37: a day and write operation."""
    feed_limit: int = 48
    """37: a day and feed."""
    limit_scope: Literal["dossier", "user", "software_house"] = "dossier"
    """37."""
    limit_status: int = 429
    """37."""
    limit_code: int = -51
    """37."""
    delete_allowed: bool = False
    """38: True deletes the last booking of a journal."""
    coda_body: Literal["json-string", "raw", "both"] = "json-string"
    """39."""
    coda_status: int = 200
    """39."""
    coda_refused_status: int = 400
    """39."""
    dms_off_status: int = 403
    """40."""
    import_takes_rest_token: bool = True
    """40: the File Import API takes a dossier token of the REST API (octopus §2.8)."""
    import_errors_respelled: bool = True
    """40: its errors are ``octopusErrorCode``, ``description``, ``technicalDescription`` (octopus §1.6)."""
    unknown_booking_status: int = 404
    """44."""
    refresh_tokens_rotate: bool = True
    """octopus §1.4: a refresh gives a new refresh token, and the old one is spent."""
    latency_s: float = 0.0


@dataclass
class Request:
    """One line of the request log."""

    at: float
    method: str
    path: str
    query: str
    dossier: int | None
    operation: str
    status: int
    error_code: int | None = None


@dataclass
class State:
    """One sandbox."""

    clock: Clock = field(default_factory=Clock)
    switches: Switches = field(default_factory=Switches)
    tables: dict[str, Table[Record]] = field(default_factory=no_tables)
    """Software houses, users, logins, dossier tokens, OAuth codes and refresh tokens, dossiers, and what ``Books`` names."""
    calls: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    """Calls that count for a limit: (day, operation, scope)."""
    log: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def books(self, dossier: int) -> "Books":
        """Return the books of a dossier.

        Raises:
            KeyError: there is no such dossier.
        """
        return Books(self, self.tables["dossiers"][str(dossier)])

    def requests(self, **like: Any) -> Iterator[Request]:
        """Return the logged requests whose fields equal those given."""
        return (line for line in self.log if all(getattr(line, name) == value for name, value in like.items()))


class Books:
    """One dossier."""

    def __init__(self, state: State, dossier: Record) -> None:
        self.state = state
        self.dossier = dossier
        """As ``GET /dossiers`` shows it; flags ``@module``, ``@bank_module``, ``@dms``, ``@lists_refused``, ``@disabled``."""
        self.id: int = dossier["dossierKey"]["id"]
        self.touched: list[Record] = []
        """What was stored through this object."""

    def table(self, name: str) -> Table[Record]:
        """Return a table of this dossier by its name, such as ``bookings``."""
        return self.state.tables[f"{self.id}/{name}"]

    @property
    def bookyears(self) -> Table[Record]:
        """By id."""
        return self.table("bookyears")

    @property
    def journals(self) -> Table[Record]:
        """By bookyear and key: ``3/V1``. ``@hidden``, ``@held_by``."""
        return self.table("journals")

    @property
    def bank_accounts(self) -> Table[Record]:
        """Account and balance of each financial journal, by its key: ``F1``."""
        return self.table("bank_accounts")

    @property
    def accounts(self) -> Table[Record]:
        """By bookyear and number: ``3/700000``. ``@header``: it groups others, and takes no booking."""
        return self.table("accounts")

    @property
    def vat_codes(self) -> Table[Record]:
        """By code."""
        return self.table("vat_codes")

    @property
    def relations(self) -> Table[Record]:
        """By id."""
        return self.table("relations")

    @property
    def bookings(self) -> Table[Record]:
        """Buy and sell bookings by bookyear, journal and number: ``3/V1/42``."""
        return self.table("bookings")

    @property
    def financial_bookings(self) -> Table[Record]:
        """Financial and miscellaneous bookings, by the same."""
        return self.table("financial_bookings")

    @property
    def deleted_bookings(self) -> Table[Record]:
        """Keys of buy and sell bookings that are gone, by the same."""
        return self.table("deleted_bookings")

    @property
    def statements(self) -> Table[Record]:
        """CODA statements taken, in order."""
        return self.table("statements")

    @property
    def files(self) -> Table[Record]:
        """Files attached to bookings, in order. ``@content``, ``@booking``: the booking's key."""
        return self.table("files")

    @property
    def imports(self) -> Table[Record]:
        """Documents in the Import Viewer, in order. ``@content``."""
        return self.table("imports")

    def put(self, table: Table[Record], key: str, record: Record) -> None:
        """Store a record that changed now."""
        record["@modified"] = self.state.clock.epoch()
        table[key] = record
        self.touched.append(record)
