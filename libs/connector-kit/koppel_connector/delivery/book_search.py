"""Searching the books before the first send: a document that somebody else booked already is not booked again.

An accountant types an invoice in, another program sends it, and vendors take the same number twice. What is found with the
number, counterparty, date and total of a document, and was not made by us, is a person's to judge; what differs in date or total
is warned of. One question answers for whatever is due at the connection, and what it did not find is remembered until their turn.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from koppel_bookkeeping import SIDES, Document
from koppel_bookkeeping.business_keys import keys_of_counterparty
from koppel_bookkeeping.document import Counterparty
from koppel_bookkeeping.entries_in_books import EntryInBooks, Resemblance, SoughtDocument, resemblance, sought
from koppel_connector import refused_questions
from koppel_connector.calls.vendor import OpenVendor
from koppel_connector.contract.delivery import DeliveryContext
from koppel_connector.contract.errors import ActionRequired, RateLimited, Rejected, RetryLater
from koppel_connector.contract.limits import BookSearch
from koppel_connector.contract.memory import Memory
from koppel_connector.contract.problems import Problem
from koppel_connector.contract.storable import storable
from koppel_connector.kit import Kit
from koppel_connector.tables import NOT_AT_ITS_END
from koppel_mesh.clock import utc_now
from koppel_mesh.http.internal_client import InternalCallError
from koppel_mesh.prepared_sql import Statement

from .store import DeliveryRow

FOUND: Final = "entries_in_books"
"""The key of ``progress`` under which a person's question is kept: what was found, and when."""
_QUESTION: Final = "entries of others in the books"
_QUESTION_OF_SEVERAL: Final = "entries of others in the books, of several documents at once"
_FAILS: Final = "searches of the books that fail"
_NOT_FOUND: Final = "documents not in the books"
_SHARED: Final = "counterparties that others book too"
_SHARED_MAX: Final = 2_000
_WARNINGS: Final = frozenset({"entry_alike_in_books", "books_not_searched"})

_DUE = Statement("""
    SELECT d.id, d.document_id FROM delivery d
    WHERE d.connection_id = :connection_id AND d.state = 'ready' AND d.due_at <= clock_timestamp()
        AND d.kind = ANY(CAST(:kinds AS text[]))
    ORDER BY d.due_at, d.id LIMIT :count
""")
_OURS = Statement(f"""
    WITH way AS (
        SELECT w.id FROM connection w JOIN connection here ON here.id = :connection_id
            AND coalesce(w.books_scope, w.limit_scope) = coalesce(here.books_scope, here.limit_scope)
    )
    SELECT d.remote_id, d.remote_ref, d.remote_uuid FROM delivery d
    WHERE d.connection_id IN (SELECT id FROM way)
        AND (d.remote_id = ANY(CAST(:ids AS text[])) OR d.remote_ref = ANY(CAST(:references AS text[])))
    UNION ALL
    SELECT d.remote_id, d.remote_ref, d.remote_uuid FROM delivery d
    WHERE d.connection_id IN (SELECT id FROM way) AND d.remote_id IS NULL AND {NOT_AT_ITS_END}
        AND CAST(d.remote_uuid AS text) = ANY(CAST(:ids AS text[]))
""")


async def find_in_books(
    kit: Kit, vendor: OpenVendor, row: DeliveryRow, waiting: Sequence[DeliveryRow], context: DeliveryContext
) -> Problem | EntryInBooks | None:
    """Return what a person must be told before a document is sent, or the entry of this very delivery; None when it may go.

    Args:
        kit: the running connector.
        vendor: its open connection.
        row: the delivery in hand.
        waiting: those that were claimed with it: one question answers for them too.
        context: of the delivery in hand; it keeps what was found, and is given the warnings.

    Raises:
        ConnectorError: the vendor cannot be asked now.
    """
    search, document = kit.profile.book_search, sought(context.document)
    if search is None or document is None:
        return None
    shared = await _is_shared(vendor.memory, document.counterparty)
    if not shared and await _was_not_found(vendor.memory, row, search):
        return None
    if (refused := await refused_questions.known(vendor.memory, _QUESTION)) is not None:
        await _warn(context, _not_searched(refused.problem))
        return None
    if not shared and (fails := await vendor.memory.recall(_FAILS, search.believed_s)) is not None:
        await _warn(context, Problem("books_not_searched", fails.value))
        return None
    observed_at = utc_now()
    try:
        asked, entries = await _ask(kit, vendor, row, waiting, document)
    except (Rejected, ActionRequired) as failure:
        # What cannot be asked keeps no document back: most books have no entry of others.
        refused = failure if isinstance(failure, Rejected) else Rejected(failure.problem or Problem("missing_right"))
        await refused_questions.remember(vendor.memory, _QUESTION, refused)
        await _warn(context, _not_searched(refused.problem))
        return None
    except RetryLater as failure:
        # The vendor may be away: that shows when it was left alone for a while. If only its search is, nobody waits for it.
        if shared or row.failures == 0:
            raise
        await vendor.memory.remember(_FAILS, str(failure), observed_at=observed_at)
        await _warn(context, _not_searched(failure.problem))
        return None
    except RateLimited as limited:
        if shared or limited.holds != "operation":
            raise
        await _warn(context, _not_searched(limited.problem or Problem("rate_limited")))
        return None
    found = {id_: resemblance(each, entries) for id_, each in asked.items()}
    await _remember_absent(vendor.memory, [id_ for id_, each in found.items() if not each.entries], observed_at, search)
    return await _judged(kit, vendor, row, context, found[row.id])


async def note_shared(memory: Memory, counterparty: Counterparty | None) -> None:
    """Note that others book what comes from this counterparty: what is theirs is searched anew each time from now on."""
    if counterparty is None:
        return
    kept = await memory.recall(_SHARED, outlives_restore=True)
    known: list[str] = kept.value if kept else []
    if new := [key for key in keys_of_counterparty(counterparty) if key not in known]:
        await memory.remember(_SHARED, [*known, *new][-_SHARED_MAX:])


def found_entry(progress: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the number and address of the entry that a person was asked about; empty where nobody was."""
    found = progress.get(FOUND) or {}
    return dict(found["entries"][0]) if found else {}


# ------------------------------------------------------------------------------------------------------------- the question


async def _ask(
    kit: Kit, vendor: OpenVendor, row: DeliveryRow, waiting: Sequence[DeliveryRow], document: SoughtDocument
) -> tuple[dict[UUID, SoughtDocument], Sequence[EntryInBooks]]:
    """Ask for whatever is due, or where the vendor refuses that, for the document in hand; return what was asked, and found."""
    assert kit.profile.book_search is not None
    if await refused_questions.known(vendor.memory, _QUESTION_OF_SEVERAL) is None:
        others = await _due_documents(kit, row, waiting, kit.profile.book_search.batch - 1)
        if others:
            asked = {row.id: document, **others}
            ask_all = partial(kit.connector.search_books, vendor, list(asked.values()))
            entries = await refused_questions.ask(vendor.memory, _QUESTION_OF_SEVERAL, ask_all)
            if entries is not None:
                return asked, entries
    return {row.id: document}, await kit.connector.search_books(vendor, [document])


async def _is_shared(memory: Memory, counterparty: Counterparty) -> bool:
    kept = await memory.recall(_SHARED, outlives_restore=True)
    return bool(kept and set(keys_of_counterparty(counterparty)) & set(kept.value))


async def _was_not_found(memory: Memory, row: DeliveryRow, search: BookSearch) -> bool:
    """Return whether a question that was asked since the delivery is due found nothing; after a try it is due anew."""
    kept = await memory.recall(_NOT_FOUND, search.believed_s)
    observed_at: datetime | None = kept.value.get(str(row.id)) if kept else None
    if observed_at is None or (row.due_at is not None and observed_at < row.due_at):
        return False
    return (utc_now() - observed_at).total_seconds() < search.believed_s


async def _remember_absent(memory: Memory, absent: Sequence[UUID], observed_at: datetime, search: BookSearch) -> None:
    kept = await memory.recall(_NOT_FOUND, search.believed_s)
    still = {
        id_: at
        for id_, at in (kept.value if kept else {}).items()
        if (observed_at - at).total_seconds() < search.believed_s
    }
    await memory.remember(_NOT_FOUND, {**still, **{str(id_): observed_at for id_ in absent}}, observed_at=observed_at)


async def _due_documents(
    kit: Kit, row: DeliveryRow, waiting: Sequence[DeliveryRow], count: int
) -> dict[UUID, SoughtDocument]:
    """Return what else is due at the connection, claimed or not; documents that cannot be read now are left out."""
    of_delivery = {each.id: each.document_id for each in waiting if each.unknown_since is None and each.kind in SIDES}
    if (more := count - len(of_delivery)) > 0:
        values = {"connection_id": row.connection_id, "kinds": [kind.value for kind in SIDES], "count": more}
        async with kit.database.reading() as reading:
            of_delivery |= {each.id: each.document_id for each in await _DUE.all(reading, values)}
    documents: dict[UUID, SoughtDocument] = {}
    for id_, document_id in list(of_delivery.items())[:count]:
        with suppress(InternalCallError):
            read = await kit.mesh.get_json(f"/dossier-api/v1/documents/{document_id}")
            if (document := sought(Document.model_validate(read))) is not None:
                documents[id_] = document
    return documents


# --------------------------------------------------------------------------------------------------------------- the answer


async def _judged(
    kit: Kit, vendor: OpenVendor, row: DeliveryRow, context: DeliveryContext, found: Resemblance
) -> Problem | EntryInBooks | None:
    own = next((entry for entry in found.entries if _is_own(row, entry)), None)
    if own in found.same:
        return own
    of_others = Resemblance(same=[own]) if own else await _of_others(kit, row, found)
    if not of_others.entries:
        await _warn(context, None)
        return None
    await note_shared(vendor.memory, context.document.counterparty)
    if new := [entry for entry in of_others.same if not _is_decided(row, entry)]:
        entries = [{"id": each.remote_id, "number": each.entry_number, "url": each.entry_url} for each in new]
        before = _decided(row)
        await context.save(**{FOUND: {"at": row.now().isoformat(), "entries": entries, "decided": before}})
        return Problem("entry_in_books", "; ".join(map(str, new)), entry=new[0])
    warned = Problem("entry_alike_in_books", "; ".join(map(str, of_others.alike))) if of_others.alike else None
    await _warn(context, warned)
    return None


async def _of_others(kit: Kit, row: DeliveryRow, found: Resemblance) -> Resemblance:
    """Leave out the entries that another delivery of ours made, or is making."""
    if not found.entries:
        return found
    ids = [spelling for each in found.entries for spelling in _spellings(each.remote_id)]
    references = [each.reference for each in found.entries if each.reference]
    values = {"connection_id": row.connection_id, "ids": ids, "references": references}
    async with kit.database.reading() as reading:
        ours = await _OURS.all(reading, storable(values))
    known = {str(each[name]).casefold() for each in ours for name in ("remote_id", "remote_ref", "remote_uuid")}

    def keep(entries: Sequence[EntryInBooks]) -> list[EntryInBooks]:
        return [each for each in entries if not {each.remote_id.casefold(), (each.reference or "").casefold()} & known]

    return Resemblance(keep(found.same), keep(found.alike))


def _is_own(row: DeliveryRow, entry: EntryInBooks) -> bool:
    """Return whether this delivery, which has yet to be sent, made the entry in a time that a restored database has forgotten.

    Where a person decided that it is to be sent again, they know of the entry.
    """
    ours = {row.remote_ref.casefold(), str(row.remote_uuid)}
    return row.resend_decided_at is None and bool(
        {entry.remote_id.casefold(), (entry.reference or "").casefold()} & ours
    )


def _spellings(remote_id: str) -> tuple[str, ...]:
    """Return an id as it may be kept: vendors answer with theirs in capitals or in small letters."""
    return remote_id, remote_id.lower(), remote_id.upper()


def _is_decided(row: DeliveryRow, entry: EntryInBooks) -> bool:
    return entry.remote_id in _decided(row)


def _decided(row: DeliveryRow) -> list[str]:
    """Return the entries beside which a person had the document sent all the same."""
    found = row.progress.get(FOUND) or {}
    if not found:
        return []
    asked_at, decided_at = datetime.fromisoformat(found["at"]), row.resend_decided_at
    asked = [each["id"] for each in found["entries"]] if decided_at is not None and decided_at > asked_at else []
    return [*found["decided"], *asked]


def _not_searched(problem: Problem | None) -> Problem:
    return Problem("books_not_searched", str(problem) if problem else None)


async def _warn(context: DeliveryContext, warning: Problem | None) -> None:
    """Tell it beside what else there is to know of the entry, in place of what an earlier search had to say."""
    kept = [Problem(each["code"], each["detail"]) for each in context.progress.get("warnings", [])]
    others = [each for each in kept if each.code not in _WARNINGS]
    await context.warn([*others, warning] if warning else others)
