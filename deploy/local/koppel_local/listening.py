"""``koppel listen``: hands the events of a partner to a program under development, as webhooks would.

Events are read by cursor, so nobody has to be reached from outside. Each is signed anew, with a secret that is shown at the
start, so that the program checks signatures as it will have to.
"""

import base64
import contextlib
import json
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx2
import typer
from rich.live import Live
from rich.table import Table
from standardwebhooks import Webhook

from .api import Api, ApiError
from .options import DEFAULT_URL, DEMO_ID, DEMO_PASS, ClientId, ClientSecret, Url
from .printing import out, table_of
from .user_errors import UserError, reported

END = "end"
"""Stands for the last event that there is."""
EVERY_S = 1.0
"""How often Koppel is asked for more."""
RETRY_S = (0.5, 1.0, 2.0)
DEADLINE_S = 15.0
ROWS_SHOWN = 20


def listen(
    program: Annotated[str, typer.Argument(metavar="URL", help="Of your program: http://127.0.0.1:3000/hooks.")],
    event_types: Annotated[
        list[str] | None, typer.Option("--event-type", help="May be repeated. Unset: every one.", show_default=False)
    ] = None,
    after: Annotated[
        str, typer.Option(help="The webhook-id of the last event that you have. Unset: from now on.")
    ] = END,
    secret: Annotated[str, typer.Option(help="Unset: a new one.", show_default=False)] = "",
    firm: Annotated[
        str | None, typer.Option(help="Id of one of the firms that consent to you. Unset: the only one.")
    ] = None,
    url: Url = DEFAULT_URL,
    client_id: ClientId = DEMO_ID,
    client_secret: ClientSecret = DEMO_PASS,
) -> None:
    """Hand your events to a program that you develop, signed, as webhooks would; Ctrl-C ends it."""
    with reported():
        secret = secret or new_secret()
        listener = Listener(Api(url, client_id, client_secret, firm), program, secret, event_types or [])
        place = listener.place_of(after)  # before we say that we listen: nothing that comes then is missed
        out.print(f"Events go to {program}, signed with {secret}", soft_wrap=True)
        show_until_interrupted(listener, place)
    out.print(summary(listener), soft_wrap=True)


@dataclass
class Handed:
    """One event, and what the program said to it."""

    event: dict[str, Any]
    attempts: int = 0
    answer: str = ""
    duration_ms: int = 0
    taken: bool = False
    over: bool = False


class Listener:
    """Hands events to one address, in order, each until it is taken or given up."""

    def __init__(self, api: Api, url: str, secret: str, event_types: Sequence[str]) -> None:
        self._api = api
        self._http = httpx2.Client(timeout=DEADLINE_S, trust_env=False)
        self._url = url
        self._webhook = signing_with(secret)
        self._event_types = list(event_types) or None
        self.handed: deque[Handed] = deque(maxlen=ROWS_SHOWN)
        self.last_id: str | None = None
        """Of the last event that is over: whoever listens again goes on after it."""
        self.taken = self.given_up = 0
        self.notice = ""

    def place_of(self, after: str) -> str:
        """Return where to listen from: ``after`` itself, or for ``end`` the place behind the last event that there is now.

        Raises:
            ApiError: Koppel refuses, or does not answer at all.
        """
        return str(self._page(after)["next"]) if after == END else after

    def run(self, after: str, show: Callable[[Handed | None], None]) -> None:
        """Listen until the process is interrupted; ``show`` is called for each change.

        Args:
            after: a ``webhook-id``, or a place.
            show: takes the event that changed, or None.

        Raises:
            ApiError: Koppel refuses, or does not answer at all to begin with.
        """
        page = self._page(after)
        while True:
            for event in page["items"]:
                self._hand(event, show)
            after = page["next"] or after
            if not page["items"]:
                time.sleep(EVERY_S)
            page = self._page_or_notice(after, show)

    def _page(self, after: str) -> Any:
        return self._api.webhooks.list_events(after=after, event_types=self._event_types)

    def _page_or_notice(self, after: str, show: Callable[[Handed | None], None]) -> Any:
        before = self.notice
        try:
            page = self._page(after)
            self.notice = ""
        except ApiError as error:  # Koppel may be starting again
            page, self.notice = {"items": [], "next": None}, str(error)
        if self.notice != before:
            show(None)
        return page

    def _hand(self, event: dict[str, Any], show: Callable[[Handed | None], None]) -> None:
        handed = Handed(event)
        self.handed.append(handed)
        for wait_s in (*RETRY_S, None):
            self._attempt(handed)
            if handed.taken or wait_s is None:
                break
            show(handed)
            time.sleep(wait_s)
        handed.over = True
        # Who sees how it ended may interrupt at once, and reads in the end what was counted.
        self.last_id = event["id"]
        self.taken += handed.taken
        self.given_up += not handed.taken
        show(handed)

    def _attempt(self, handed: Handed) -> None:
        body = json.dumps(handed.event, separators=(",", ":"), ensure_ascii=False, default=str)
        at = datetime.now(UTC)
        event_id = handed.event["id"]
        headers = {
            "Content-Type": "application/cloudevents+json",
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._webhook.sign(event_id, at, body),
        }
        began = time.monotonic()
        try:
            answer = self._http.post(self._url, content=body.encode(), headers=headers)
            handed.answer, handed.taken = f"HTTP {answer.status_code}", answer.is_success
        except httpx2.HTTPError as error:
            handed.answer = type(error).__name__
        handed.attempts += 1
        handed.duration_ms = int((time.monotonic() - began) * 1000)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._api.close()


def new_secret() -> str:
    """Return a secret as endpoints get one."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"


def signing_with(secret: str) -> Webhook:
    """Return what signs with a secret.

    Raises:
        UserError: it is no secret of Standard Webhooks.
    """
    try:
        if not secret.startswith("whsec_"):
            raise ValueError("another prefix")
        base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        return Webhook(secret)
    except (ValueError, RuntimeError) as error:
        raise UserError("The secret is not whsec_ and base64, as Standard Webhooks has it.") from error


def show_until_interrupted(listener: Listener, after: str) -> None:
    """Listen until Ctrl-C, with a table that lives where there is a terminal, and a line for each attempt elsewhere.

    Raises:
        ApiError: Koppel refuses, or does not answer at all to begin with.
    """
    with contextlib.closing(listener), contextlib.suppress(KeyboardInterrupt):
        if not out.is_terminal:
            listener.run(
                after,
                lambda one: out.print(" ".join(cells(one)) if one else listener.notice or "Koppel answers again."),
            )
        with Live(table_of_handed(listener), console=out, auto_refresh=False) as live:
            listener.run(after, lambda _: live.update(table_of_handed(listener), refresh=True))


def summary(listener: Listener) -> str:
    """Return what became of the events, and how to go on after them."""
    further = f" Go on after them with --after {listener.last_id}" if listener.last_id else ""
    return f"{listener.taken} events were taken, {listener.given_up} given up.{further}"


def table_of_handed(listener: Listener) -> Table:
    """Return the last events with what the program said."""
    table = table_of("time", "event", "subject", "sequence", "attempts", "answer", "ms")
    for one in listener.handed:
        table.add_row(*cells(one))
    table.caption = listener.notice or None
    return table


def cells(one: Handed) -> Iterator[str]:
    """Return what a row says of an event."""
    event = one.event
    state = one.answer if one.taken else f"{one.answer}, given up" if one.over else f"{one.answer}, again soon"
    yield str(event["time"])[:19]
    yield str(event["type"])
    yield str(event["subject"])
    yield str(event["sequence"])
    yield str(one.attempts)
    yield state
    yield str(one.duration_ms)
