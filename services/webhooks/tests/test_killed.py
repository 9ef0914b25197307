"""The service killed as a process (SIGKILL) between writes of its sender: nothing is lost, and what comes twice has one id."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from koppel_connector.testing.service_process import PATIENCE_S, ServiceProcess
from koppel_sandbox.mail.testing import MailSandbox
from koppel_sandbox.ports import free_port

from .conftest import KEYS, Hooks
from .identity_server import IdentityServer
from .receiver import Received, Receiver, answers, response

pytestmark = pytest.mark.asyncio(loop_scope="module")
WEBHOOKS = "webhooks.service:SERVICE"
_WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE :statement
"""
_LEASES_END = "UPDATE delivery SET due_at = now(), leased_until = now() WHERE due_at IS NOT NULL"


class Scene:
    """The service of the test, which finds the leases of the dead ones and goes on; and processes of it that die."""

    def __init__(self, hooks: Hooks, identity: IdentityServer, mails: MailSandbox) -> None:
        self.hooks, self.identity, self.mails = hooks, identity, mails

    @contextmanager
    def process(self) -> Iterator[ServiceProcess]:
        """Run the service for the block, at the end of which it is killed."""
        process = ServiceProcess(
            WEBHOOKS,
            {
                "KOPPEL_DATABASE_URL": self.hooks.context.settings.database_url,
                "KOPPEL_AMQP_URL": f"amqp://127.0.0.1:{free_port()}",
                "KOPPEL_PORT": str(free_port()),
                "KOPPEL_PUBLIC_URL": self.identity.url,
                "KOPPEL_SECRET_KEYS": KEYS[0],
                "KOPPEL_SERVICE_CLIENT_SECRET": "of-a-service",
                "KOPPEL_LOG_LEVEL": "error",
                "KOPPEL_WEBHOOK_LOOPBACK": "true",
                "KOPPEL_MAIL_FROM": "koppel@koppel.example",
                **self.mails.environment(),
            },
        )
        try:
            yield process
        finally:
            process.kill()

    async def killed_before(self, held: str, statement: str) -> None:
        """Hold something in the database, and kill the process when a statement of its waits for it."""
        async with self.hooks.database.transaction() as tx:
            await tx.execute(text(held))
            with self.process() as process:
                await self.until(process, lambda: self.is_waiting(statement), statement)

    async def is_waiting(self, statement: str) -> bool:
        async with self.hooks.database.reading() as reading:
            return bool((await reading.execute(text(_WAITING), {"statement": f"%{statement}%"})).scalar_one())

    async def until(self, process: ServiceProcess, condition: Callable[[], Any], what: str) -> None:
        """Wait for something that the process brings about."""
        end = time.monotonic() + PATIENCE_S
        while not (await found if asyncio.iscoroutine(found := condition()) else found):
            assert process.lives, "it ended by itself"
            assert time.monotonic() < end, f"it never came to {what}"
            await asyncio.sleep(0.02)

    async def leases_end(self) -> None:
        """Let the time pass after which somebody else takes over what the dead process had claimed."""
        await self.hooks.sql(_LEASES_END)


@pytest.fixture(scope="module")
def _beside() -> Iterator[tuple[IdentityServer, MailSandbox]]:
    ServiceProcess.prepare(WEBHOOKS)
    identity = IdentityServer()
    with MailSandbox() as mails:
        yield identity, mails
    identity.shutdown()
    identity.server_close()


@pytest.fixture
def scene(hooks: Hooks, _beside: tuple[IdentityServer, MailSandbox]) -> Iterator[Scene]:
    _beside[1].control("reset")
    yield Scene(hooks, *_beside)
    _beside[0].goes_on.set()


async def ready(hooks: Hooks, receivers: Any) -> tuple[Any, Receiver, Any]:
    """Give a partner with a receiver and its endpoint, and two events of one document on their way."""
    partner, receiver = hooks.partner(), await receivers()
    endpoint = await partner.verified(receiver, "document.received", "document.findings", contact_email="me@p.example")
    await hooks.deliver(partner.document(findings_count=1))
    return partner, receiver, endpoint


async def arrived(hooks: Hooks, partner: Any, receiver: Receiver, endpoint: Any, *, repeated: int) -> None:
    """See that both events came in order, the first so many times more than once, each with its own bytes and id."""

    async def all_delivered() -> bool:
        return {one["state"] for one in await partner.deliveries(endpoint)} == {"delivered"}

    await hooks.until(all_delivered)
    assert [one["sequence"] for one in receiver.events] == [1] * (1 + repeated) + [2]
    first = receiver.of("document.received")
    assert len({(one.headers["webhook-id"], one.body) for one in first}) == 1


async def test_killed_before_it_claims(scene: Scene, hooks: Hooks, receivers: Any) -> None:
    partner, receiver, endpoint = await ready(hooks, receivers)
    await scene.killed_before("SELECT FROM delivery FOR UPDATE", "WITH open_endpoint")
    assert receiver.events == []
    await arrived(hooks, partner, receiver, endpoint, repeated=0)


async def test_killed_after_it_has_claimed_before_it_calls(scene: Scene, hooks: Hooks, receivers: Any) -> None:
    partner, receiver, endpoint = await ready(hooks, receivers)
    scene.identity.hold()
    with scene.process() as process:
        await scene.until(process, scene.identity.held.is_set, "the question to identity")
    scene.identity.goes_on.set()
    await hooks.work(0.1)
    assert receiver.events == [], "the lease of the dead process holds"
    await scene.leases_end()
    await arrived(hooks, partner, receiver, endpoint, repeated=0)


class Answering:
    """A receiver that answers when it is told to; challenges too."""

    def __init__(self, receiver: Receiver, answer: Callable[[Received], bytes]) -> None:
        self.answers_now = asyncio.Event()
        self._answer = answer
        receiver.refuses_challenges, receiver.behaviour = True, self._behave

    async def _behave(self, _: Receiver, request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.wait_for(self.answers_now.wait(), PATIENCE_S)
        writer.write(self._answer(request))


async def test_killed_while_the_receiver_is_about_to_answer(scene: Scene, hooks: Hooks, receivers: Any) -> None:
    partner, receiver, endpoint = await ready(hooks, receivers)
    Answering(receiver, lambda _: b"")
    with scene.process() as process:
        await scene.until(process, lambda: receiver.events, "the call")
    receiver.behaviour = answers(200)
    await scene.leases_end()
    await arrived(hooks, partner, receiver, endpoint, repeated=1)


_RECORDING = {
    "delivery": ("SELECT FROM delivery FOR SHARE", "UPDATE delivery d SET state"),
    "attempt": ("LOCK TABLE attempt IN SHARE ROW EXCLUSIVE MODE", "INSERT INTO attempt"),
    "endpoint": ("SELECT FROM endpoint FOR SHARE", "UPDATE endpoint e SET"),
    "owner_mail": ("LOCK TABLE owner_mail IN SHARE ROW EXCLUSIVE MODE", "INSERT INTO owner_mail"),
}
"""What is held after the call, and the statement that waits for it when the process dies."""


async def killed_after_the_call(scene: Scene, receiver: Receiver, status: int, table: str) -> None:
    held, statement = _RECORDING[table]
    answering = Answering(receiver, lambda _: response(status))
    with scene.process() as process:
        await scene.until(process, lambda: receiver.events, "the call")
        async with scene.hooks.database.transaction() as tx:
            await tx.execute(text(held))
            answering.answers_now.set()
            await scene.until(process, lambda: scene.is_waiting(statement), statement)
            process.kill()
    await scene.leases_end()


@pytest.mark.parametrize("table", ["delivery", "attempt"])
async def test_killed_after_the_answer_before_it_is_recorded(
    scene: Scene, hooks: Hooks, receivers: Any, table: str
) -> None:
    partner, receiver, endpoint = await ready(hooks, receivers)
    await killed_after_the_call(scene, receiver, 200, table)
    await arrived(hooks, partner, receiver, endpoint, repeated=1)


@pytest.mark.parametrize("table", ["endpoint", "owner_mail"])
async def test_killed_while_it_disables(scene: Scene, hooks: Hooks, receivers: Any, table: str) -> None:
    """It is disabled, and its owner told, in one transaction: by who goes on, once."""
    partner, receiver, endpoint = await ready(hooks, receivers)
    await killed_after_the_call(scene, receiver, 410, table)
    at = f"/endpoints/{endpoint['id']}"
    assert (await partner.get(at))["state"] == "active" and scene.mails.mails() == []
    with scene.process() as process:
        await scene.until(process, scene.mails.mails, "the mail")
    assert (await partner.get(at))["state"] == "disabled"
    assert len(scene.mails.mails()) == 1


async def test_killed_after_a_mail_was_taken_before_that_is_heard(scene: Scene, hooks: Hooks, receivers: Any) -> None:
    _, receiver, _ = await ready(hooks, receivers)
    receiver.behaviour = answers(410)
    scene.mails.control("rules", kind="hang_after", seconds=PATIENCE_S, times=1)
    with scene.process() as process:
        await scene.until(process, scene.mails.mails, "the mail")
    await hooks.sql("UPDATE owner_mail SET due_at = now() WHERE due_at IS NOT NULL")
    with scene.process() as process:
        await scene.until(process, lambda: len(scene.mails.mails()) == 2, "the same again")
    assert len({message["Message-ID"] for message in scene.mails.messages()}) == 1


async def test_killed_after_a_challenge_was_answered_before_that_is_recorded(
    scene: Scene, hooks: Hooks, receivers: Any
) -> None:
    partner, receiver = hooks.partner(), await receivers()
    answering = Answering(receiver, lambda one: response(200, one.event["data"]["challenge"].encode()))
    endpoint = await partner.register(receiver.url)
    with scene.process() as process:
        await scene.until(process, lambda: receiver.all, "the challenge")
        async with hooks.database.transaction() as tx:
            await tx.execute(text("SELECT FROM endpoint FOR SHARE"))
            answering.answers_now.set()
            await scene.until(process, lambda: scene.is_waiting("UPDATE endpoint SET state = CASE"), "its record")
            process.kill()
    await hooks.sql("UPDATE endpoint SET challenge_due_at = now()")

    async def is_active() -> bool:
        return bool((await partner.get(f"/endpoints/{endpoint['id']}"))["state"] == "active")

    await hooks.until(is_active)
    first, second = receiver.of("endpoint.challenge")
    assert (first.headers["webhook-id"], first.event["data"]) == (second.headers["webhook-id"], second.event["data"])
