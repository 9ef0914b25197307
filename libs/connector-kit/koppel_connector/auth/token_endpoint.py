"""Calls to a vendor's token endpoint: logged like every other call; of the answer only its error is kept, secrets masked."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import UUID

import structlog

from koppel_connector.calls import attempts
from koppel_connector.calls.attempts import Budget, Ending, NewAttempt, Opened, Outcome
from koppel_connector.calls.redaction import clean
from koppel_connector.connection.store import ConnectionRow, ConnectionStore
from koppel_connector.contract import Application, OAuthProfile
from koppel_mesh.database import Database, DatabaseAwayError
from koppel_mesh.http.client import HttpClient, NotSent, Unanswered

from .token_answers import TokenAnswer, read_token_answer

TOKEN_DEADLINE_S = 6.0
LOG_PATIENCE_S = 2.5
"""For each of the three uses of the database around a call. With the call they fit in the 15 s that a session may idle: it is
inside the transaction that holds the token's row, and another process spends the same pair when that lock is gone (P4)."""
DESCRIPTION_CHARS = 300
log = structlog.get_logger(__name__)
_NO_BUDGET = Budget(scope="token")


class TokenEndpoint:
    """Makes refreshes and code exchanges."""

    def __init__(
        self,
        profile: OAuthProfile,
        application: Callable[[Any], Application],
        redirect_uri: str,
        database: Database,
        http: HttpClient,
        connections: ConnectionStore,
    ) -> None:
        self._profile = profile
        self._application = application
        self._redirect_uri = redirect_uri
        self._database = database
        self._http = http
        self._connections = connections

    async def refresh(self, connection_id: UUID, form: dict[str, str]) -> TokenAnswer:
        """Ask for a new pair."""
        async with _promptly(), self._database.reading() as reading:
            row = await self._connections.read(reading, connection_id)
        if row is None:
            raise NotSent("the connection is gone")
        return await self.post(row, form, "refresh")

    async def exchange(self, row: ConnectionRow, code: str, code_verifier: str = "") -> TokenAnswer:
        """Turn the code of a fresh consent into the first pair; with the secret it is bound to, where the vendor has PKCE."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect_uri}
        if code_verifier:
            form["code_verifier"] = code_verifier
        return await self.post(row, form, "exchange")

    async def post(self, row: ConnectionRow, form: dict[str, str], operation: str) -> TokenAnswer:
        """Make one call.

        Raises:
            NotSent: the vendor cannot have acted.
            Unanswered: it may have.
        """
        profile, application = self._profile, self._application(row.settings)
        given = [form[name] for name in ("code", "code_verifier", "refresh_token") if name in form]
        secrets = [*row.secrets, *given, application.client_secret.get_secret_value()]
        opened = await self._opened(row, operation)
        started = time.monotonic()
        outcome: Outcome = "unknown"
        status: int | None = None
        message: str | None = None
        try:
            response = await self._http.request(
                "POST",
                application.base_of(profile.server) + profile.token_path,
                deadline_s=TOKEN_DEADLINE_S,
                fresh_connection=True,
                data=_with_client(form, application, profile),
                headers=_client_header(application, profile),
            )
            headers = {name.lower(): value for name, value in response.headers.items()}
            answer = read_token_answer(profile, response.status, headers, response.content)
            tokens = [token for token in (answer.access_token, answer.refresh_token) if token]
            answer = replace(answer, description=clean(answer.description, [*secrets, *tokens])[:DESCRIPTION_CHARS])
            status, outcome = response.status, "ok" if answer.meaning is None else "refused"
            message = None if answer.meaning is None else answer.description
            return answer
        except NotSent as error:
            outcome, message = "not_sent", clean(str(error), secrets)
            raise NotSent(message) from error
        except Unanswered as error:
            message = clean(error.reason, secrets)
            raise Unanswered(message, error.status) from error
        finally:
            duration_ms = int((time.monotonic() - started) * 1000)
            await self._note(Ending(opened.id, outcome, duration_ms, status, None, message))

    async def _opened(self, row: ConnectionRow, operation: str) -> Opened:
        attempt = NewAttempt(
            connection_id=row.id,
            phase="token",
            operation=operation,
            endpoint="token",
            acts=True,
            deadline_s=TOKEN_DEADLINE_S,
            request=None,
        )
        async with _promptly(), self._database.transaction() as tx:
            opened = await attempts.open_attempt(tx, attempt, _NO_BUDGET)
        assert isinstance(opened, Opened)
        return opened

    async def _note(self, ending: Ending) -> None:
        """Note how the call ended. Where that fails the sweeper ends the line: the answer in hand must never be lost for it."""
        try:
            async with _promptly(), self._database.transaction() as tx:
                await attempts.note(tx, ending)
        except Exception as error:
            log.warning("the end of a token call could not be logged", attempt=ending.attempt_id, error=repr(error))


@asynccontextmanager
async def _promptly() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(LOG_PATIENCE_S):
            yield
    except TimeoutError as error:
        raise DatabaseAwayError(f"not within {LOG_PATIENCE_S} s") from error


def _with_client(form: dict[str, str], application: Application, profile: OAuthProfile) -> dict[str, str]:
    if profile.client_auth == "basic":
        return form
    if profile.client_auth == "public":
        return {**form, "client_id": application.client_id}
    secret = application.client_secret.get_secret_value()
    return {**form, "client_id": application.client_id, "client_secret": secret}


def _client_header(application: Application, profile: OAuthProfile) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if profile.client_auth == "basic":
        # RFC 6749 §2.3.1: both halves are form-encoded first.
        pair = f"{quote(application.client_id, '')}:{quote(application.client_secret.get_secret_value(), '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers
