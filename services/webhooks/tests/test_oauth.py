"""Receivers that want a bearer token: fetched once, renewed once on 401, shown to nobody else, and refused plainly."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from koppel_mesh.ids import new_id
from webhooks.sending import access, attempts
from webhooks.sending.tokens import Credentials, TokenRefused, Tokens, Wanted

from .receiver import Received, Receiver, answers, hangs, in_turn, response

ENDPOINT: UUID = new_id()
pytestmark = pytest.mark.asyncio(loop_scope="module")


class Guarded(Receiver):
    """A receiver behind its own authorisation server, both at one address: ``/token`` and ``/hooks``."""

    def __init__(self) -> None:
        super().__init__()
        self.valid: set[str] = set()
        self.given = 0
        self.token_answer: Any = None
        self.expires_in: Any = 3600
        self.behaviour = self._serve_guarded

    async def _serve_guarded(self, _: Receiver, request: Received, writer: asyncio.StreamWriter) -> None:
        if request.path == "/token":
            if self.token_answer is not None:
                await self.token_answer(self, request, writer)
                return
            self.given += 1
            token = f"t{self.given}"
            self.valid = {token}
            body = {"access_token": token, "token_type": "bearer", "expires_in": self.expires_in}
            writer.write(response(200, json.dumps(body).encode()))
        elif request.headers.get("authorization", "").removeprefix("Bearer ") in self.valid:
            writer.write(response(200))
        else:
            writer.write(response(401))

    @property
    def auth(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.port}/token"
        return {
            "kind": "oauth2",
            "token_url": url,
            "client_id": "kop:pel",
            "client_secret": "s3/cret",
            "scope": "hooks",
        }

    @property
    def token_requests(self) -> list[Received]:
        return [one for one in self.all if one.path == "/token"]


@pytest_asyncio.fixture(loop_scope="module")
async def started() -> AsyncIterator[list[Receiver]]:
    """Stop at the end of the test what it started."""
    made: list[Receiver] = []
    yield made
    for one in made:
        await one.stop()


async def start(receivers: list[Receiver]) -> Guarded:
    made = Guarded()
    await made.start()
    receivers.append(made)
    return made


async def test_one_token_serves_many_events(hooks: Any, started: list[Receiver]) -> None:
    partner, receiver = hooks.partner(), await start(started)
    await partner.verified(receiver, auth=receiver.auth)
    await hooks.deliver(*(partner.document() for _ in range(20)))
    await hooks.until(lambda: len(receiver.events) == 20)
    (asked,) = receiver.token_requests
    assert asked.form == {"grant_type": "client_credentials", "scope": "hooks"}
    assert base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")) == b"kop%3Apel:s3%2Fcret"
    assert {one.headers["authorization"] for one in receiver.of("document.received")} == {"Bearer t1"}
    assert all("webhook-signature" in one.headers for one in receiver.of("document.received"))


async def test_a_token_that_is_refused_is_renewed_once_within_the_attempt(hooks: Any, started: list[Receiver]) -> None:
    partner, receiver = hooks.partner(), await start(started)
    endpoint = await partner.verified(receiver, auth=receiver.auth)
    receiver.valid = set()
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(receiver.events) == 2)
    await hooks.work(0.1)
    (delivery,) = await partner.deliveries(endpoint)
    assert [one["outcome"] for one in delivery["attempts"]] == ["delivered"]
    assert len(receiver.token_requests) == 2


async def test_a_receiver_that_refuses_every_token_is_a_failure(hooks: Any, started: list[Receiver]) -> None:
    partner, receiver = hooks.partner(), await start(started)
    endpoint = await partner.verified(receiver, auth=receiver.auth)

    async def refuse(of: Receiver, request: Received, writer: asyncio.StreamWriter) -> None:
        if request.path == "/token":
            await receiver._serve_guarded(of, request, writer)
        else:
            writer.write(response(401))

    receiver.behaviour = refuse
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(receiver.events) == 8)
    await hooks.work(0.1)
    (delivery,) = await partner.deliveries(endpoint)
    assert (delivery["state"], [one["status"] for one in delivery["attempts"]]) == ("failed", [401] * 4)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (answers(400, b'{"error": "invalid_client"}'), "HTTP 400 (invalid_client)"),
        (answers(401, b'{"error": "<script>\\u0000"}'), "HTTP 401"),
        (answers(302, Location="http://127.0.0.1:1/"), "HTTP 302"),
        (answers(200, b"<html>"), "without a token"),
        (answers(200, b'{"access_token": "a b"}'), "without a bearer token"),
        (answers(200, b'{"access_token": "x\\r\\nX-Evil: 1"}'), "without a bearer token"),
        (answers(200, b'{"access_token": "x", "token_type": "mac"}'), "without a bearer token"),
        (answers(200, b'["access_token"]'), "without a token"),
        (answers(200, b"[" * 2000), "without a token"),
        (answers(400, b"[" * 2000), "HTTP 400"),
        (answers(200, b'{"access_token": "x", "expires_in": 1' + b"0" * 400 + b"}"), "without a token"),
        (hangs, "no complete answer"),
    ],
    ids=["400", "401", "302", "html", "space", "newline", "mac", "list", "nested", "nested error", "for ever", "hangs"],
)
async def test_a_token_that_is_not_given_is_shown_and_tried_again(
    hooks: Any, started: list[Receiver], answer: Any, shown: str
) -> None:
    receiver = await start(started)
    receiver.token_answer = answer
    with pytest.raises(TokenRefused, match="authorisation server") as refused:
        await fetched(hooks, receiver)
    assert shown in str(refused.value) and "script" not in str(refused.value)


def tokens_of(hooks: Any) -> Tokens:
    return Tokens(hooks.context.resources.outside, deadline_s=2.0)


async def fetched(
    hooks: Any,
    receiver: Guarded,
    tokens: Tokens | None = None,
    deadline_s: float = 2.0,
    origin: str = "https://partner.example:443",
    **changes: Any,
) -> str:
    tokens = tokens or tokens_of(hooks)
    known = {name: value for name, value in receiver.auth.items() if name != "kind"}
    credentials = Credentials(**{**known, "audience": None, "client_auth": "basic", **changes})
    wanted = Wanted(ENDPOINT, origin, credentials)
    return tokens.kept(wanted) or await tokens.fetched(wanted, deadline_s=deadline_s, verified=True)


async def test_who_waits_for_a_token_waits_for_its_own_deadline(hooks: Any, started: list[Receiver]) -> None:
    """Those who wait share one fetch and its failure: nobody begins to wait anew when another has given up."""
    receiver, tokens = await start(started), tokens_of(hooks)
    receiver.token_answer = hangs
    began = time.monotonic()
    waiting = (fetched(hooks, receiver, tokens, 0.5) for _ in range(8))
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(one) for one in ended} == {TokenRefused} and time.monotonic() - began < 2.0
    assert len(receiver.token_requests) == 1
    first = asyncio.create_task(fetched(hooks, receiver, tokens, 5.0))
    await asyncio.sleep(0.05)
    with pytest.raises(TokenRefused, match=r"within 0\.2 s"):
        await fetched(hooks, receiver, tokens, 0.2)
    first.cancel()


async def test_who_has_little_time_left_begins_a_fetch_that_serves_those_who_have_more(
    hooks: Any, started: list[Receiver]
) -> None:
    receiver, tokens = await start(started), tokens_of(hooks)
    receiver.token_answer = delayed(receiver, 0.5)
    first = asyncio.create_task(fetched(hooks, receiver, tokens, 0.1))
    await asyncio.sleep(0)
    second = asyncio.create_task(fetched(hooks, receiver, tokens, 5.0))
    with pytest.raises(TokenRefused, match=r"within 0\.1 s"):
        await first
    assert await second == "t1" and len(receiver.token_requests) == 1


async def test_who_gives_up_takes_the_token_from_nobody(hooks: Any, started: list[Receiver]) -> None:
    receiver, tokens = await start(started), tokens_of(hooks)
    receiver.token_answer = delayed(receiver, 0.5)
    first = asyncio.create_task(fetched(hooks, receiver, tokens))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(fetched(hooks, receiver, tokens))
    await asyncio.sleep(0.05)
    first.cancel()
    assert await second == "t1" and len(receiver.token_requests) == 1


def delayed(receiver: Guarded, by_s: float) -> Any:
    """Give tokens after a while."""

    async def give(of: Receiver, request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(by_s)
        receiver.token_answer = None
        await receiver._serve_guarded(of, request, writer)

    return give


async def test_attempts_that_wait_for_a_token_end_within_their_deadline(hooks: Any, started: list[Receiver]) -> None:
    partner, receiver = hooks.partner(), await start(started)
    receiver.expires_in = 1
    endpoint = await partner.verified(receiver, auth=receiver.auth)
    receiver.token_answer = hangs
    await asyncio.sleep(1)
    before = len(receiver.token_requests)
    await hooks.deliver(*(partner.document() for _ in range(8)))

    async def are_tried() -> bool:
        return all(one["attempts"] for one in await partner.deliveries(endpoint))

    await hooks.until(are_tried)
    first = [one["attempts"][0] for one in await partner.deliveries(endpoint)]
    assert len(first) == 8 and {one["outcome"] for one in first} == {"retry"}
    assert max(one["duration_ms"] for one in first) < 4000, "one second, and not one after the other"
    assert len(receiver.token_requests) - before <= 4 and receiver.events == []


@pytest.mark.parametrize(("change", "state"), [("withdrawn", "withheld"), ("away", "pending")])
async def test_consent_is_asked_for_again_after_the_wait_for_a_token(
    hooks: Any, started: list[Receiver], change: str, state: str
) -> None:
    partner, receiver = hooks.partner(client=f"c-{new_id()}"), await start(started)
    receiver.expires_in = 1
    endpoint = await partner.verified(receiver, auth=receiver.auth)
    await asyncio.sleep(1)
    give = delayed(receiver, 0.1)

    async def change_meanwhile(of: Receiver, request: Received, writer: asyncio.StreamWriter) -> None:
        if change == "away":
            hooks.identity.away = True
        else:
            hooks.identity.withdrawn.add((partner.client, partner.firm_id))
        await give(of, request, writer)

    receiver.token_answer = change_meanwhile
    await hooks.deliver(partner.document())
    await hooks.until(lambda: receiver.given == 2)
    await hooks.work(0.3)
    (delivery,) = await partner.deliveries(endpoint)
    assert (delivery["state"], receiver.events) == (state, [])
    hooks.identity.away = False
    await hooks.work(0.3)
    assert len(receiver.events) == (change == "away")


@pytest.mark.parametrize("slow_s", [1.2, 3600.0], ids=["slow", "hangs"])
async def test_that_identity_is_slow_is_no_failure_of_the_receiver(
    hooks: Any, started: list[Receiver], monkeypatch: pytest.MonkeyPatch, slow_s: float
) -> None:
    """Slower than the receiver's whole deadline, which is one second."""
    monkeypatch.setattr(access, "DEADLINE_S", 2.5)
    partner, receiver = hooks.partner(), await start(started)
    receiver.expires_in = 1
    endpoint = await partner.verified(receiver, auth=receiver.auth)
    await asyncio.sleep(1)
    receiver.expires_in = 3600
    give = delayed(receiver, 0.1)

    async def slow_down_meanwhile(of: Receiver, request: Received, writer: asyncio.StreamWriter) -> None:
        hooks.identity.slow_s = slow_s
        await give(of, request, writer)

    receiver.token_answer = slow_down_meanwhile
    asked = hooks.identity.asked
    await hooks.deliver(partner.document())
    await hooks.until(lambda: hooks.identity.asked > asked + 2 if slow_s > 2.5 else receiver.events)
    if slow_s > 2.5:
        (delivery,) = await partner.deliveries(endpoint)
        assert (delivery["state"], delivery["attempts"], receiver.events) == ("pending", [], [])
    hooks.identity.slow_s = 0.0
    await hooks.until(lambda: receiver.events)
    await hooks.work(0.1)
    (delivery,) = await partner.deliveries(endpoint)
    assert [(one["number"], one["outcome"]) for one in delivery["attempts"]] == [(1, "delivered")]
    assert (await partner.get(f"/endpoints/{endpoint['id']}"))["failing_since"] is None


async def test_a_token_that_comes_too_late_is_a_failure_that_says_so(
    hooks: Any, started: list[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "ENOUGH", 0.9)
    partner, receiver = hooks.partner(), await start(started)
    receiver.expires_in = 1
    endpoint = await partner.verified(receiver, auth=receiver.auth)
    await asyncio.sleep(1)
    receiver.expires_in = 3600
    receiver.token_answer = delayed(receiver, 0.3)
    await hooks.deliver(partner.document())
    await hooks.until(lambda: receiver.events)
    await hooks.work(0.1)
    (delivery,) = await partner.deliveries(endpoint)
    late, delivered = delivery["attempts"]
    assert (late["outcome"], late["status"], delivered["outcome"]) == ("retry", None, "delivered")
    assert "too late" in late["answer"]


async def test_a_failed_fetch_is_an_attempt_that_shows_why(hooks: Any, started: list[Receiver]) -> None:
    partner, receiver = hooks.partner(), await start(started)
    receiver.token_answer = answers(401, b'{"error": "invalid_client"}')
    endpoint = await partner.register(receiver.url, auth=receiver.auth)

    async def is_told() -> bool:
        return bool((await partner.get(f"/endpoints/{endpoint['id']}"))["problem"])

    await hooks.until(is_told)
    told = (await partner.get(f"/endpoints/{endpoint['id']}"))["problem"]["message"]["en"]
    assert "invalid_client" in told
    assert receiver.events == [] and receiver.of("endpoint.challenge") == []


async def test_a_token_lives_as_long_as_it_says_and_many_wait_for_one(hooks: Any, started: list[Receiver]) -> None:
    receiver = await start(started)
    tokens = tokens_of(hooks)
    receiver.expires_in = 3
    assert set(await asyncio.gather(*(fetched(hooks, receiver, tokens) for _ in range(20)))) == {"t1"}
    end = time.monotonic() + 60
    while await fetched(hooks, receiver, tokens) == "t1":
        assert time.monotonic() < end
        await asyncio.sleep(0.1)
    assert receiver.given == 2


async def test_other_credentials_never_get_a_token_of_these(hooks: Any, started: list[Receiver]) -> None:
    receiver = await start(started)
    tokens = tokens_of(hooks)
    found = {await fetched(hooks, receiver, tokens), await fetched(hooks, receiver, tokens, scope="other")}
    assert found == {"t1", "t2"}


async def test_another_receiver_never_gets_a_token_of_this_one(hooks: Any, started: list[Receiver]) -> None:
    receiver, tokens = await start(started), tokens_of(hooks)
    origins = ("https://partner.example:443", "https://other.example:443", "https://partner.example:8443")
    assert [await fetched(hooks, receiver, tokens, origin=each) for each in origins] == ["t1", "t2", "t3"]


async def test_an_endpoint_that_moves_shows_nobody_else_its_token(
    hooks: Any, receivers: Any, started: list[Receiver]
) -> None:
    """Whoever may change endpoints could have the receiver's token sent to a host of his own by a change of ``url`` alone."""
    partner, guarded, other = hooks.partner(), await start(started), await receivers()
    endpoint = await partner.verified(guarded, auth=guarded.auth)
    path = f"/endpoints/{endpoint['id']}"
    refused = await partner.call("PATCH", path, json={"url": other.url})
    assert (refused.status_code, refused.json()["code"]) == (422, "auth_missing")
    assert refused.json()["errors"][0]["field"] == "body.auth"
    await hooks.work(0.2)
    assert other.all == [] and (await partner.get(path))["url"] == guarded.url
    elsewhere = await partner.call("PATCH", path, json={"url": f"{guarded.url}?tenant=2"})
    assert (elsewhere.status_code, elsewhere.json()["state"]) == (200, "unverified"), "the same host may be told more"
    moved = await partner.call("PATCH", path, json={"url": other.url, "auth": None})
    assert (moved.status_code, moved.json()["auth"]) == (200, None)
    await hooks.until(lambda: other.of("endpoint.challenge"))
    back = await partner.call("PATCH", path, json={"url": guarded.url, "auth": guarded.auth})
    assert back.status_code == 200
    await hooks.work(0.3)
    assert (await partner.get(path))["state"] == "active"
    assert all("authorization" not in one.headers for one in other.all)


async def test_the_secret_goes_into_the_form_where_that_is_asked_for(hooks: Any, started: list[Receiver]) -> None:
    receiver = await start(started)
    await fetched(hooks, receiver, client_auth="post", audience="https://till.example")
    (asked,) = receiver.token_requests
    assert "authorization" not in asked.headers
    assert asked.form["client_secret"] == "s3/cret" and asked.form["audience"] == "https://till.example"


async def test_a_token_is_never_shown_to_another_endpoint(hooks: Any, receivers: Any, started: list[Receiver]) -> None:
    partner, guarded, other = hooks.partner(), await start(started), await receivers()
    await partner.verified(guarded, auth=guarded.auth)
    await partner.verified(other)
    guarded.behaviour = in_turn(answers(307, Location=other.url), answers(200))
    await hooks.deliver(partner.document())
    await hooks.until(lambda: len(guarded.events) == 2 and len(other.events) == 1)
    assert all("authorization" not in one.headers for one in other.all)
