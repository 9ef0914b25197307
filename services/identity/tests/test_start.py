"""How identity starts: with which keys and clients, in which event loop, and why it does not."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from identity import keys
from identity.service import SERVICE
from identity.settings import IdentitySettings
from koppel_mesh.http.client import Response
from koppel_mesh.keyring import KeyRing, WrongKeyError, key_id_of
from koppel_mesh.runtime import CannotStartError, running
from koppel_mesh.service import Context
from koppel_mesh.settings import what_is_missing

from .conftest import settings_for

GOOD = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo-secret"}


@pytest.fixture
async def context(make_database: Callable[..., str], free_port: int) -> AsyncIterator[Context]:
    async with running([SERVICE], {"identity": settings_for(make_database(SERVICE), free_port)}) as contexts:
        yield contexts["identity"]


async def ask(context: Context, form: dict[str, str]) -> Response:
    url = f"{context.settings.public_url}/identity/oauth/token"
    return await context.http.request("POST", url, deadline_s=10, data=form)


@pytest.mark.parametrize("run", [1, 2])
async def test_many_at_once_wait_their_turn_in_every_event_loop(context: Context, run: int) -> None:
    wrong = {**GOOD, "client_secret": "wrong"}
    answers = await asyncio.gather(*(ask(context, form) for form in [GOOD, wrong] * 4))
    assert [answer.status for answer in answers] == [200, 401] * 4


async def test_signing_keys_follow_the_secret_keys(context: Context) -> None:
    old = [key.get_secret_value() for key in context.settings.secret_keys]
    new = Fernet.generate_key().decode()
    async with context.database.transaction() as tx:
        assert await keys.reseal(tx, KeyRing([new, *old])) == 1
        assert await keys.reseal(tx, KeyRing([new, *old])) == 0
    async with context.database.reading() as connection:
        assert (await keys.signing(connection, KeyRing([new]))).key is not None
        with pytest.raises(WrongKeyError):
            await keys.signing(connection, KeyRing(old))


async def test_a_start_without_the_secret_key_ends_at_once_and_names_the_keys(context: Context, free_port: int) -> None:
    """As ``python -m identity`` in a pod: one sentence, exit code 1; with the key back it starts."""
    [had] = [key.get_secret_value() for key in context.settings.secret_keys]
    other = Fernet.generate_key().decode()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KOPPEL_")} | {
        "KOPPEL_DATABASE_URL": context.settings.database_url,
        "KOPPEL_AMQP_URL": "amqp://127.0.0.1:9/",
        "KOPPEL_PORT": "0",
        "KOPPEL_SECRET_KEYS": other,
    }
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "identity"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.strip() == (
        f"identity cannot start: this was encrypted with the secret key {key_id_of(had)} that is not given:"
        f" KOPPEL_SECRET_KEYS holds {key_id_of(other)}."
    )
    without = {**context.settings.model_dump(), "secret_keys": (other,), "port": 0}
    with pytest.raises(CannotStartError, match="KOPPEL_SECRET_KEYS holds"):
        async with running([SERVICE], {"identity": IdentitySettings.model_validate(without)}):
            pass
    given = {**context.settings.model_dump(), "secret_keys": (other, had), "port": 0}
    async with running([SERVICE], {"identity": IdentitySettings.model_validate(given)}):
        pass


def test_a_secret_key_that_is_none_is_named_by_its_place() -> None:
    good = Fernet.generate_key().decode()
    with pytest.raises(ValidationError) as raised:
        IdentitySettings(database_url="", amqp_url="", secret_keys=f"{good},too-short")
    assert "KOPPEL_SECRET_KEYS: Value error, the key at place 2 is not a Fernet key" in what_is_missing(raised.value)
    assert "too-short" not in what_is_missing(raised.value)


async def test_production_has_no_demo_client(make_database: Callable[..., str], free_port: int) -> None:
    url = make_database(SERVICE)
    settings = settings_for(url, free_port, env="production", blob_url="file:///nowhere")
    async with running([SERVICE], {"identity": settings}) as contexts:
        assert (await ask(contexts["identity"], GOOD)).status == 401
