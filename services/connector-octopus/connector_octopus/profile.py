"""Octopus as data: two ways to log in, sessions of ten minutes, quotas by operation and day (octopus §1)."""

from dataclasses import replace
from typing import Final

from koppel_bookkeeping import SIDES
from koppel_connector import Profile, Target, Vendor
from koppel_connector.contract import BookSearch, OAuthProfile, PasswordProfile, ReadBackPace, TokenError, Window

from .problems import PROBLEMS
from .settings import FEED_READS_PER_DAY, WRITES_PER_DAY, OctopusSettings

ENTRY_URL: Final = "{base_url}/octopus?dossier={dossier}&bookyear={bookyear}&journal={journal}&document={number}"
"""An assumption: no page documents the address of a booking's screen."""
DAY_S: Final = 86_400
SETTLE_S: Final = 30.0
SESSION_S: Final = 540.0
"""Tokens live ten minutes, are not prolonged by use and tell no end: they are renewed a minute early (octopus §1.3)."""
FEED_RESERVE_SHARE: Final = 6
"""A sixth of a feed's reads is kept for the searches that settle an unknown outcome."""
FEED_IS_BELIEVED_S: Final = 2 * DAY_S / (FEED_READS_PER_DAY - FEED_READS_PER_DAY // FEED_RESERVE_SHARE)
"""So long a search answers from what the feed told, 72 minutes. Twice the pace of the read-back, which keeps what it reads: so
the two together take no more reads a day than the feed allows."""

WRITES: Final = (
    "PUT relations",
    "POST buysellbookings",
    "POST coda",
    "POST files/imports",
)
FEEDS: Final = (
    "GET buysellbookings/modified",
    "GET bookings/modified",
    "GET relations/modified",
    "GET accounts/modified",
    "GET journals/modified",
)
PASSWORD: Final = PasswordProfile(session_valid_s=SESSION_S)
OAUTH: Final = OAuthProfile(
    authorize_path="/octopus-oauth/authorize",
    token_path="/octopus-oauth/token",  # noqa: S106 - a path; its name on the server is an assumption (octopus §1.4)
    access_valid_s=int(SESSION_S),
    refresh_valid_days=60,
    keep_alive_days=20,
    scope="webservice",
    client_auth="public",
    header="Token",
    scheme="",
    errors=(
        TokenError("revoked", error="invalid_grant"),
        TokenError("revoked", status=401),
        TokenError("misconfigured", error="invalid_client"),
        TokenError("misconfigured", error="unauthorized_client"),
        TokenError("misconfigured", status=400),
        TokenError("transient", status=429),
    ),
)
BOOKING: Final = Target("book", settle_s=SETTLE_S)
IMPORT_VIEWER: Final = Target("book", "review", reads_back=False, settle_s=SETTLE_S)
"""The viewer cannot be searched. Its operation is that of a booking: a document has one delivery, never both (R100)."""
STATEMENT: Final = Target("coda", "lookup", reads_back=False, settle_s=SETTLE_S)
"""It comes with the ``sequence_key`` of its account: Octopus takes statements in order only (octopus §2.9)."""

PROFILE: Final = Profile(
    name="connector-octopus",
    title="Octopus",
    auth=PASSWORD,
    other_auth=(OAUTH,),
    dossier_session_valid_s=SESSION_S,
    targets=dict.fromkeys(SIDES, BOOKING),
    problems=PROBLEMS,
    master_data_problems=frozenset(
        {
            "journal_unknown",
            "journal_blocked",
            "journal_for_invoices",
            "bookyear_not_imported",
        }
        | {"ledger_account_unknown", "ledger_account_wrong_type", "relation_unknown"}
        | {"unknown_vat_code", "vat_code_not_allowed", "statement_account_unknown"}
    ),
    book_search=BookSearch(),
    # Two questions a bookyear, of which there are mostly one or two open.
    watch_every_s=21_600.0,
    deadline_s=30.0,
)


def with_budgets(feed_reads: int = FEED_READS_PER_DAY, writes: int = WRITES_PER_DAY) -> Profile:
    """Return the profile with the quotas of a day; the books are read as often as those of the feeds allow."""
    reserve = feed_reads // FEED_RESERVE_SHARE
    windows = [Window(name, writes, DAY_S, operations=frozenset({name}), zone="Europe/Brussels") for name in WRITES]
    windows += [
        Window(name, feed_reads, DAY_S, operations=frozenset({name}), zone="Europe/Brussels", reserve=reserve)
        for name in FEEDS
    ]
    # One feed answers for all journals, however many documents wait.
    pace = ReadBackPace(at_most_every_s=DAY_S / (feed_reads - reserve), batch=200)
    return replace(PROFILE, windows=tuple(windows), read_back=pace)


def handle(
    vendor: Vendor[OctopusSettings], place: tuple[object, object, object], year_label: str
) -> tuple[str, str, str]:
    """Return the id, the number that people see and the address of a booking: ``3/V1/42``, ``V1/2026/42``."""
    bookyear, journal, number = place
    url = ENTRY_URL.format(
        base_url=vendor.application.base_url.rstrip("/"),
        dossier=vendor.settings.dossier_id,
        bookyear=bookyear,
        journal=journal,
        number=number,
    )
    return f"{bookyear}/{journal}/{number}", f"{journal}/{year_label}/{number}", url
