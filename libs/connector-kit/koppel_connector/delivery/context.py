"""What a connector gets in hand: the document as dossier-api tells it, its bytes, and scratch that outlives us."""

import json
from typing import Any

from koppel_bookkeeping import Document
from koppel_connector.calls.vendor import OpenVendor
from koppel_connector.contract.delivery import Delivery, DeliveryContext, Trace
from koppel_connector.contract.storable import storable
from koppel_connector.kit import Kit
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.prepared_sql import Statement

from .prior_deliveries import read_traces
from .store import DeliveryRow

_DOSSIER = Statement("SELECT * FROM dossier WHERE id = :id")


class DocumentGone(Exception):
    """dossier-api no longer knows the document."""


async def open_context(kit: Kit, vendor: OpenVendor, row: DeliveryRow) -> DeliveryContext:
    """Read the document and return what the connector works with.

    Raises:
        DocumentGone: there is no such document any more.
        InternalCallError: dossier-api cannot be reached now.
    """
    try:
        document = await kit.mesh.get_json(f"/dossier-api/v1/documents/{row.document_id}")
    except InternalCallError as error:
        if error.status in (404, 410):
            raise DocumentGone(str(error)) from error
        raise
    return make_context(
        kit, vendor, row, Document.model_validate(document), await _dossier_of(kit, row), await read_traces(kit, row)
    )


def make_context(
    kit: Kit,
    vendor: OpenVendor,
    row: DeliveryRow,
    document: Document | None,
    owner: dict[str, Any],
    traces: tuple[Trace, ...] = (),
) -> DeliveryContext:
    """Return a delivery as a connector sees it. In ``read_back`` there is no ``document``, and ``owner`` is empty."""

    async def read_content(role: str) -> bytes:
        try:
            return await kit.mesh.get_bytes(f"/dossier-api/v1/documents/{row.document_id}/content/{role}")
        except InternalCallError as error:
            if error.status == 404:
                raise KeyError(role) from error
            raise

    def write_progress(progress: dict[str, Any]) -> None:
        vendor.save_progress(row.id, json.dumps(storable(progress), default=str))

    return DeliveryContext(
        delivery=Delivery(
            row.id,
            row.document_id,
            row.revision,
            row.operation,
            row.kind,
            row.remote_id,
            row.due_at or row.read_at,
            row.target,
            was_booked=row.booked_at is not None,
        ),
        remote_ref=row.remote_ref,
        remote_uuid=row.remote_uuid,
        filed=document,
        dossier=owner,
        vendor=vendor,
        progress=dict(row.progress),
        first_sent_at=row.first_sent_at,
        traces=traces,
        read_content=read_content,
        write_progress=write_progress,
    )


async def _dossier_of(kit: Kit, row: DeliveryRow) -> dict[str, Any]:
    known = kit.dossiers.get(row.dossier_id)
    if known is None:
        async with kit.database.reading() as reading:
            found = await _DOSSIER.one_or_none(reading, {"id": row.dossier_id})
        if found is None:
            known = await kit.mesh.get_json(f"/dossier-api/v1/dossiers/{row.dossier_id}")
        else:
            known = {**found, "id": str(found.id), "firm_id": str(found.firm_id)}
        kit.dossiers.put(row.dossier_id, known)
    return dict(known)
