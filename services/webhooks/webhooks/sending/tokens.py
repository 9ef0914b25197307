"""Bearer tokens that receivers want: fetched with client credentials, kept for a while, shown to their receiver alone."""

import asyncio
import base64
import json
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote_plus, urlencode
from uuid import UUID

from koppel_mesh.http.client import NotSent, Unanswered
from koppel_mesh.http.outside_client import NotLookedUpNow, OutsideClient
from koppel_mesh.keyring import KeyRing

KEPT_MAX_S = 3600.0
RENEWED_BEFORE_S = 60.0
LIFETIME_S = 300.0
"""Of a token whose server does not say how long it lives (RFC 6749 §5.1 leaves that open)."""
ANSWER_MAX_BYTES = 64_000
TOKEN_MAX_LENGTH = 16_000
HELD_MAX = 1000


class TokenRefused(Exception):
    """The authorisation server gave no token; its text may be shown to the partner."""


@dataclass(frozen=True)
class Credentials:
    """With what, and where, a token is fetched."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str | None
    audience: str | None
    client_auth: str

    @classmethod
    def opened(
        cls, ring: KeyRing, endpoint_id: UUID, auth: dict[str, Any], sealed: bytes, key_id: str | None
    ) -> "Credentials":
        """Return the credentials of an endpoint's row.

        Raises:
            WrongKeyError: the secret is under a secret key that is not in the ring, or is damaged.
        """
        secret = ring.open(endpoint_id, sealed, key_id)["client_secret"]
        return cls(auth["token_url"], auth["client_id"], secret, auth["scope"], auth["audience"], auth["client_auth"])


@dataclass(frozen=True)
class Wanted:
    """A token for an endpoint, as the receiver at its present address wants it."""

    endpoint_id: UUID
    origin: str
    """Scheme, host and port of its address: a token that another receiver was shown is not shown to this one."""
    credentials: Credentials
    """With which it is fetched."""


@dataclass
class _Held:
    token: str = ""
    renew_at: float = 0.0
    fetching: asyncio.Task[None] | None = None
    """The fetch that is under way."""


class Tokens:
    """The tokens that one process holds, by receiver and credentials: others never get a token of these."""

    def __init__(self, outside: OutsideClient, *, deadline_s: float) -> None:
        """Take the deadline of one fetch, whatever those have left who wait for it: others may join them."""
        self._outside = outside
        self._deadline_s = deadline_s
        self._held: OrderedDict[Wanted, _Held] = OrderedDict()

    def kept(self, wanted: Wanted, *, refused: str | None = None) -> str | None:
        """Return the token that is held; None where one has to be fetched.

        Args:
            wanted: for whom.
            refused: a token that the receiver answered 401 to: it is not returned again.
        """
        held = self._of(wanted)
        return None if time.monotonic() >= held.renew_at or held.token == refused else held.token

    async def fetched(self, wanted: Wanted, *, deadline_s: float, verified: bool) -> str:
        """Return a token that was fetched now. Callers at once wait for one fetch, and share its failure.

        Args:
            wanted: for whom.
            deadline_s: for the caller's whole wait, whoever began the fetch.
            verified: whether the receiver has shown that it wants to be called.

        Raises:
            NotLookedUpNow: the name of its server cannot be looked up now.
            TokenRefused: there is none, or none in time.
        """
        held = self._of(wanted)
        if held.fetching is None:
            held.fetching = asyncio.create_task(self._renew(held, wanted.credentials, verified))
            held.fetching.add_done_callback(partial(_ended, held))
        try:
            async with asyncio.timeout(deadline_s):
                # Whoever leaves takes the token from nobody.
                await asyncio.shield(held.fetching)
        except TimeoutError as error:
            raise TokenRefused(f"the authorisation server: no complete answer within {deadline_s:.2g} s") from error
        return held.token

    def _of(self, wanted: Wanted) -> _Held:
        held = self._held.setdefault(wanted, _Held())
        self._held.move_to_end(wanted)
        while len(self._held) > HELD_MAX:
            self._held.popitem(last=False)
        return held

    async def _renew(self, held: _Held, credentials: Credentials, verified: bool) -> None:
        held.token, lifetime_s = await self._fetch(credentials, verified)
        early_s = min(lifetime_s * 0.1, RENEWED_BEFORE_S)
        held.renew_at = time.monotonic() + min(lifetime_s - early_s, KEPT_MAX_S)

    async def _fetch(self, credentials: Credentials, verified: bool) -> tuple[str, float]:
        form = {"grant_type": "client_credentials"}
        form |= {name: value for name in ("scope", "audience") if (value := getattr(credentials, name))}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if credentials.client_auth == "post":
            form |= {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
        else:
            # Both are form-encoded before they are joined (RFC 6749 §2.3.1).
            pair = f"{quote_plus(credentials.client_id)}:{quote_plus(credentials.client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        try:
            answer = await self._outside.post(
                credentials.token_url,
                urlencode(form).encode(),
                headers,
                deadline_s=self._deadline_s,
                answer_max_bytes=ANSWER_MAX_BYTES,
                verified=verified,
            )
        except NotLookedUpNow:
            raise
        except (NotSent, Unanswered) as error:
            raise TokenRefused(f"the authorisation server: {error}") from error
        if answer.status != 200:
            raise TokenRefused(f"the authorisation server answered HTTP {answer.status}{_error_of(answer.body)}")
        return _token_of(answer.body)


def _ended(held: _Held, task: asyncio.Task[None]) -> None:
    held.fetching = None
    if not task.cancelled():
        task.exception()  # whoever waited may have left: then nobody else reads it


def _error_of(body: bytes) -> str:
    """Return the error code of RFC 6749 §5.2; the rest of the answer may hold anything and is not repeated."""
    try:
        code = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return f" ({code})" if isinstance(code, str) and code.isascii() and code.isprintable() and len(code) <= 60 else ""


def _token_of(body: bytes) -> tuple[str, float]:
    try:
        answer = json.loads(body)
        token, kind = answer["access_token"], answer.get("token_type", "Bearer")
        lifetime_s = float(answer.get("expires_in") or LIFETIME_S)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise TokenRefused("the authorisation server answered without a token") from error
    readable = isinstance(token, str) and 0 < len(token) <= TOKEN_MAX_LENGTH and token.isascii() and token.isprintable()
    if not readable or " " in token or str(kind).lower() != "bearer":
        raise TokenRefused("the authorisation server answered without a bearer token")
    return token, max(lifetime_s, 1.0)
