"""One attempt: a token where the receiver wants one, the signature, the call."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from koppel_mesh.http.client import NotSent, Unanswered
from koppel_mesh.http.outside_client import OutsideAnswer, OutsideClient
from webhooks.signing import SigningSecret, headers

from .rules import Attempt
from .tokens import Credentials, TokenRefused, Tokens

UNAUTHORIZED = 401
MEDIA_TYPE = "application/cloudevents+json"
ANSWER_SHOWN = 2048


@dataclass(frozen=True)
class Letter:
    """What is sent to whom."""

    event_id: str
    body: str
    url: str
    secrets: Sequence[SigningSecret]
    credentials: Credentials | None


async def attempt(outside: OutsideClient, tokens: Tokens, letter: Letter, owner: UUID, deadline_s: float) -> Attempt:
    """Send one event once; a token that the receiver refuses is renewed once. The deadline is for all of it."""
    began = time.monotonic()

    def left_s() -> float:
        return max(began + deadline_s - time.monotonic(), 0.001)

    def ended(status: int | None, answer: str, named: dict[str, str] | None = None) -> Attempt:
        return Attempt(status, int((time.monotonic() - began) * 1000), answer, named or {})

    try:
        answer, token = None, None
        for _ in range(2):
            if letter.credentials is not None:
                token = await tokens.token(owner, letter.credentials, refused=token, deadline_s=left_s())
            answer = await _post(outside, letter, token, left_s())
            if answer.status != UNAUTHORIZED or token is None:
                break
    except TokenRefused as error:
        return ended(None, f"no token: {error}"[:ANSWER_SHOWN])
    except (NotSent, Unanswered) as error:
        return ended(None, str(error)[:ANSWER_SHOWN])
    assert answer is not None
    return ended(answer.status, readable(answer.body), dict(answer.headers))


async def _post(outside: OutsideClient, letter: Letter, token: str | None, deadline_s: float) -> OutsideAnswer:
    sent = {"Content-Type": MEDIA_TYPE, "User-Agent": "koppel-webhooks/1"}
    sent |= headers(letter.secrets, letter.event_id, datetime.now(UTC), letter.body)
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    return await outside.post(letter.url, letter.body.encode(), sent, deadline_s=deadline_s)


def readable(body: bytes) -> str:
    """Return the beginning of an answer as text that a column can hold."""
    return body[:ANSWER_SHOWN].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
