"""The paper vendor as an office has it: one login for many dossiers, and a session of one dossier on top of it."""

import asyncio
import base64
import hashlib
import secrets
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from koppel_connector.testing import Request

from .paper_vendor import PaperVendor

LOGIN_SERVER = "/login-server"


class OfficeVendor(PaperVendor):
    """Answers 400 and an error code, never 401, to a session that is over."""

    def __init__(self) -> None:
        super().__init__()
        self.refused_logins = 0
        self.dossier_sessions: dict[str, float] = {}
        self.dossier_valid_s = 600.0
        self.opened: list[str] = []
        self.carried: list[tuple[str, bool, bool]] = []
        """Path, whether the login's header came, whether the dossier's did."""
        self.challenges: dict[str, str] = {}
        self.token_forms: list[dict[str, str]] = []
        self.needs_dossier = True

    async def answer(self, writer: asyncio.StreamWriter, request: Request) -> bool:
        path = urlsplit(request.target).path
        if path.startswith(LOGIN_SERVER):  # an address of its own, as a host of its own would be
            return await super().answer(writer, request._replace(target=request.target.removeprefix(LOGIN_SERVER)))
        given = request.headers.get("token", "")
        if self.authentication.get(given, 0) < time.monotonic():
            return await self._over(writer, path, "login")
        if path == "/dossiers":
            session = f"dossier-{secrets.token_urlsafe(24)}"
            self.opened.append(session)
            self.dossier_sessions[session] = time.monotonic() + self.dossier_valid_s
            return await self._say(writer, 200, {"session": session})
        in_dossier = request.headers.get("dossier-token", "")
        self.carried.append((path, True, bool(in_dossier)))
        if path != "/me" and self.needs_dossier and self.dossier_sessions.get(in_dossier, 0) < time.monotonic():
            return await self._over(writer, path, "dossier")
        headers = {**request.headers, "authorization": f"Bearer {given}"}
        return await super().answer(writer, request._replace(headers=headers))

    async def _over(self, writer: asyncio.StreamWriter, path: str, what: str) -> bool:
        self.seen.append(("OVER", what))
        return await self._say(writer, 400, {"error": f"{what} session is over"})

    async def allow(self, address: str) -> dict[str, str]:
        """Give the consent; the code is bound to the challenge."""
        asked = parse_qs(urlsplit(address).query)
        returned = await super().allow(address)
        self.challenges[returned["code"]] = asked["code_challenge"][0]
        assert asked["code_challenge_method"] == ["S256"]
        return returned

    def _log_in(self, given: dict[str, str]) -> tuple[int, Any]:
        status, body = super()._log_in(given)
        self.refused_logins += status == 401
        return status, body

    def _token(self, form: dict[str, str]) -> tuple[int, Any]:
        self.token_forms.append(form)
        if form["grant_type"] == "authorization_code":
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != self.challenges.get(form["code"]):
                return 400, {"error": "invalid_grant"}
        return super()._token(form)
