"""One caller of one Koppel: its token, and what becomes of a call. The calls themselves are generated."""

import json
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Self

import httpx2

from .generated.services import Services

TIMEOUT_S = 30.0
WAIT_MAX_S = 60.0
"""As long as a window of the limit of requests lasts."""


class KoppelError(Exception):
    """A call did not end well; the message is for a person."""


class NoAnswerError(KoppelError):
    """Nothing answers, or not in time. Whether a call had its effect is not known: repeat it with its idempotency key."""


class RefusedError(KoppelError):
    """Koppel refused a call."""

    def __init__(self, answer: httpx2.Response, before: str = "") -> None:
        self.status = answer.status_code
        self.problem = _object(answer)
        """The problem (RFC 9457), or the error of OAuth; empty where the answer is neither."""
        super().__init__(before + _sentence(self.status, self.problem))

    @property
    def code(self) -> str:
        """The stable code, such as ``document_locked``."""
        return str(self.problem.get("code") or self.problem.get("error") or "")


class Koppel(Services):
    """Every service, by its name: ``koppel.dossier_api.list_documents()``.

    A token is fetched at the first call, and anew where it has ended; where the limit of requests is reached the call waits.
    A partner that several firms consent to names one of them: a token speaks for one firm.

    Args:
        url: where Koppel answers. Inside a cluster it may hold ``{service}``, such as ``http://{service}``.
        client_id: who calls.
        client_secret: its secret.
        firm_id: the firm that a partner speaks for.
        issuer: the OpenID provider that gives the tokens, where that is not Koppel's identity.
        timeout_s: for one answer.
        wait_max_s: so long a call waits where the limit of requests is reached.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        firm_id: str | None = None,
        issuer: str | None = None,
        timeout_s: float = TIMEOUT_S,
        wait_max_s: float = WAIT_MAX_S,
    ) -> None:
        self._url = url.rstrip("/")
        self._issuer = issuer.rstrip("/") if issuer else None
        self._http = httpx2.Client(timeout=timeout_s, trust_env=False)
        self._credentials = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        } | ({"firm_id": firm_id} if firm_id else {})
        self._wait_max_s = wait_max_s
        self._authorization: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def authorization(self) -> str:
        """The header that shows the token."""
        if self._authorization is None:
            self.sign_in()
        return str(self._authorization)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def sign_in(self) -> None:
        """Fetch a token.

        Raises:
            KoppelError: it is refused, or nothing answers.
        """
        answer = self._sent("POST", self._token_endpoint(), {"data": self._credentials})
        if answer.status_code != 200:
            raise RefusedError(answer, f"Koppel gave no token to client {self._credentials['client_id']}: ")
        self._authorization = f"Bearer {answer.json()['access_token']}"

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        media_type: str | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Make a call; return its JSON with decimals, its bytes where it is no JSON, None without a body.

        Args:
            method: of HTTP.
            path: under Koppel's address.
            query: what is None is left out.
            body: bytes as they are, or what becomes JSON.
            media_type: of a body that is bytes.
            idempotency_key: the same key with the same body has one effect.

        Raises:
            RefusedError: it was refused.
            NoAnswerError: nothing answers.
        """
        answer = self._answer(method, path, _arguments(query, body, media_type, idempotency_key))
        if answer.status_code >= 400:
            raise RefusedError(answer)
        if not answer.content:
            return None
        is_json = answer.headers.get("content-type", "").partition(";")[0].endswith("json")
        return json.loads(answer.content, parse_float=Decimal) if is_json else answer.content

    def items(self, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
        """Yield every item of a list, page by page."""
        after: dict[str, str] = {}
        while True:
            page = self.call("GET", path, query={"limit": 200, **query, **after})
            yield from page["items"]
            if page["next"] is None:
                return
            after = {"after": page["next"]}

    def _answer(self, method: str, path: str, arguments: dict[str, Any]) -> httpx2.Response:
        waited_s = 0.0
        is_fresh = self._authorization is None
        if is_fresh:
            self.sign_in()
        while True:
            headers = {**arguments.get("headers", {}), "Authorization": self._authorization}
            answer = self._sent(method, self.address_of(path), {**arguments, "headers": headers})
            if answer.status_code == 401 and not is_fresh:
                self.sign_in()
                is_fresh = True
            elif answer.status_code == 429 and (wait_s := _retry_after_s(answer)) + waited_s <= self._wait_max_s:
                time.sleep(wait_s)
                waited_s += wait_s
            else:
                return answer

    def _token_endpoint(self) -> str:
        """Return where tokens are given; a provider says it itself (OpenID Connect Discovery 1.0, section 4)."""
        if self._issuer is None:
            return self.address_of("/identity/oauth/token")
        answer = self._sent("GET", f"{self._issuer}/.well-known/openid-configuration", {})
        if answer.status_code != 200 or not (endpoint := _object(answer).get("token_endpoint")):
            raise RefusedError(answer, f"{self._issuer} does not say where it gives tokens: ")
        return str(endpoint)

    def address_of(self, path: str) -> str:
        """Return the whole address of a path, whose first segment names the service."""
        return self._url.replace("{service}", path.split("/")[1]) + path

    def _sent(self, method: str, address: str, arguments: Mapping[str, Any]) -> httpx2.Response:
        try:
            return self._http.request(method, address, **arguments)
        except httpx2.HTTPError as error:
            what = str(error) or type(error).__name__
            raise NoAnswerError(f"Nothing answers at {address}: {what}") from error


def _arguments(
    query: Mapping[str, Any] | None, body: Any, media_type: str | None, idempotency_key: str | None
) -> dict[str, Any]:
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key is not None else {}
    arguments: dict[str, Any] = {"params": {name: value for name, value in (query or {}).items() if value is not None}}
    if isinstance(body, bytes):
        arguments["content"] = body
        headers |= {"Content-Type": media_type or "application/octet-stream"}
    elif body is not None:
        arguments["content"] = json.dumps(body, default=str).encode()
        headers |= {"Content-Type": "application/json"}
    return {**arguments, "headers": headers}


def _retry_after_s(answer: httpx2.Response) -> float:
    given = answer.headers.get("retry-after", "")
    return max(float(given), 0.1) if given.isascii() and given.isdigit() else 1.0


def _object(answer: httpx2.Response) -> dict[str, Any]:
    """Return the object that an answer is; nothing of what is none."""
    try:
        problem = json.loads(answer.content, parse_float=Decimal)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _sentence(status: int, problem: Mapping[str, Any]) -> str:
    errors = "; ".join(
        _wrong(each) for each in problem.get("errors") or [] if each.get("message") != problem.get("detail")
    )
    parts = [problem.get("title") or problem.get("error_description") or problem.get("error"), problem.get("detail")]
    return " ".join(str(part) for part in [*parts, errors and f"({errors})"] if part) or f"status {status}"


def _wrong(error: Mapping[str, Any]) -> str:
    field = str(error.get("field") or "").removeprefix("body.")
    return ": ".join(part for part in (field, str(error.get("message", ""))) if part)
