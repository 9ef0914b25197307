"""The kit's promises with a vendor that has no HTTP, no tokens and no search: what nobody can look up waits for a person."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from koppel_connector import ConnectorError
from koppel_connector.calls.vendor import open_vendor
from koppel_connector.contract import MailCall, OutcomeUnknown, RetryLater
from koppel_connector.testing import ConnectorConformance, Fault, HeldBooking, Testbed, VendorHarness, open_testbed
from koppel_mesh.service import Service

from .mail_server import MailServer

SERVICE_FILE = Path(__file__).parent / "letter_connector.py"


class LetterHarness(VendorHarness):
    def __init__(self, office: MailServer) -> None:
        self.office = office

    async def connect(self, testbed: Testbed) -> UUID:
        return await testbed.connect({"address": "office@letters.example"})

    async def fail(self, fault: Fault, times: int = 1) -> None:
        self.office.faults.extend([fault] * times)

    async def repair(self) -> None:
        self.office.faults.clear()

    async def index_late(self, delay_s: float) -> None:
        """Letters have no index."""

    async def books(self) -> Sequence[HeldBooking]:
        return [
            HeldBooking(
                letter["Message-ID"].removeprefix("<").partition("@")[0],
                files={str(part.get_filename()): part.get_content() for part in letter.iter_attachments()},
            )
            for letter in self.office.taken
        ]

    async def objects(self) -> Mapping[str, int]:
        return {"letter": len(self.office.taken)}

    async def calls_seen(self) -> int:
        return self.office.seen

    async def limits_broken(self) -> int:
        return 0

    async def spent_tokens_used(self) -> int:
        return 0


class TestLetterConformance(ConnectorConformance):
    service_path = f"{SERVICE_FILE}:SERVICE"
    shares_books = False
    passes = (0,)  # one call sends a letter, and nothing is read back

    @pytest.fixture
    def service(self) -> Service:
        from .letter_connector import SERVICE

        return SERVICE

    @pytest.fixture
    async def harness(self) -> AsyncIterator[VendorHarness]:
        async with MailServer() as office:
            yield LetterHarness(office)

    @pytest.fixture
    def vendor_settings(self, harness: VendorHarness) -> dict[str, Any]:
        assert isinstance(harness, LetterHarness)
        return {"letter_port": harness.office.port}


@pytest.mark.parametrize(
    ("verb", "reply", "ending"),
    [("MAIL", b"no reply for hush-4071\r\n", RetryLater), ("DATA", b"250 thanks hush-4071\r\n", OutcomeUnknown)],
    ids=["cannot have acted", "may have acted"],
)
async def test_what_a_mail_server_says_is_kept_without_secrets(
    make_database: Callable[..., str], verb: str, reply: bytes, ending: type[ConnectorError]
) -> None:
    from .letter_connector import SERVICE

    async with (
        MailServer() as server,
        open_testbed(SERVICE, make_database(SERVICE), letter_port=server.port) as testbed,
    ):
        connection_id = await testbed.connect({"address": "office@letters.example", "password": "hush-4071"})
        async with testbed.context.database.reading() as reading:
            row = await testbed.kit.connections.read(reading, connection_id)
        assert row is not None
        opened = await open_vendor(testbed.kit, row)
        server.refused[verb] = reply
        with pytest.raises(ending) as caught:
            await opened.send_mail(MailCall("letter", EmailMessage(), "a@koppel.example", ("b@letters.example",)))
        async with testbed.context.database.transaction() as tx:
            await opened.flush(tx)
        (kept,) = await testbed.rows("SELECT message FROM attempt WHERE operation = 'letter'")
    for text in (kept.message, str(caught.value)):
        assert "•••" in text
        assert "hush-4071" not in text


async def test_no_content_leaves_when_the_claim_is_lost_while_the_server_takes_the_envelope(
    make_database: Callable[..., str],
) -> None:
    from .letter_connector import SERVICE

    async with (
        MailServer() as server,
        open_testbed(SERVICE, make_database(SERVICE), letter_port=server.port) as testbed,
    ):
        harness = LetterHarness(server)
        await harness.connect(testbed)
        recipients = 0

        def die() -> None:
            nonlocal recipients
            recipients += 1
            testbed.kit.owner.id = uuid4()

        async def has_begun() -> bool:
            return recipients > 0

        server.on_recipient = die
        await testbed.deliver(testbed.ready(*harness.document(1)))
        await testbed.until(has_begun, "the server takes a recipient")
        await asyncio.sleep(0.5)
        assert server.seen == 0
