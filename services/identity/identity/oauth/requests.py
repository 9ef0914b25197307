"""A form as an OAuth request: who shows itself in it, and what is malformed whoever sends it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request

_URL = "https://identity/oauth"
"""Authlib insists on TLS, which in a cluster ends before this service; nothing else is decided by the address."""
Form = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """The answer of an endpoint."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


def invalid_request(described: str) -> Answer:
    """Return the answer to what is malformed (RFC 6749 §5.2)."""
    return Answer(400, {"error": "invalid_request", "error_description": described}, {})


def client_id_of(form: Form, authorization: str | None) -> str | None:
    """Return the client id a request shows, in Basic credentials or in its form."""
    kind, _, encoded = (authorization or "").partition(" ")
    if kind.lower() == "basic":
        try:
            return unquote(base64.b64decode(encoded, validate=True).decode().partition(":")[0]) or None
        except ValueError:
            return None
    return form.get("client_id")


def firm_id_of(form: Form) -> UUID | None:
    """Return the firm that a request names, as far as ``refusal`` has nothing to say of it; None when it names none."""
    return UUID(form["firm_id"]) if form.get("firm_id") else None


def refusal(form: Form, authorization: str | None, needed: str) -> Answer | None:
    """Return the answer to what is malformed, and Authlib passes over; None when nothing is.

    Args:
        form: the parameters.
        authorization: the header.
        needed: the parameter that the endpoint cannot do without.
    """
    by_basic = (authorization or "").partition(" ")[0].lower() == "basic"
    names_another = bool(form.get("client_id")) and form["client_id"] != client_id_of(form, authorization)
    if not form.get(needed):
        return invalid_request(f"{needed} is missing.")
    if by_basic and (form.get("client_secret") or names_another):
        # One way in each request (RFC 6749 §2.3); a parameter without a value counts as left out (RFC 6749 §3.2).
        return invalid_request("The client shows itself in two ways.")
    try:
        firm_id_of(form)
    except ValueError:
        return invalid_request("firm_id is not an id.")
    return None


class FormRequest(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib reads it."""

    def __init__(self, form: Form, headers: Mapping[str, str]) -> None:
        # Authlib raises on Basic credentials that are not base64 of UTF-8; without them it answers invalid_client.
        readable = client_id_of(form, headers.get("authorization")) is not None
        sent = {_title(name): value for name, value in headers.items() if readable or name.lower() != "authorization"}
        super().__init__("POST", _URL, headers=sent)
        self.payload = _Payload(dict(form))
        self._form_data = dict(form)

    @property
    def form(self) -> dict[str, str]:
        """Return the parameters."""
        return self._form_data

    @property
    def args(self) -> dict[str, str]:
        """Return the query, of which nothing is read."""
        return {}


class _Payload(OAuth2Payload):  # type: ignore[misc]
    def __init__(self, form: dict[str, str]) -> None:
        self._form = form

    @property
    def data(self) -> dict[str, str]:
        return self._form

    @property
    def datalist(self) -> dict[str, list[str]]:
        return {name: [value] for name, value in self._form.items()}


def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
