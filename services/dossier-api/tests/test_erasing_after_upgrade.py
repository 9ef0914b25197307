"""Documents that were there before the eraser are read, batch by batch, before anything is erased."""

from typing import Any

import pytest

from dossier_api import erasing
from dossier_api.service import SERVICE
from koppel_mesh.migrations import upgrade

from .conftest import FIRM, OTHER_FIRM, DossierClient
from .test_erasing import PDF, an_hour_later, change, file_of, leave, marks, paper

_AS_IT_WAS = (
    "DROP FUNCTION mark_content CASCADE",
    "DROP FUNCTION name_content CASCADE",
    "DROP TABLE content_to_erase, content_named, content_to_read",
    "UPDATE alembic_version_dossier_api SET version_num = '0007'",
)
_BUILDS_ON_DOCUMENT = """
    SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
    WHERE i.indrelid = CAST('document' AS regclass) AND a.attname = 'content'
"""


async def test_bytes_that_an_earlier_document_names_stay(
    client: DossierClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "BATCH", 1)
    shared = [await paper(client, firm) for firm in (FIRM, OTHER_FIRM)]
    alone: list[Any] = [await paper(client, FIRM, PDF + bytes([number])) for number in (1, 2, 3)]
    for statement in _AS_IT_WAS:
        await change(client, statement)
    await upgrade(client.context.settings.database_url, SERVICE.name, SERVICE.lineages)
    assert await change(client, _BUILDS_ON_DOCUMENT) == 0, "who writes documents would wait for it"
    # This process is of the new version only now: what it writes meanwhile is named by the trigger.
    late = await paper(client, OTHER_FIRM, PDF + bytes([1]))
    await change(client, "DELETE FROM document WHERE id = :id", id=alone[1]["id"])
    await leave(client)
    await an_hour_later(client)
    assert await marks(client) == 4
    for _ in range(2):
        assert await erasing.erase_next(client.context) and await marks(client) == 4, "it reads"
    while await erasing.erase_next(client.context):
        pass
    assert await marks(client) == 0
    for number, exists in ((1, True), (2, False), (3, False)):
        assert file_of(client, PDF + bytes([number])).exists() is exists
    for document, content in ((shared[1], PDF), (late, PDF + bytes([1]))):
        answer = await client.call("GET", f"/documents/{document['id']}/content/pdf", firm=OTHER_FIRM)
        assert answer.content == content
    await leave(client, OTHER_FIRM)
    await an_hour_later(client)
    while await erasing.erase_next(client.context):
        pass
    assert not file_of(client, PDF).exists() and not file_of(client, PDF + bytes([1])).exists()
