"""Bearer tokens against an issuer that is nothing of ours: refused for each reason, keys fetched no more than needed."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any
from uuid import UUID

import pytest
import uvicorn
from fastapi import Depends, FastAPI, Response
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from starlette.types import ASGIApp

from koppel_mesh import auth
from koppel_mesh.auth import Caller, InvalidToken, TokenVerifier, require
from koppel_mesh.http import problems
from koppel_mesh.http.client import HttpClient
from koppel_mesh.http.internal_client import InternalCallError, InternalClient
from koppel_mesh.http.middleware import InContext
from koppel_mesh.http.problems import HttpProblem
from koppel_mesh.http.rate_limits import RateLimiter
from koppel_mesh.settings import MeshSettings

FIRM = UUID("0199a000-0000-7000-8000-000000000001")


class Issuer:
    """An OIDC issuer on a real socket, with counters and faults; it also serves two routes behind its own tokens."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.settings = MeshSettings.model_validate(
            {
                "database_url": "postgresql://unused",
                "amqp_url": "amqp://unused",
                "oidc_issuer": self.url,
                "public_url": self.url,
                "service_client_secret": "services-secret",
            }
        )
        self.keys: list[Any] = [ECKey.generate_key("P-256", {"kid": "one"}, private=True)]
        self.key_fetches = self.tokens_given = 0
        self.away = False
        self.refused: set[str] = set()

    def claims(self, **changes: Any) -> dict[str, Any]:
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": "koppel",
            "sub": "c",
            "exp": time.time() + 600,
            "scope": "documents:read",
        }
        claims["firm_id"] = str(FIRM)
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def token(self, key: Any = None, alg: str = "ES256", kid: str | None = None, **changes: Any) -> str:
        key = key or self.keys[-1]
        return str(jwt.encode({"alg": alg, "kid": kid or key.kid}, self.claims(**changes), key, algorithms=[alg]))

    def app(self, verifier: TokenVerifier) -> ASGIApp:
        app = FastAPI()
        problems.install(app)

        @app.get("/.well-known/openid-configuration")
        async def metadata() -> dict[str, str]:
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys", "token_endpoint": f"{self.url}/token"}

        @app.get("/keys")
        async def keys() -> Response:
            self.key_fetches += 1
            if self.away:
                return Response("<html>", 200)
            return Response(json.dumps(KeySet(self.keys).as_dict(private=False)))

        @app.post("/token")
        async def token() -> dict[str, Any]:
            self.tokens_given += 1
            await asyncio.sleep(0.02)
            return {"access_token": self.token(jti=str(self.tokens_given)), "expires_in": 600}

        @app.get("/whoami")
        async def whoami(caller: Annotated[Caller, Depends(require("documents:read"))]) -> dict[str, Any]:
            return {"sub": caller.subject, "firm_id": caller.firm_id}

        @app.get("/write")
        async def write(caller: Annotated[Caller, Depends(require("documents:read", "documents:write"))]) -> None: ...

        @app.get("/refusing")
        async def refusing(caller: Annotated[Caller, Depends(require())], jti: str = "") -> Response:
            return Response(status_code=204)

        return InContext(
            app, type("Running", (), {"verifier": verifier, "settings": self.settings, "rate_limiter": RateLimiter()})
        )


@pytest.fixture
async def issuer(free_port: int) -> AsyncIterator[Issuer]:
    issuer = Issuer(free_port)
    async with HttpClient() as http:
        app = issuer.app(TokenVerifier(issuer.settings, http))
        server = uvicorn.Server(uvicorn.Config(app, port=free_port, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0.005)
        yield issuer
        server.should_exit = True
        await serving


@pytest.fixture
async def verifier(issuer: Issuer) -> AsyncIterator[TokenVerifier]:
    async with HttpClient() as http:
        yield TokenVerifier(issuer.settings, http)


def unsigned(issuer: Issuer) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(issuer.claims())}."


REFUSED: dict[str, Callable[[Issuer], str]] = {
    "another issuer": lambda i: i.token(iss="https://elsewhere.example"),
    "no issuer": lambda i: i.token(iss=None),
    "another audience": lambda i: i.token(aud="somebody-else"),
    "no audience": lambda i: i.token(aud=None),
    "expired beyond the leeway": lambda i: i.token(exp=time.time() - 90),
    "no expiry": lambda i: i.token(exp=None),
    "not yet valid": lambda i: i.token(nbf=time.time() + 300),
    "no subject": lambda i: i.token(sub=None),
    "a firm that is no id": lambda i: i.token(firm_id="everything"),
    "an empty firm": lambda i: i.token(firm_id=""),
    "a firm of another type": lambda i: i.token(firm_id=7),
    "a key nobody published": lambda i: i.token(ECKey.generate_key("P-256", {"kid": "two"}, private=True)),
    "a published key's name, another key": lambda i: i.token(ECKey.generate_key("P-256", {"kid": "one"}, private=True)),
    "signed with the public key as a secret": lambda i: i.token(
        OctKey.import_key(i.keys[0].as_pem(private=False)[27:91], {"kid": "one"}), alg="HS256"
    ),
    "unsigned": unsigned,
    "not a token": lambda i: "a.b.c",
    "not ASCII": lambda i: "é.é.é",
    "far too long": lambda i: "a" * 9000 + ".b.c",
}


@pytest.mark.parametrize("reason", REFUSED)
async def test_a_token_is_refused(issuer: Issuer, verifier: TokenVerifier, reason: str) -> None:
    with pytest.raises(InvalidToken):
        await verifier.verify(REFUSED[reason](issuer))


async def test_good_tokens_of_any_issuer_and_key_type(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.keys.append(RSAKey.generate_key(2048, {"kid": "rsa"}, private=True))
    assert await verifier.verify(issuer.token(alg="RS256", firm_id=str(FIRM), aud=["x", "koppel"])) == Caller(
        "c", FIRM, frozenset({"documents:read"})
    )
    late = await verifier.verify(issuer.token(issuer.keys[0], exp=time.time() - 30))
    assert late.firm_id == FIRM, "a minute's leeway for clocks"


async def test_a_foreign_issuers_token_without_a_firm_sees_nothing_unless_it_is_ours_or_an_administrators(
    issuer: Issuer, verifier: TokenVerifier
) -> None:
    with pytest.raises(InvalidToken):
        await verifier.verify(issuer.token(firm_id=None))
    for known in ({"sub": "koppel-services"}, {"scope": "admin"}):
        assert (await verifier.verify(issuer.token(firm_id=None, **known))).may_see(FIRM)


async def test_a_firms_token_sees_that_firm_only() -> None:
    caller = Caller("c", FIRM, frozenset())
    assert caller.may_see(FIRM)
    assert not caller.may_see(UUID(int=FIRM.int + 1))


async def test_a_rotated_key_is_found_and_invented_keys_do_not_flood_the_issuer(
    issuer: Issuer, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    await verifier.verify(issuer.token())
    assert issuer.key_fetches == 1
    for number in range(20):
        with pytest.raises(InvalidToken):
            await verifier.verify(issuer.token(kid=f"invented-{number}"))
    assert issuer.key_fetches == 1, "the pause between fetches was not kept"
    issuer.keys.append(ECKey.generate_key("P-256", {"kid": "new"}, private=True))
    monkeypatch.setattr(auth, "KEYS_PAUSE_S", 0.0)
    await verifier.verify(issuer.token())
    assert issuer.key_fetches == 2


async def test_keys_are_fetched_once_for_many_first_requests(issuer: Issuer, verifier: TokenVerifier) -> None:
    await asyncio.gather(*(verifier.verify(issuer.token(jti=str(number))) for number in range(10)))
    assert issuer.key_fetches == 1


async def test_an_issuer_that_is_away_is_no_callers_fault(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.away = True
    with pytest.raises(HttpProblem) as caught:
        await verifier.verify(issuer.token())
    assert caught.value.status == 503
    assert caught.value.headers["Retry-After"]


async def test_missing_token_401_missing_scope_403(issuer: Issuer) -> None:
    async with HttpClient() as http:

        async def get(path: str, **headers: str) -> Any:
            return await http.request("GET", issuer.url + path, deadline_s=5, headers=headers)

        for headers in (
            {},
            {"Authorization": "Basic YTpi"},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer x"},
        ):
            answer = await get("/whoami", **headers)
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
        bearer = {"Authorization": f"Bearer {issuer.token(firm_id=str(FIRM))}"}
        refused = await get("/write", **bearer)
        assert (refused.status, json.loads(refused.content)["code"]) == (403, "missing_scope")
        assert json.loads((await get("/whoami", **bearer)).content) == {"sub": "c", "firm_id": str(FIRM)}


async def test_services_share_one_token_and_renew_it_once(issuer: Issuer) -> None:
    async with HttpClient() as http:
        mesh = InternalClient(issuer.settings, http)
        answers = await asyncio.gather(*(mesh.get_json("/whoami") for _ in range(20)))
        assert {answer["sub"] for answer in answers} == {"c"}
        assert issuer.tokens_given == 1
        mesh._token = "not.a.token"  # as when the issuer has forgotten it
        await asyncio.gather(*(mesh.get_json("/whoami") for _ in range(20)))
        assert issuer.tokens_given == 2, "twenty refusals at once are one renewal"


async def test_another_services_problem_keeps_its_code(issuer: Issuer, free_port: int) -> None:
    async with HttpClient() as http:
        mesh = InternalClient(issuer.settings, http)
        with pytest.raises(InternalCallError) as caught:
            await mesh.get_json("/write")
        assert (caught.value.status, caught.value.code, caught.value.is_transient) == (403, "missing_scope", False)
        nowhere = MeshSettings.model_validate({**issuer.settings.model_dump(), "public_url": "http://127.0.0.1:9"})
        with pytest.raises(InternalCallError) as caught:
            await InternalClient(nowhere, http).get_json("/whoami")
        assert (caught.value.status, caught.value.is_transient) == (None, True)
