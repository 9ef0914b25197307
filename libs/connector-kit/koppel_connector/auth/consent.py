"""The consent of a person at the vendor: where the browser is sent, and what its return is worth.

A consent begins at a page of ours, which sends the browser on to the vendor. The ``state`` that it carries is sealed by us,
bound to one connection and to that browser, dies after half an hour and is spent at its first return: nobody can plant a code
of their own or have somebody else finish what they began (RFC 6749 §10.12), and a reloaded page exchanges nothing twice.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

import structlog

from koppel_connector.calls.vendor import open_vendor
from koppel_connector.connection.comparing import forget_company
from koppel_connector.connection.events import ConsentGiven, UserNamed
from koppel_connector.connection.importing import want_import
from koppel_connector.connection.missing_settings import missing_settings, problem_of_missing
from koppel_connector.connection.store import ConnectionRow
from koppel_connector.contract import OAuthProfile
from koppel_connector.kit import Kit
from koppel_mesh.auth import Caller
from koppel_mesh.http.client import NotSent, Unanswered
from koppel_mesh.keyring import WrongKeyError
from koppel_mesh.messages import ConnectionState
from koppel_mesh.prepared_sql import Statement

from .token_answers import TokenAnswer
from .token_rows import READ
from .vault import NOT_SAVED

STATE_MAX_AGE_S = 1800
BROWSER_ID_LENGTH = 43
"""Of what ``secrets.token_urlsafe`` makes of 32 bytes."""
_LINK = "oauth link"
_STATE = "oauth state"
_SPEND = Statement("INSERT INTO oauth_state_used (nonce) VALUES (:nonce) ON CONFLICT DO NOTHING RETURNING nonce")
log = structlog.get_logger(__name__)

Ending = Literal["connected", "refused", "spent", "invalid", "elsewhere", "failed", "unreadable"]


@dataclass(frozen=True)
class Returned:
    """How a browser's return ended."""

    ending: Ending
    connection: ConnectionRow | None = None
    detail: str = ""


_GONE = Returned("invalid", detail="the connection is gone")


@dataclass(frozen=True)
class ReturnedBy:
    """Who brings a return: a browser with what its cookie holds, or a caller with a token for ``connections:write``."""

    browser_id: str | None = None
    caller: Caller | None = None

    def began(self, browser: str, firm_id: UUID) -> bool:
        """Return whether the consent of a connection of this firm was begun by whoever brings its return.

        A machine keeps no cookie, but no page can make a browser send its token.
        """
        if self.caller is not None and self.caller.may_see(firm_id):
            return True
        return self.browser_id is not None and hmac.compare_digest(_digest(self.browser_id), browser)


def authorize_url(kit: Kit, row: ConnectionRow) -> str | None:
    """Return the page of ours where a consent begins; None for vendors without OAuth, and while settings for it are missing."""
    profile = kit.connector.auth(row.settings)
    if not isinstance(profile, OAuthProfile) or missing_settings(kit, row.settings, "login"):
        return None
    link = kit.keys.seal_text({"connection_id": str(row.id), "nonce": secrets.token_urlsafe(16)}, _LINK)
    return f"{kit.consent_uri}?{urlencode({'link': link})}"


async def begin(kit: Kit, link: str, browser_id: str) -> str | Returned:
    """Return the vendor's page for a consent that this browser begins; else why there is none."""
    try:
        sealed = kit.keys.open_text(link, _LINK, STATE_MAX_AGE_S)
    except WrongKeyError as reason:
        return Returned("invalid", detail=str(reason))
    async with kit.database.reading() as reading:
        row = await kit.connections.read(reading, UUID(sealed["connection_id"]))
    if row is None or row.state is ConnectionState.DISCONNECTED:
        return _GONE
    if row.unreadable is not None:
        return Returned("failed" if row.is_damaged else "unreadable", row, str(row.unreadable))
    profile = kit.connector.auth(row.settings)
    if not isinstance(profile, OAuthProfile):
        return Returned("invalid", detail="the connection is no longer let in by a consent")
    if (missing := problem_of_missing(kit, row.settings, "login")) is not None:
        return Returned("failed", row, str(missing))
    return _vendor_page(kit, row, profile, sealed["nonce"], browser_id)


def _vendor_page(kit: Kit, row: ConnectionRow, profile: OAuthProfile, nonce: str, browser_id: str) -> str:
    application = kit.connector.application(kit.settings, row.settings)
    # The state is encrypted: who carries it through the browser does not learn the secret that the code is bound to.
    verifier = secrets.token_urlsafe(48) if profile.uses_pkce else ""
    sealed = {
        "connection_id": str(row.id),
        "nonce": nonce,
        "code_verifier": verifier,
        "browser": _digest(browser_id),
    }
    query = {
        "client_id": application.client_id,
        "redirect_uri": kit.redirect_uri,
        "response_type": "code",
        "state": kit.keys.seal_text(sealed, _STATE),
        **({"scope": profile.scope} if profile.scope else {}),
        **(_challenge(verifier) if verifier else {}),
        **profile.authorize_params,
    }
    return f"{application.base_of(profile.server)}{profile.authorize_path}?{urlencode(query)}"


def _digest(browser_id: str) -> str:
    return hashlib.sha256(browser_id.encode()).hexdigest()


def _challenge(verifier: str) -> dict[str, str]:
    # RFC 7636 §4.2
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {"code_challenge": challenge, "code_challenge_method": "S256"}


async def take_return(kit: Kit, by: ReturnedBy, *, code: str | None, state: str | None, error: str | None) -> Returned:
    """Turn the browser's return into a connected connection."""
    assert kit.tokens is not None and kit.vault is not None
    try:
        sealed = kit.keys.open_text(state or "", _STATE, STATE_MAX_AGE_S)
    except WrongKeyError as reason:
        return Returned("invalid", detail=str(reason))
    spent = await _spend(kit, by, sealed)
    if isinstance(spent, Returned):
        return spent
    if error or not code:
        return Returned("refused", spent, error or "no code")
    exchanging = _exchange(kit, spent, code, sealed.get("code_verifier", ""))
    returned = await kit.vault.flights.result_of(kit.vault.flights.begin(exchanging, f"consent {spent.id}"))
    if returned.ending == "connected" and returned.connection is not None:
        await _name_user(kit, returned.connection)
    return returned


async def _exchange(kit: Kit, spent: ConnectionRow, code: str, code_verifier: str) -> Returned:
    """Exchange the code, which the vendor takes once: what it gives for it is not let go before it is stored."""
    assert kit.tokens is not None and kit.vault is not None
    try:
        answer = await kit.tokens.exchange(spent, code, code_verifier)
    except (NotSent, Unanswered) as reason:
        return Returned("failed", spent, str(reason))
    if answer.meaning is not None or not answer.refresh_token:
        return Returned("failed", spent, answer.description)
    first = _FirstPair(kit, spent, answer)
    try:
        returned = await first.save()
    except NOT_SAVED as error:
        returned = await kit.vault.until_saved(first.save, error)
    for loop in ("reconciler", "imports", "deliveries"):
        kit.wake(loop)
    return returned


@dataclass
class _FirstPair:
    """What the vendor gave for a consent, on its way into the database."""

    kit: Kit
    connection: ConnectionRow
    answer: TokenAnswer
    version: int | None = None
    """Which it had in a try whose commit failed."""

    async def save(self) -> Returned:
        """Store it; what was stored by a commit whose answer was lost may be spent since, and is left alone (P4)."""
        kit = self.kit
        assert kit.vault is not None
        async with kit.database.transaction() as tx:
            # It may have been removed while the vendor answered, with the promise that no grant of it is kept.
            row = await kit.connections.read(tx, self.connection.id, lock=True)
            if row is None or row.state is ConnectionState.DISCONNECTED:
                return _GONE
            stored = await READ.one_or_none(tx, {"id": row.id})
            if self.version is not None and stored is not None and stored.version >= self.version:
                return Returned("connected", row)
            self.version = await kit.vault.store_first(tx, row.id, self.answer)
            await kit.connections.apply(tx, row.id, ConsentGiven())
            await forget_company(tx, row.id)
            await want_import(tx, kit, row)
        return Returned("connected", row)


async def _spend(kit: Kit, by: ReturnedBy, sealed: Mapping[str, str]) -> ConnectionRow | Returned:
    """Spend the state of a return, and return the connection that its code is for; else how the return ended."""
    async with kit.database.transaction() as tx:
        row = await kit.connections.read(tx, UUID(sealed["connection_id"]))
        if row is None or row.state is ConnectionState.DISCONNECTED:
            return _GONE
        # Consents that the version before began are bound to no browser; they begin again.
        if not by.began(sealed.get("browser", ""), row.firm_id):
            return Returned("elsewhere", row)
        if row.unreadable is not None and not row.is_damaged:
            return Returned("unreadable", row)  # nothing is spent: the same return works once the key is back
        if await _SPEND.one_or_none(tx, {"nonce": sealed["nonce"]}) is None:
            return Returned("connected" if row.state is ConnectionState.CONNECTED else "spent", row)
    if row.unreadable is not None:
        return Returned("failed", row, str(row.unreadable))
    if (missing := problem_of_missing(kit, row.settings, "login")) is not None:
        return Returned("failed", row, str(missing))
    return row


async def _name_user(kit: Kit, row: ConnectionRow) -> None:
    """Find out through whom we are connected (R086). Not knowing keeps nobody from working."""
    user: str | None = None
    try:
        vendor = await open_vendor(kit, row)
        try:
            user = await kit.connector.connected_user(vendor)
        finally:
            async with kit.database.transaction() as tx:
                await vendor.flush(tx)
                if user:
                    await kit.connections.apply(tx, row.id, UserNamed(user))
    except Exception as error:
        log.warning("cannot tell who gave the consent", connection=str(row.id), error=repr(error))
