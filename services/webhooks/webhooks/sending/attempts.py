"""One attempt: a token where the receiver wants one, the signature, the call."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from koppel_mesh.http.client import NotSent, Unanswered
from koppel_mesh.http.outside_client import NotLookedUpNow, OutsideAnswer, OutsideClient
from webhooks.signing import SigningSecret, headers

from .access import AccessUnknown
from .rules import Attempt
from .tokens import TokenRefused, Tokens, Wanted

UNAUTHORIZED = 401
MEDIA_TYPE = "application/cloudevents+json"
ANSWER_SHOWN = 2048
LAST_S = 0.001
"""What is left of a deadline that is over."""
ENOUGH = 0.1
"""Of the deadline: where less is left when a token has come, nothing is sent any more."""
WITHHELD = "this client may not receive this firm's events"


@dataclass(frozen=True)
class Letter:
    """What is sent to whom."""

    event_id: str
    body: str
    url: str
    secrets: Sequence[SigningSecret]
    token: Wanted | None
    verified: bool
    """Whether the endpoint has answered its challenge."""


async def attempt(
    outside: OutsideClient,
    tokens: Tokens,
    letter: Letter,
    *,
    may_send: Callable[[], Awaitable[bool]],
    deadline_s: float,
) -> Attempt:
    """Send one event once; a token that the receiver refuses is renewed once.

    Args:
        outside: calls the receiver.
        tokens: has or fetches the token that the receiver wants.
        letter: what is sent.
        may_send: asks whether the partner may still see the firm: asked again where a token had to be waited for, since the
            first answer may be as old as the wait. Raises ``AccessUnknown``.
        deadline_s: for all of it but ``may_send``: that identity is slow is no failure of the receiver.
    """
    began = time.monotonic()

    def left_s() -> float:
        return max(began + deadline_s - time.monotonic(), LAST_S)

    def ended(status: int | None, answer: str, named: dict[str, str] | None = None) -> Attempt:
        return Attempt(status, int((time.monotonic() - began) * 1000), answer, named or {})

    try:
        answer, token = None, None
        for _ in range(2):
            if letter.token is not None:
                token = tokens.kept(letter.token, refused=token)
                if token is None:
                    token = await tokens.fetched(letter.token, deadline_s=left_s(), verified=letter.verified)
                    if left_s() < ENOUGH * deadline_s:
                        return ended(None, "no token: it came too late for anything to be sent")
                    asked = time.monotonic()
                    if not await may_send():
                        return Attempt(None, 0, WITHHELD, {}, withheld=True)
                    began += time.monotonic() - asked
            answer = await _post(outside, letter, token, left_s())
            if answer.status != UNAUTHORIZED or token is None:
                break
    except (AccessUnknown, NotLookedUpNow):
        return Attempt(None, 0, "", {}, postponed=True)
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
    content = letter.body.encode()
    return await outside.post(letter.url, content, sent, deadline_s=deadline_s, verified=letter.verified)


def readable(body: bytes) -> str:
    """Return the beginning of an answer as text that a column can hold."""
    return body[:ANSWER_SHOWN].decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
