"""Where the File Import API is refused, a document for the Import Viewer goes by mail, and never both ways (R100)."""

import base64
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from connector_octopus.service import SERVICE
from connector_octopus.settings import OctopusSettings
from koppel_connector.mail.mailbox import read_mailbox
from koppel_connector.mail.return_path import ReturnPath
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
    mailed = {name.removeprefix("KOPPEL_").lower(): value for name, value in mail.environment().items()}
    settings = sandbox.service_settings(**{**mailed, "mail_from": "post@koppel.example"})
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


@pytest.mark.parametrize("path", ["authentication$", "authentication/connect$"])
async def test_an_own_login_that_is_not_there_has_the_document_mailed(
    testbed: Testbed, sandbox: Sandbox, mail: MailSandbox, path: str
) -> None:
    sandbox.control("switches", import_takes_rest_token=False)
    missing = f"/octopus-file-import-api/v1/{path}"
    sandbox.control("faults", kind="status", method="POST", path=missing, status=404, body="<html>", times=-1)
    await testbed.connect(TO_VIEWER)
    await testbed.deliver(testbed.ready(*sample(1)))
    await testbed.until_state("exported")
    assert (sandbox.imports(), len(mail.messages())) == ([], 1)


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


async def test_what_bounces_fails_its_delivery_and_twice_degrades_the_connection(
    testbed: Testbed, sandbox: Sandbox, mail: MailSandbox
) -> None:
    sandbox.control("dossier", dossier=DOSSIER, dms=False)
    connection_id = await testbed.connect(TO_VIEWER)
    for number in (1, 2):
        await testbed.deliver(testbed.ready(*sample(number)))
    await testbed.until_state("exported")

    for uid in [each["uid"] for each in mail.mails()]:
        mail.control("give-back", uid=uid)
    async with testbed.owner() as owner:
        assert await read_mailbox(testbed.context) is False
        await testbed.until_state("failed")
        failed = (await owner.get("/v1/deliveries", params={"state": "failed"})).json()["items"]
        assert {each["problem"]["code"] for each in failed} == {"mail_bounced"}
        shown = (await owner.get(f"/v1/connections/{connection_id}")).json()
        assert (shown["state"], shown["health"]["problem"]["code"]) == ("degraded", "mailbox_bounces")
        assert MAILBOX in shown["health"]["problem"]["message"]["en"]


async def test_a_bounce_of_another_service_is_left_in_the_mailbox_that_both_read(
    testbed: Testbed, mail: MailSandbox
) -> None:
    keys = testbed.kit.settings.secret_keys
    sender = ReturnPath("billmail", "bounces@koppel.example", keys).of_connection(uuid4())
    for to in (sender, "somebody@koppel.example"):
        content = f"From: MAILER-DAEMON@x.example\r\nTo: {to}\r\nSubject: Undelivered\r\n\r\n.".encode()
        mail.control("put", to=to, content=base64.b64encode(content).decode())
    await read_mailbox(testbed.context)
    assert [each["flags"] for each in mail.mails("returned")] == [[], ["\\Seen"]]
    assert list(testbed.kit.unseen_mails.values()) == [False], "and is not fetched again"
    assert await testbed.rows("SELECT 1 FROM notice") == []


async def test_where_koppel_sends_no_mail_a_mailbox_is_refused_at_the_settings(
    sandbox: Sandbox, make_database: Callable[..., str]
) -> None:
    async with open_testbed(SERVICE, make_database(SERVICE), **sandbox.service_settings()) as running:
        connection_id = await running.connect(SETTINGS)
        async with running.owner() as owner:
            changes = {"settings": {"import_mailbox": {"sale": MAILBOX}}}
            refused = await owner.patch(f"/v1/connections/{connection_id}", json=changes)
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_settings")
            (error,) = refused.json()["errors"]
            assert (error["field"], error["rule"]) == ("settings.import_mailbox", "no_mail_server")
            assert "KOPPEL_SMTP_URL" in error["message"]
            others = await owner.patch(f"/v1/connections/{connection_id}", json={"settings": {"language": "fr"}})
            assert others.status_code == 200


def test_an_address_that_is_not_plainly_one_mailbox_is_refused_at_the_settings() -> None:
    with pytest.raises(ValidationError, match="address"):
        OctopusSettings.model_validate({**TO_VIEWER, "import_mailbox": {"sale": "een@x.example, twee@x.example"}})
    kept: Any = OctopusSettings.model_validate(TO_VIEWER)
    assert kept.import_mailbox.sale == MAILBOX
