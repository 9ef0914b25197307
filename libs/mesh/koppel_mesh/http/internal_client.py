"""Calls from one of our services to another, with the services' own token."""

import asyncio
import json
import time
from typing import Any

from koppel_mesh.settings import MeshSettings

from .client import HttpClient, NotSent, Response, Unanswered

DEADLINE_S = 15.0
TOKEN_DEADLINE_S = 8.0
RENEW_BEFORE_S = 60.0


class InternalCallError(Exception):
    """Another service refused, or could not be reached.

    ``status`` is None when it could not be reached; ``code`` is the problem's.
    """

    def __init__(self, status: int | None, code: str, detail: str = "") -> None:
        super().__init__(f"{status or 'no answer'} {code} {detail}".strip())
        self.status = status
        self.code = code
        self.detail = detail

    @property
    def is_transient(self) -> bool:
        """Whether the same call may well succeed later."""
        return self.status is None or self.status >= 500 or self.status == 429


class InternalClient:
    """Reaches other services at their addresses inside. Paths begin with the service's name."""

    def __init__(self, settings: MeshSettings, http: HttpClient) -> None:
        self._settings = settings
        self._http = http
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_at = 0.0
        self._token_url: str | None = None
        self.called: set[str] = set()
        """The services it was asked to reach, by name."""

    async def request(self, method: str, path: str, *, deadline_s: float = DEADLINE_S, **arguments: Any) -> Response:
        """Make one call and return its answer if it is a success (a 304 counts as one).

        Raises:
            InternalCallError: it is not, or there was none.
        """
        service = path.lstrip("/").partition("/")[0]
        self.called.add(service)
        url = f"{self._settings.address_of(service)}{path}"
        for retry in (True, False):
            token = await self._bearer()
            headers = {**arguments.pop("headers", {}), "Authorization": f"Bearer {token}"}
            try:
                response = await self._http.request(method, url, deadline_s=deadline_s, headers=headers, **arguments)
            except (NotSent, Unanswered) as error:
                raise InternalCallError(None, "no_answer", str(error)) from error
            if response.status == 401 and retry:
                if token == self._token:  # else another call has fetched a new one since
                    self._renew_at = 0.0
                arguments["headers"] = headers
                continue
            if response.status < 300 or response.status == 304:
                return response
            raise _refusal(response)
        raise AssertionError("unreachable")

    async def get_json(self, path: str, **arguments: Any) -> Any:
        """Return the JSON another service answers; raises ``InternalCallError``."""
        return json.loads((await self.request("GET", path, **arguments)).content)

    async def get_bytes(self, path: str, **arguments: Any) -> bytes:
        """Return the bytes another service answers; raises ``InternalCallError``."""
        return (await self.request("GET", path, **arguments)).content

    async def put_json(self, path: str, body: Any, **arguments: Any) -> Any:
        """Put JSON and return the JSON of the answer, None when it has no body; raises ``InternalCallError``."""
        response = await self.request("PUT", path, json=body, **arguments)
        return json.loads(response.content) if response.content else None

    async def post_json(self, path: str, body: Any = None, **arguments: Any) -> Any:
        """Post JSON and return the JSON of the answer, None when it has no body; raises ``InternalCallError``."""
        response = await self.request("POST", path, json=body, **arguments)
        return json.loads(response.content) if response.content else None

    async def _bearer(self) -> str:
        if time.monotonic() < self._renew_at:
            return self._token
        async with self._lock:
            if time.monotonic() >= self._renew_at:
                await self._renew()
        return self._token

    async def _renew(self) -> None:
        settings = self._settings
        secret = settings.service_client_secret
        if secret is None:
            raise InternalCallError(None, "no_service_credentials", "KOPPEL_SERVICE_CLIENT_SECRET is not set")
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.service_client_id,
            "client_secret": secret.get_secret_value(),
        }
        try:
            if self._token_url is None:
                metadata = await self._http.request("GET", settings.metadata_url, deadline_s=TOKEN_DEADLINE_S)
                self._token_url = _inside(str(json.loads(metadata.content)["token_endpoint"]), settings)
            response = await self._http.request("POST", self._token_url, deadline_s=TOKEN_DEADLINE_S, data=form)
            answer = json.loads(response.content)
            self._token = str(answer["access_token"])
            self._renew_at = time.monotonic() + max(int(answer["expires_in"]) - RENEW_BEFORE_S, 1.0)
        except (NotSent, Unanswered, ValueError, KeyError, TypeError) as error:
            raise InternalCallError(None, "no_service_token", str(error)) from error


def _inside(url: str, settings: MeshSettings) -> str:
    # Our own identity names its public address; inside the mesh it is reached without leaving.
    inside = settings.address_of("identity")
    return url.replace(settings.public_url, inside, 1) if url.startswith(settings.public_url) else url


def _refusal(response: Response) -> InternalCallError:
    try:
        problem = json.loads(response.content)
        return InternalCallError(
            response.status, str(problem["code"]), str(problem.get("detail") or problem.get("title") or "")
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return InternalCallError(response.status, "refused", response.text[:200])
