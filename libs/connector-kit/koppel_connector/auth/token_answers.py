"""What a token endpoint's answer means. Pure: bytes in, meaning out; the vendor's table is data in its profile."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from koppel_connector.contract import OAuthProfile, TokenMeaning


@dataclass(frozen=True)
class TokenAnswer:
    """A token endpoint's answer, read."""

    status: int
    access_token: str | None
    refresh_token: str | None
    expires_in_s: float | None
    meaning: TokenMeaning | None
    """None for a success."""
    description: str = ""


def read_token_answer(profile: OAuthProfile, status: int, headers: Mapping[str, str], content: bytes) -> TokenAnswer:
    """Read an answer. Whatever carries a ``refresh_token`` has it returned, whatever the status says."""
    body = _object(content)
    error, description = str(body.get("error") or ""), str(body.get("error_description") or "")
    access_token, refresh_token = _text(body.get("access_token")), _text(body.get("refresh_token"))
    spoken = f"{description} {headers.get('reason', '')}".strip()
    succeeded = 200 <= status < 300 and access_token is not None
    return TokenAnswer(
        status=status,
        access_token=access_token,
        refresh_token=refresh_token,
        expires_in_s=_seconds(body.get("expires_in")),
        meaning=None if succeeded else _meaning(profile, status, error, spoken),
        description=f"{error}: {spoken}".strip(": ") or f"HTTP {status}",
    )


def _meaning(profile: OAuthProfile, status: int, error: str, spoken: str) -> TokenMeaning:
    for line in profile.errors:
        if line.status is not None and line.status != status:
            continue
        if line.error is not None and line.error != error:
            continue
        if line.description is not None and line.description.lower() not in spoken.lower():
            continue
        return line.meaning
    if error == "invalid_grant":
        return "revoked"
    if error in ("invalid_client", "unauthorized_client", "unsupported_grant_type"):
        return "misconfigured"
    return "transient"


def _object(content: bytes) -> dict[str, object]:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _seconds(value: object) -> float | None:
    # Exact writes the number as a JSON string ("600").
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    return seconds if 0 < seconds < 10**9 else None
