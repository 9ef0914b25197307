"""The mail sandbox as the conformance suite sees a vendor: its mailbox is the books."""

from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import koppel_ubl
from koppel_connector.testing import Fault, HeldBooking, Testbed, VendorHarness
from koppel_sandbox.mail.testing import MailSandbox

SALES = "1234.Bakkerij@yukiworks.be"
YUKI = {"profile": "yuki", "addresses": {"sale": SALES}}
_RULES: Mapping[Fault, Mapping[str, Any]] = {
    Fault.ACTS_THEN_HANGS: {"kind": "hang_after", "seconds": 3.0},
    Fault.ACTS_THEN_RESETS: {"kind": "drop_after"},
    Fault.ACTS_THEN_HALF_ANSWER: {"kind": "half_answer_after"},
    Fault.ACTS_THEN_ERROR: {"kind": "odd_answer_after"},
    Fault.RESETS: {"kind": "drop_before"},
    Fault.THROTTLES: {"kind": "refuse", "reply": "450 4.7.28 too many mails from you"},
    Fault.FORBIDS: {"kind": "refuse_content", "reply": "550 5.7.1 not from here"},
}


class MailHarness(VendorHarness):
    def __init__(self, sandbox: MailSandbox) -> None:
        self.sandbox = sandbox

    async def connect(self, testbed: Testbed) -> UUID:
        return await testbed.connect(YUKI)

    async def fail(self, fault: Fault, times: int = 1) -> None:
        self.sandbox.control("rules", times=times, **_RULES[fault])

    async def repair(self) -> None:
        self.sandbox.control("rules", clear=True)

    async def index_late(self, delay_s: float) -> None:
        """A mailbox has no index."""

    async def books(self) -> Sequence[HeldBooking]:
        return [HeldBooking(reference_of(message), files=files_of(message)) for message in self.sandbox.messages()]

    async def objects(self) -> Mapping[str, int]:
        return {"mail": len(self.sandbox.mails())}

    async def calls_seen(self) -> int:
        return self.sandbox.taker.seen

    async def limits_broken(self) -> int:
        return 0

    async def spent_tokens_used(self) -> int:
        return 0


def reference_of(message: EmailMessage) -> str:
    return str(message["Message-ID"]).removeprefix("<").partition("@")[0]


def files_of(message: EmailMessage) -> dict[str, bytes]:
    """Return the attachments as a receiver sees them: the files inside a UBL too."""
    files: dict[str, bytes] = {}
    for part in message.iter_attachments():
        name, content = str(part.get_filename()), part.get_payload(decode=True)
        assert isinstance(content, bytes)
        files[name] = content
        if name.endswith(".xml"):
            files |= {
                each.file_name or each.id or "?": each.content or b"" for each in koppel_ubl.read(content).attachments
            }
    return files
