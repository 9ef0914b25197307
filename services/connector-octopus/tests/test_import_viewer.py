"""Documents that go to the Document Import Viewer instead of a journal."""

from typing import Any

import pytest

from connector_octopus.profile import IMPORT_VIEWER
from koppel_connector import ActionRequired
from koppel_connector.contract import OutcomeUnknown

from .documents import delivery
from .harness import DOSSIER, Sandbox, Vendor

OF_VIEWER: dict[str, Any] = {"target": IMPORT_VIEWER}


async def test_the_files_of_a_document_wait_in_its_folder_and_nothing_is_booked(
    vendor: Vendor, sandbox: Sandbox
) -> None:
    await vendor.send(delivery(vendor, kind="purchase_invoice", of=OF_VIEWER))
    await vendor.send(delivery(vendor, of=OF_VIEWER))
    assert [(row["subfolder"], row["fileName"]) for row in sandbox.imports()] == [
        ("Aankopen", "2026-0001.pdf"),
        ("Aankopen", "2026-0001.xml"),
        ("Verkopen", "2026-0001.pdf"),
        ("Verkopen", "2026-0001.xml"),
    ]
    assert sandbox.bookings() == []
    assert len(sandbox.relations()) == 5, "no relation is made for a document that nobody books yet"


async def test_a_dossier_without_document_management_says_what_must_be_active(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.control("dossier", dossier=DOSSIER, dms=False)
    with pytest.raises(ActionRequired) as refused:
        await vendor.send(delivery(vendor, of=OF_VIEWER))
    assert refused.value.problem is not None
    assert refused.value.problem.code == "import_viewer_refused"


async def test_a_resumed_upload_repeats_no_file(vendor: Vendor, sandbox: Sandbox) -> None:
    context = delivery(vendor, of=OF_VIEWER)
    sandbox.control("faults", kind="reset_before", method="POST", path="files/imports", skip=1)
    with pytest.raises(OutcomeUnknown):
        await vendor.send(context)
    assert context.progress["uploaded"] == ["2026-0001.pdf"]
    await vendor.send(context)
    assert [row["fileName"] for row in sandbox.imports()] == ["2026-0001.pdf", "2026-0001.xml"]


async def test_an_api_that_wants_its_own_login_gets_it(vendor: Vendor, sandbox: Sandbox) -> None:
    sandbox.control("switches", import_takes_rest_token=False)
    for number in range(2):
        await vendor.send(delivery(vendor, of=OF_VIEWER, swaps={"2026-0001": f"2026-{number:04}"}))
    assert len(sandbox.imports()) == 4
    refused = [call for call in vendor.calls if call.status == 401]
    assert len(refused) == 1, "the second document logs in at once"


async def test_without_a_password_there_is_no_login_of_its_own(sandbox: Sandbox, vendor: Vendor) -> None:
    sandbox.control("switches", import_takes_rest_token=False)
    vendor.settings = vendor.settings.model_copy(update={"password": None, "login": "oauth"})
    with pytest.raises(ActionRequired) as refused:
        await vendor.send(delivery(vendor, of=OF_VIEWER))
    assert refused.value.problem is not None
    assert refused.value.problem.code == "import_viewer_refused"
