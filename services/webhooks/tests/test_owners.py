"""The owner of an endpoint that was disabled is told, by a problem and by mail; a pause is kept whatever happens to it."""

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from koppel_sandbox.mail.testing import MailSandbox
from webhooks import owner_mails

from .receiver import answers

pytestmark = pytest.mark.asyncio(loop_scope="module")
OWNER = "hooks@till-vendor.example"


@pytest.fixture(scope="module")
def _sandbox() -> Iterator[MailSandbox]:
    with MailSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox: MailSandbox, hooks: Any) -> MailSandbox:
    """Give the mail server that the service hands its mails to, empty."""
    _sandbox.control("reset")
    hooks.set(smtp_url=_sandbox.environment()["KOPPEL_SMTP_URL"], mail_from="koppel@koppel.example")
    return _sandbox


async def shown(partner: Any, endpoint: Any) -> Any:
    return await partner.get(f"/endpoints/{endpoint['id']}")


async def disabled(hooks: Any, partner: Any, receiver: Any, **more: Any) -> Any:
    """Register a receiver, and let it be gone at the first event."""
    endpoint = await partner.verified(receiver, **more)
    await gone(hooks, partner, receiver, endpoint)
    return endpoint


async def gone(hooks: Any, partner: Any, receiver: Any, endpoint: Any) -> None:
    receiver.behaviour = answers(410)
    await hooks.deliver(partner.document())

    async def is_disabled() -> bool:
        return bool((await shown(partner, endpoint))["state"] == "disabled")

    await hooks.until(is_disabled)


async def due_now(hooks: Any) -> None:
    await hooks.sql("UPDATE owner_mail SET due_at = now() WHERE due_at IS NOT NULL")


async def mails_of(hooks: Any, endpoint: Any) -> list[dict[str, Any]]:
    asked = "SELECT * FROM owner_mail WHERE endpoint_id = CAST(:id AS uuid) ORDER BY id"
    found: list[dict[str, Any]] = await hooks.sql(asked, id=endpoint["id"])
    return found


async def ended(hooks: Any, endpoint: Any) -> dict[str, Any]:
    """Let the loops work until the endpoint's last mail is over; return its row."""

    async def is_over() -> bool:
        found = await mails_of(hooks, endpoint)
        return bool(found) and found[-1]["due_at"] is None

    await hooks.until(is_over)
    return (await mails_of(hooks, endpoint))[-1]


async def test_an_address_that_is_none_is_refused(hooks: Any) -> None:
    partner = hooks.partner()
    body = {"url": "http://127.0.0.1:9/hooks", "event_types": ["document.received"]}
    for wrong in ("x", "a@b", "a@b.example\r\nBcc: c@d.example", "A <a@b.example>", "a@b.example,c@d.example", ""):
        answer = await partner.call("POST", "/endpoints", json={**body, "contact_email": wrong})
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "body.contact_email", wrong
    endpoint = await partner.register(body["url"], contact_email=OWNER)
    at = f"/endpoints/{endpoint['id']}"
    assert (await partner.call("PATCH", at, json={"contact_email": "x\ny@z.example"})).status_code == 422
    assert (await partner.call("PATCH", at, json={"description": "till 3"})).json()["contact_email"] == OWNER
    assert (await partner.call("PATCH", at, json={"contact_email": None})).json()["contact_email"] is None


async def test_the_owner_of_what_is_disabled_gets_one_mail_and_a_problem(
    hooks: Any, receivers: Any, sandbox: MailSandbox
) -> None:
    partner = hooks.partner()
    receiver = await receivers()
    endpoint = await disabled(hooks, partner, receiver, contact_email=OWNER)
    mail = await ended(hooks, endpoint)
    await hooks.work(0.1)
    (message,) = sandbox.messages()
    assert message["Message-ID"] == f"<webhook-{mail['id']}@koppel.example>"
    assert (message["To"], message["From"]) == (OWNER, "Koppel <koppel@koppel.example>")
    assert f"127.0.0.1:{receiver.port}" in message["Subject"]
    content = message.get_content()
    assert f"/webhooks/v1/endpoints/{endpoint['id']}" in content and "/hooks" not in content.replace("/webhooks", "")
    assert all(word in content for word in ("verdwenen", "disparue", "gone"))
    (problem,) = (await partner.get("/problems"))["items"]
    assert (problem["endpoint_id"], problem["code"]) == (endpoint["id"], "webhook_gone")
    assert set(problem["message"]) == {"nl", "fr", "en"} and problem["first_seen_at"]
    assert (await hooks.partner(client="another").get("/problems"))["items"] == []
    receiver.behaviour = answers(200)
    await partner.call("POST", f"/endpoints/{endpoint['id']}/enable")
    assert (await partner.get("/problems"))["items"] == []


async def test_a_mail_that_was_not_taken_goes_again_with_the_same_id(
    hooks: Any, receivers: Any, sandbox: MailSandbox
) -> None:
    """The server is busy, then hangs up after it took the mail: the owner may get it twice, and can tell."""
    sandbox.control("rules", kind="refuse", reply="450 4.7.28 too many mails", times=1)
    partner = hooks.partner()
    endpoint = await disabled(hooks, partner, await receivers(), contact_email=OWNER)
    await owner_mails.send_due(hooks.context)
    assert sandbox.mails() == []
    sandbox.control("rules", kind="drop_after", times=1)
    await due_now(hooks)
    await owner_mails.send_due(hooks.context)
    await due_now(hooks)
    assert (await ended(hooks, endpoint))["sent_at"] is not None
    assert len({message["Message-ID"] for message in sandbox.messages()}) == 1
    assert (await mails_of(hooks, endpoint))[0]["attempts"] == 3


async def test_a_mail_that_nobody_takes_is_given_up(hooks: Any, receivers: Any, sandbox: MailSandbox) -> None:
    sandbox.control("rules", kind="refuse", times=1)
    partner = hooks.partner()
    refused = await disabled(hooks, partner, await receivers(), contact_email=OWNER)
    assert (await ended(hooks, refused))["sent_at"] is None
    sandbox.control("rules", kind="refuse", reply="451 4.3.0 later", times=-1)
    late = await disabled(hooks, partner, await receivers(), contact_email=OWNER)
    for _ in range(4):
        await due_now(hooks)
        await owner_mails.send_due(hooks.context)
    (mail,) = await mails_of(hooks, late)
    assert (mail["due_at"], mail["sent_at"], mail["attempts"]) == (None, None, 4)


async def test_claims_at_once_send_a_mail_once(hooks: Any, receivers: Any, sandbox: MailSandbox) -> None:
    await disabled(hooks, hooks.partner(), await receivers(), contact_email=OWNER)
    await asyncio.gather(*(owner_mails.send_due(hooks.context) for _ in range(6)))
    assert len(sandbox.mails()) == 1


async def test_an_address_is_not_flooded(hooks: Any, receivers: Any, sandbox: MailSandbox) -> None:
    """Whoever registers a stranger's address and disables endpoints again and again reaches a limit."""
    partner, receiver, stranger = hooks.partner(), await receivers(), "stranger@example.org"
    endpoint = await disabled(hooks, partner, receiver, contact_email=stranger)
    for _ in range(owner_mails.MAILS_A_DAY):
        await partner.call("POST", f"/endpoints/{endpoint['id']}/enable")
        await gone(hooks, partner, receiver, endpoint)
    await partner.call("DELETE", f"/endpoints/{endpoint['id']}")
    await disabled(hooks, partner, receiver, contact_email=stranger)
    await hooks.until(lambda: len(sandbox.mails()) == owner_mails.MAILS_A_DAY)
    await hooks.work(0.1)
    assert len(sandbox.mails()) == owner_mails.MAILS_A_DAY


async def test_without_a_mail_server_the_problem_remains(hooks: Any, receivers: Any) -> None:
    partner = hooks.partner()
    endpoint = await disabled(hooks, partner, await receivers(), contact_email=OWNER)
    await hooks.work(0.1)
    assert await mails_of(hooks, endpoint) == []
    assert [one["code"] for one in (await partner.get("/problems"))["items"]] == ["webhook_gone"]


async def paused(partner: Any, endpoint: Any, **changes: Any) -> Any:
    answer = await partner.call("PATCH", f"/endpoints/{endpoint['id']}", json={"state": "paused", **changes})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_pause_outlives_a_change_of_address(hooks: Any, receivers: Any) -> None:
    partner, old, new = hooks.partner(), await receivers(), await receivers()
    endpoint = await partner.verified(old)
    await paused(partner, endpoint)
    changed = (await partner.call("PATCH", f"/endpoints/{endpoint['id']}", json={"url": new.url})).json()
    assert (changed["state"], changed["paused"]) == ("unverified", True)

    async def is_paused() -> bool:
        return bool((await shown(partner, endpoint))["state"] == "paused")

    await hooks.until(is_paused)
    await hooks.deliver(partner.document())
    await hooks.work(0.2)
    assert new.events == [] and old.events == [] and len(new.of("endpoint.challenge")) == 1
    await partner.call("POST", f"/endpoints/{endpoint['id']}/enable")
    await hooks.until(lambda: len(new.events) == 1)
    assert not (await shown(partner, endpoint))["paused"]


async def test_one_that_is_not_verified_yet_can_be_paused(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.register(receiver.url)
    assert (await paused(partner, endpoint, description="later"))["paused"]
    await hooks.deliver(partner.document())
    await hooks.until(lambda: receiver.of("endpoint.challenge"))
    await hooks.work(0.2)
    assert (await shown(partner, endpoint))["state"] == "paused" and receiver.events == []
    await partner.call("POST", f"/endpoints/{endpoint['id']}/enable")
    await hooks.until(lambda: len(receiver.events) == 1)


async def test_what_was_disabled_and_is_enabled_is_not_paused(hooks: Any, receivers: Any) -> None:
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await disabled(hooks, partner, receiver)
    assert (await paused(partner, endpoint))["state"] == "disabled"
    receiver.behaviour = answers(200)
    await partner.call("POST", f"/endpoints/{endpoint['id']}/enable")
    await hooks.until(lambda: len(receiver.events) == 2)
    assert (await shown(partner, endpoint))["state"] == "active"


async def test_a_mail_is_signed_where_there_is_a_key(
    hooks: Any, receivers: Any, sandbox: MailSandbox, tmp_path: Path
) -> None:
    key = rsa.generate_private_key(65537, 2048)
    file = tmp_path / "dkim.pem"
    plain = serialization.NoEncryption()
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    smtp_url = sandbox.environment()["KOPPEL_SMTP_URL"]
    hooks.set(smtp_url=smtp_url, mail_from="koppel@koppel.example", mail_dkim_key_file=file)
    await ended(hooks, await disabled(hooks, hooks.partner(), await receivers(), contact_email=OWNER))
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    (mail,) = sandbox.mails()
    assert dkim.verify(sandbox.raw(mail["uid"]), dnsfunc=lambda *_, **__: record)
