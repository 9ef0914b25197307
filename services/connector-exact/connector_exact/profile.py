"""Exact Online as data: OAuth, limits, and the errors of its token endpoint (exact §1, §3.12, §4)."""

from typing import Final

from koppel_bookkeeping import SIDES
from koppel_connector import Profile, Target
from koppel_connector.contract import (
    BookSearch,
    ErrorBudget,
    HeaderNames,
    NoticeProfile,
    OAuthProfile,
    TokenError,
    Window,
)

from .problems import PROBLEMS

# An assumption: no page documents the address of an entry's screen (exact §3.12).
ENTRY_URL: Final = "{base_url}/docs/FinEntryView.aspx?EntryID={entry_id}&_Division_={division}"

ENTRY: Final = Target(settle_s=30.0)
MAIL: Final = Target(may_stay_exported=True, settle_s=30.0)
"""To the mailbox or to ScanService, where a person or Exact books it. The operation is that of an entry: a document has one
delivery, never both (R080)."""
STATEMENT: Final = Target("coda", may_stay_exported=True, settle_s=30.0)
"""To the mailbox. It comes with the ``sequence_key`` of its account, as the two below."""
ENTERED_STATEMENT: Final = Target("coda", settle_s=30.0)
KEPT_STATEMENT: Final = Target("coda", reads_back=False, settle_s=30.0)
"""Nothing is booked from the Document that keeps it."""

PROFILE: Final = Profile(
    name="connector-exact",
    title="Exact Online",
    auth=OAuthProfile(
        authorize_path="/api/oauth2/auth",
        token_path="/api/oauth2/token",  # noqa: S106 - a path
        access_valid_s=590,
        refresh_not_before_s=570,
        refresh_valid_days=30,
        keep_alive_days=7,
        # An accountant who is still logged in as another user must be able to choose (§1.2).
        authorize_params={"force_login": "1"},
        errors=(
            TokenError("too_early", description="TooEarlyToRefreshTokens"),
            TokenError("too_early", description="access_token not expired"),
            TokenError("too_early", description="Access token not expired"),
            TokenError("spent", error="unauthorized_client", description="Old refresh token used"),
            TokenError("revoked", error="invalid_grant"),
            TokenError("revoked", error="unauthorized_client"),
            TokenError("misconfigured", error="invalid_client"),
            TokenError("misconfigured", error="invalid_request"),
            TokenError("transient", status=429),
            # A refresh token past its 30 days answers 400 or 401 in an undocumented form; "Bad Request" alone is
            # what a wrong client id or secret gets (§1.4). Waiting helps neither.
            TokenError("misconfigured", status=400),
            TokenError("revoked", status=401),
        ),
    ),
    targets=dict.fromkeys(SIDES, ENTRY),
    problems=PROBLEMS,
    master_data_problems=frozenset(
        {"journal_unknown", "journal_blocked", "journal_wrong_type", "currency_not_allowed"}
        | {"ledger_account_unknown", "ledger_account_blocked", "ledger_account_wrong_type"}
        | {"unknown_vat_code", "vat_code_blocked", "vat_code_not_allowed", "payment_condition_missing"}
        | {"statement_account_unknown"}
    ),
    windows=(
        Window(
            "minute",
            60,
            60,
            HeaderNames("x-ratelimit-minutely-limit", "x-ratelimit-minutely-remaining", "x-ratelimit-minutely-reset"),
        ),
        Window("day", 5_000, 86_400, HeaderNames("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")),
    ),
    # Exact blocks an endpoint for an hour after more than 10 errors (§4.3). Refusals that come as 500 are not on its list, but
    # are said to count; "Data already exists" (``AlreadyExists``) is no error and does not count here.
    error_budget=ErrorBudget(capacity=6, period_s=3_600, reserve=2),
    # In three spellings each, the numbers of so many documents fit into one URL (§2).
    book_search=BookSearch(batch=30),
    # Whatever is answered otherwise is sent again, ten times (§3.13).
    notices=NoticeProfile("exact", answer_status=200),
    deadline_s=20.0,
)
