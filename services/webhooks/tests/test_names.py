"""Names that partners give are looked up apart from those of verified endpoints, and a lack of threads is nobody's failure."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from koppel_mesh.http.outside_client import OutsideClient
from koppel_mesh.http.resolving import NotLookedUp
from koppel_mesh.ids import new_id
from webhooks import endpoints
from webhooks.sending.tokens import Tokens

from .receiver import Received, Receiver, response

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Names:
    """Every name is this machine; what is asked for is kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []
        self.not_now: set[str] = set()

    async def resolve(self, host: str, verified: bool) -> list[str]:
        self.asked.append((host, verified))
        if host in self.not_now:
            raise NotLookedUp("too many names")
        return ["127.0.0.1"]


@pytest_asyncio.fixture(loop_scope="module")
async def names(hooks: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Names]:
    made = Names()
    async with OutsideClient(hooks.context.settings.rules, resolve=made.resolve) as outside:
        monkeypatch.setattr(hooks.context.resources, "outside", outside)
        monkeypatch.setattr(hooks.context.resources, "tokens", Tokens(outside, deadline_s=1.0))
        yield made


def at(host: str, receiver: Receiver) -> str:
    """Return the receiver's address by a name."""
    return f"http://{host}:{urlsplit(receiver.url).port}"


async def registered(hooks: Any, partner: Any, receiver: Receiver, **auth: Any) -> Any:
    """Register a receiver by its name, and wait until it has answered its challenge."""
    made = await partner.register(f"{at('partner.example', receiver)}/hooks", **auth)

    async def is_active() -> bool:
        return bool((await partner.get(f"/endpoints/{made['id']}"))["state"] == "active")

    await hooks.until(is_active)
    return made


async def gives_tokens(_: Receiver, request: Received, writer: Any) -> None:
    writer.write(response(200, b'{"access_token": "t", "expires_in": 1}' if request.path == "/token" else b""))


async def test_only_events_and_tests_of_verified_endpoints_ask_as_verified(
    hooks: Any, names: Names, receivers: Any
) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await registered(hooks, partner, receiver)
    await partner.call(
        "PATCH", f"/endpoints/{endpoint['id']}", json={"url": f"{at('partner.example', receiver)}/hooks"}
    )
    assert set(names.asked) == {("partner.example", False)}
    await hooks.deliver(partner.document())
    await hooks.until(lambda: receiver.events)
    assert names.asked[-1] == ("partner.example", True)


@pytest.mark.parametrize("busy", ["partner.example", "tokens.example"])
async def test_a_lack_of_threads_spends_no_attempt(hooks: Any, names: Names, receivers: Any, busy: str) -> None:
    partner, receiver = hooks.partner(), await receivers()
    receiver.behaviour = gives_tokens
    auth = {"kind": "oauth2", "token_url": f"{at('tokens.example', receiver)}/token"}
    auth |= {"client_id": "koppel", "client_secret": "hunter2"}
    endpoint = await registered(hooks, partner, receiver, auth=auth)
    names.not_now = {busy}
    hooks.context.resources.tokens._held.clear()
    await hooks.deliver(partner.document())
    await hooks.until(
        lambda: names.asked.count((busy, True)) > len(hooks.context.settings.webhook_retry_schedule_s) + 1
    )
    assert [one["attempts"] for one in await partner.deliveries(endpoint)] == [[]]
    tested = await partner.call("POST", f"/endpoints/{endpoint['id']}/test")
    assert (tested.status_code, tested.json()["code"]) == (503, "try_again")
    names.not_now.clear()
    await hooks.until(lambda: receiver.events)
    await hooks.work(0.1)
    (delivery,) = await partner.deliveries(endpoint)
    assert [(one["number"], one["outcome"]) for one in delivery["attempts"]] == [(1, "delivered")]
    assert (await partner.get(f"/endpoints/{endpoint['id']}"))["failing_since"] is None


async def test_no_name_is_looked_up_for_one_endpoint_too_many(hooks: Any, names: Names) -> None:
    partner = hooks.partner()
    for _ in range(endpoints.ENDPOINTS_MAX - 1):
        await partner.register("http://partner.example/")
    last = {
        "json": {"url": "http://last.example/", "event_types": ["document.received"]},
        "headers": {"Idempotency-Key": str(new_id())},
    }
    made = await partner.call("POST", "/endpoints", **last)
    assert made.status_code == 201
    names.asked.clear()
    again = await partner.call("POST", "/endpoints", **last)
    assert (again.status_code, again.json()) == (201, made.json()), "what was answered is answered again"
    body = {"url": "http://more.example/", "event_types": ["document.received"]}
    refused = await partner.call("POST", "/endpoints", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_endpoints")
    assert names.asked == []
