"""Receivers that want to know who calls: we show a certificate where an operator gave one."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from koppel_mesh.http.client import NotSent, Unanswered
from koppel_mesh.http.outside_client import OutsideClient
from webhooks.settings import WebhookSettings

from .conftest import KEYS
from .receiver import Receiver


def settings(**more: Any) -> WebhookSettings:
    given: dict[str, Any] = {"database_url": "postgresql://unused", "amqp_url": "amqp://unused", "secret_keys": KEYS}
    return WebhookSettings(**given, webhook_loopback=True, **more)


async def called(port: int, known: WebhookSettings, trusted: Path) -> int:
    async def loopback(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    tls = known.tls()
    tls.load_verify_locations(trusted)
    async with OutsideClient(known.rules, tls=tls, resolve=loopback) as client:
        url = f"https://partner.example:{port}/hooks"
        return (await client.post(url, b'{"type": "x", "data": {}}', {}, deadline_s=5)).status


async def test_a_receiver_that_wants_our_certificate_gets_it(
    make_certificate: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The tests share one TLS context, and each client of this test shows another certificate.
    own: Any = httpcore2.default_ssl_context
    monkeypatch.setattr(httpcore2, "default_ssl_context", own.__wrapped__)
    theirs, ours, of_another = (make_certificate(f"{name}.example") for name in ("partner", "koppel", "another"))
    wants = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(ours))
    wants.load_cert_chain(theirs)
    wants.verify_mode = ssl.CERT_REQUIRED
    receiver = Receiver()
    await receiver.start(tls=wants)
    try:
        assert await called(receiver.port, settings(webhook_client_certificate_file=ours), theirs) == 204
        for wrong in (settings(), settings(webhook_client_certificate_file=of_another)):
            with pytest.raises((NotSent, Unanswered)):
                await called(receiver.port, wrong, theirs)
    finally:
        await receiver.stop()
    assert len(receiver.all) == 1


def test_a_certificate_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        settings(webhook_client_certificate_file=tmp_path / "none.pem").tls()


async def test_a_receiver_with_the_certificate_of_another_name_gets_nothing(
    make_certificate: Callable[[str], Path],
) -> None:
    theirs, of_another = make_certificate("partner.example"), make_certificate("another.example")
    shows = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    shows.load_cert_chain(of_another)
    receiver = Receiver()
    await receiver.start(tls=shows)
    try:
        for trusted in (theirs, of_another):
            with pytest.raises(NotSent, match="certificate"):
                await called(receiver.port, settings(), trusted)
    finally:
        await receiver.stop()
    assert receiver.all == []
