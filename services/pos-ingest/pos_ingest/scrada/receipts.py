"""``POST pos/receipts``: the tickets of a till."""

from typing import Any

from pos_ingest.dossiers import insist_on_dossier
from pos_ingest.tickets import intake
from pos_ingest.tickets.results import TicketResult
from pos_ingest.tickets.stream import receive

from .call import Call
from .errors import ErrorCode, ErrorType, ScradaError


async def add(call: Call) -> list[dict[str, Any]]:
    """Take receipts, each once.

    Raises:
        ScradaError: some were refused, each with why; the others were taken, and may be sent again with them.
    """
    dossier = await insist_on_dossier(call.context, call.caller, call.company.dossier_id)
    call.insist_on_json()
    with await receive(call.request) as body:
        results = await intake.take(call.context, dossier, body)
    refused = [result for result in results if result.status == "error"]
    if not refused:
        return [{"receiptID": result.receipt_id, "status": result.status} for result in results]
    inner = [
        ScradaError(400, ErrorType.VALIDATION, ErrorCode.RECEIPT_REFUSED, (result.receipt_id or "-", _why(result)))
        for result in refused
    ]
    counts = (str(len(refused)), str(len(results)))
    raise ScradaError(400, ErrorType.VALIDATION, ErrorCode.RECEIPTS_REFUSED, counts, inner)


def _why(result: TicketResult) -> str:
    return f"{result.field or 'receipt'}: {result.message} ({result.code})"
