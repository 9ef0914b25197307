"""Where the File Import API is refused, a document for the Import Viewer goes by mail, and never both ways (R100)."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from connector_octopus.service import SERVICE
from connector_octopus.settings import OctopusSettings
from koppel_connector.testing import Testbed, open_testbed, sample
from koppel_sandbox.mail.testing import MailSandbox

from .harness import DOSSIER, SETTINGS, Sandbox

MAILBOX = "Bakkerij.40117@import.octopus.example"
TO_VIEWER = {**SETTINGS, "destination": {"sale": "import_viewer"}, "import_mailbox": {"sale": MAILBOX}}


@pytest.fixture(scope="module")
def running_mail() -> Iterator[MailSandbox]:
    with MailSandbox() as running:
        yield running


@pytest.fixture
def mail(running_mail: MailSandbox) -> MailSandbox:
    running_mail.control("reset")
    return running_mail


@pytest.fixture
async def testbed(sandbox: Sandbox, mail: MailSandbox, make_database: Callable[..., str]) -> AsyncIterator[Testbed]:
    settings = sandbox.service_settings(smtp_url=mail.environment()["KOPPEL_SMTP_URL"], mail_from="post@koppel.example")
    async with open_testbed(SERVICE, make_database(SERVICE), **settings) as running:
        yield running


def uploads(sandbox: Sandbox) -> int:
    return sum(1 for line in sandbox.state.log if "imports" in line.operation)


async def test_a_dossier_whose_api_is_refused_gets_its_documents_by_mail(
    testbed: Testbed, sandbox: Sandbox, mail: MailSandbox
) -> None:
    sandbox.control("dossier", dossier=DOSSIER, dms=False)
    await testbed.connect(TO_VIEWER)
    for number in (1, 2):
        await testbed.deliver(testbed.ready(*sample(number)))
        rows = await testbed.until_state("exported")
    assert len(rows) == 2
    assert uploads(sandbox) == 1, "the second document knows of the refusal"
    assert (sandbox.imports(), sandbox.bookings()) == ([], [])
    messages = mail.messages()
    assert {message["Message-ID"] for message in messages} == {row.remote_id for row in rows}
    for message in messages:
        assert (message["To"], message["From"].addresses[0].addr_spec) == (MAILBOX, "post@koppel.example")
        files = [str(part.get_filename()) for part in message.iter_attachments()]
        assert [name.rpartition(".")[2] for name in files] == ["xml"], "its picture is inside"


async def test_what_the_api_took_a_part_of_is_never_mailed(
    testbed: Testbed, sandbox: Sandbox, mail: MailSandbox
) -> None:
    sandbox.control("faults", kind="status", method="POST", path="files/imports", status=403, body="{}", skip=1)
    await testbed.connect(TO_VIEWER)
    await testbed.deliver(testbed.ready(*sample(1)))
    await testbed.until_blocked("import_viewer_refused")
    assert (len(sandbox.imports()), mail.mails()) == (1, [])


async def test_a_mailbox_that_is_refused_is_the_accountants_to_correct(
    testbed: Testbed, sandbox: Sandbox, mail: MailSandbox
) -> None:
    sandbox.control("dossier", dossier=DOSSIER, dms=False)
    mail.control("rules", kind="refuse_content", reply="550 5.1.1 no such mailbox", times=1)
    connection_id = await testbed.connect(TO_VIEWER)
    await testbed.deliver(testbed.ready(*sample(1)))
    await testbed.until_blocked("import_mailbox_refused")
    async with testbed.owner() as owner:
        corrected = {"settings": {"import_mailbox": {"sale": f"juist.{MAILBOX}"}}}
        assert (await owner.patch(f"/v1/connections/{connection_id}", json=corrected)).status_code == 200
    await testbed.until_state("exported")
    assert [message["To"] for message in mail.messages()] == [f"juist.{MAILBOX}"]


def test_an_address_that_is_not_plainly_one_mailbox_is_refused_at_the_settings() -> None:
    with pytest.raises(ValidationError, match="address"):
        OctopusSettings.model_validate({**TO_VIEWER, "import_mailbox": {"sale": "een@x.example, twee@x.example"}})
    kept: Any = OctopusSettings.model_validate(TO_VIEWER)
    assert kept.import_mailbox.sale == MAILBOX
