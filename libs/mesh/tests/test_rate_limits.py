"""A client that asks too often is told so, and told before how much it has left; nobody else is held up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import httpx2
import pytest
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ValidationError

from koppel_mesh.auth import Caller, InvalidToken, require
from koppel_mesh.http.rate_limits import COUNTED_MAX, WINDOW_S, RateLimiter
from koppel_mesh.http.server import build_app
from koppel_mesh.service import Context, Service
from koppel_mesh.settings import MeshSettings

FIRM = UUID("0199a000-0000-7000-8000-000000000001")
router = APIRouter()


class Body(BaseModel):
    text: str


@router.get("/whoami")
async def whoami(caller: Annotated[Caller, Depends(require("documents:read"))]) -> str:
    return caller.subject


@router.post("/texts")
async def take(body: Body, caller: Annotated[Caller, Depends(require("documents:read"))]) -> str:
    return body.text


SERVICE = Service(name="limited", settings=MeshSettings, routers=(router,))


class Tokens:
    """Stands where the issuer's verifier stands; the token's text is ``client`` or ``client,firm``."""

    async def verify(self, token: str) -> Caller:
        client, _, firm = token.partition(",")
        if client == "nobody":
            raise InvalidToken("unknown")
        return Caller(client, UUID(firm) if firm else None, frozenset({"documents:read"}))


@asynccontextmanager
async def service(**settings: Any) -> AsyncIterator[httpx2.AsyncClient]:
    known = MeshSettings.model_validate(
        {"database_url": "postgresql://unused", "amqp_url": "amqp://unused", **settings}
    )
    unused: Any = None
    context = Context(SERVICE, known, unused, unused, unused, Tokens(), unused, unused)  # type: ignore[arg-type]
    transport = httpx2.ASGITransport(app=build_app(SERVICE, context))
    async with httpx2.AsyncClient(transport=transport, base_url="http://limited") as http:
        yield http


def bearer(client: str, firm: UUID | None = FIRM) -> dict[str, str]:
    return {"authorization": f"Bearer {client},{firm}" if firm else f"Bearer {client}"}


async def test_over_the_limit_it_is_429_until_the_window_ends() -> None:
    async with service(rate_limit_per_minute=3) as http:
        answers = [await http.get("/whoami", headers=bearer("till")) for _ in range(5)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    assert [one.headers["ratelimit-remaining"] for one in answers] == ["2", "1", "0", "0", "0"]
    first, refused = answers[0].headers, answers[-1]
    assert (first["ratelimit-policy"], first["ratelimit"]) == ('"minute";q=3;w=60', '"minute";r=2;t=60')
    assert (first["ratelimit-limit"], first["ratelimit-reset"]) == ("3", "60")
    assert (refused.json()["code"], refused.headers["content-type"]) == ("rate_limited", "application/problem+json")
    assert 0 < int(refused.headers["retry-after"]) <= WINDOW_S


async def test_a_request_with_a_body_counts_once_and_a_refused_one_too() -> None:
    async with service(rate_limit_per_minute=3) as http:
        statuses = [
            (await http.post("/texts", headers=bearer("till"), json=body)).status_code
            for body in ({"text": "a"}, {}, {"text": "b"}, {"text": "c"})
        ]
    assert statuses == [200, 422, 200, 429]


async def test_clients_are_counted_by_themselves_whatever_firm_they_speak_for() -> None:
    async with service(rate_limit_per_minute=2) as http:
        for firm in (FIRM, UUID(int=FIRM.int + 1)):
            assert (await http.get("/whoami", headers=bearer("partner", firm))).status_code == 200
        assert (await http.get("/whoami", headers=bearer("partner"))).status_code == 429
        other = await http.get("/whoami", headers=bearer("another"))
        assert (other.status_code, other.headers["ratelimit-remaining"]) == (200, "1")


async def test_our_services_and_strangers_are_not_counted() -> None:
    async with service(rate_limit_per_minute=1) as http:
        for token, status in (("koppel-services", 200), ("nobody", 401)):
            for _ in range(3):
                answer = await http.get("/whoami", headers=bearer(token, None))
                assert (answer.status_code, "ratelimit" in answer.headers) == (status, False)


@pytest.mark.parametrize("settings", [{}, {"rate_limit_per_minute": 0}])
async def test_a_laptop_has_no_limit_unless_one_is_set(settings: dict[str, Any]) -> None:
    async with service(**settings) as http:
        answer = await http.get("/whoami", headers=bearer("till"))
    assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)


def test_production_has_a_limit() -> None:
    assert MeshSettings.model_construct(env="production").limit("rate_limit_per_minute") == 6000


def test_a_window_ends_and_what_is_kept_is_bounded() -> None:
    now = 0.0
    limiter = RateLimiter(lambda: now)

    def used(whose: str) -> int:
        standing = limiter.take(whose, 5)
        assert standing is not None
        return standing.used

    assert [used("a") for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    now = WINDOW_S - 0.5
    assert (used("a"), used("b")) == (7, 1)
    now = WINDOW_S
    assert (used("a"), used("b")) == (1, 2)
    for number in range(COUNTED_MAX + 10):
        used(str(number))
    assert len(limiter._windows) <= COUNTED_MAX + 1


def test_a_proxy_is_an_address_or_a_network() -> None:
    given = {"database_url": "x", "amqp_url": "x"}
    settings = MeshSettings.model_validate({**given, "trusted_proxies": "10.0.0.0/8, ::1"})
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1/128")
    for wrong in ("ingress", "10.0.0.1/8", "*"):
        with pytest.raises(ValidationError):
            MeshSettings.model_validate({**given, "trusted_proxies": wrong})
