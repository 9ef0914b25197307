"""The kit's promises with a vendor that has no HTTP, no tokens and no search: what nobody can look up waits for a person."""

import asyncio
import json
from base64 import b64decode
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import pytest

from koppel_connector.testing import ConnectorConformance, Fault, HeldBooking, Testbed, VendorHarness
from koppel_mesh.service import Service

SERVICE_FILE = Path(__file__).parent / "letter_connector.py"


class PostOffice:
    """Takes letters, a line each, and answers with a line."""

    def __init__(self) -> None:
        self.letters: list[dict[str, Any]] = []
        self.faults: deque[Fault] = deque()
        self.seen = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"post://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if line := await reader.readline():
            self.seen += 1
            await self._take(json.loads(line), writer)
        writer.close()

    async def _take(self, letter: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        fault = self.faults.popleft() if self.faults else None
        match fault:
            case Fault.RESETS:
                writer.transport.abort()
                return
            case Fault.THROTTLES:
                writer.write(b"450 later\n")
                return
            case Fault.FORBIDS:
                writer.write(b"550 not from here\n")
                return
        self.letters.append(letter)
        match fault:
            case Fault.ACTS_THEN_HANGS:
                await asyncio.sleep(3)
            case Fault.ACTS_THEN_RESETS:
                writer.transport.abort()
            case Fault.ACTS_THEN_HALF_ANSWER:
                writer.write(b"25")
            case Fault.ACTS_THEN_ERROR:
                writer.write(b"999 ?\n")
            case _:
                writer.write(b"250 taken\n")


class LetterHarness(VendorHarness):
    def __init__(self, office: PostOffice) -> None:
        self.office = office

    async def connect(self, testbed: Testbed) -> UUID:
        return await testbed.connect({"address": "office"})

    async def fail(self, fault: Fault, times: int = 1) -> None:
        self.office.faults.extend([fault] * times)

    async def repair(self) -> None:
        self.office.faults.clear()

    async def index_late(self, delay_s: float) -> None:
        """Letters have no index."""

    async def books(self) -> Sequence[HeldBooking]:
        return [
            HeldBooking(
                letter["reference"], files={role: b64decode(content) for role, content in letter["files"].items()}
            )
            for letter in self.office.letters
        ]

    async def objects(self) -> Mapping[str, int]:
        return {"letter": len(self.office.letters)}

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
        async with PostOffice() as office:
            yield LetterHarness(office)

    @pytest.fixture
    def vendor_settings(self, harness: VendorHarness) -> dict[str, Any]:
        assert isinstance(harness, LetterHarness)
        return {"letter_base_url": harness.office.url}
