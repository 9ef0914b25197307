"""Koppel over HTTP, as the command line needs it: a token, calls that explain refusals, lists read to their end."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2

from .user_errors import UserError

TIMEOUT_S = 30.0


class ApiError(UserError):
    """Koppel refused, or could not be reached; the message is for a person."""


class Api:
    """One caller of one Koppel."""

    def __init__(self, url: str, client_id: str, client_secret: str) -> None:
        self._http = httpx2.Client(base_url=url.rstrip("/"), timeout=TIMEOUT_S, trust_env=False)
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self._credentials = form
        self._sign_in()

    @property
    def authorization(self) -> str:
        """The header that shows the token."""
        return str(self._http.headers["Authorization"])

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """Make one call and return its JSON, None when there is no body.

        Raises:
            ApiError: it was refused, or nothing answered.
        """
        answer = self._request(method, path, **arguments)
        if answer.status_code == 401:  # an hour-long replay outlives its token
            self._sign_in()
            answer = self._request(method, path, **arguments)
        if answer.status_code >= 400:
            raise ApiError(_sentence(answer))
        return json.loads(answer.content, parse_float=Decimal) if answer.content else None

    def items(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield every item of a list, page by page."""
        after: dict[str, str] = {}
        while True:
            page = self.call("GET", path, params={"limit": 200, **params, **after})
            yield from page["items"]
            if page["next"] is None:
                return
            after = {"after": page["next"]}

    def status_of(self, path: str) -> int | None:
        """Return the HTTP status of a page, None when nothing answers."""
        try:
            return self._http.get(path).status_code
        except httpx2.HTTPError:
            return None

    def _sign_in(self) -> None:
        answer = self._request("POST", "/identity/oauth/token", data=self._credentials)
        if answer.status_code != 200:
            raise ApiError(f"Koppel gave no token to client {self._credentials['client_id']}: {_sentence(answer)}")
        self._http.headers["Authorization"] = (
            f"Bearer {json.loads(answer.content, parse_float=Decimal)['access_token']}"
        )

    def _request(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        try:
            return self._http.request(method, path, **arguments)
        except httpx2.HTTPError as error:
            raise ApiError(
                f"Koppel does not answer at {self._http.base_url}: {str(error) or type(error).__name__}"
            ) from error


def _sentence(answer: httpx2.Response) -> str:
    try:
        problem = json.loads(answer.content, parse_float=Decimal)
    except ValueError:
        return f"status {answer.status_code}"
    if not isinstance(problem, dict):
        return f"status {answer.status_code}"
    errors = "; ".join(str(each.get("message", "")) for each in problem.get("errors") or [])
    parts = [problem.get("title") or problem.get("error_description") or problem.get("error"), problem.get("detail")]
    return " ".join(str(part) for part in [*parts, errors and f"({errors})"] if part) or f"status {answer.status_code}"
